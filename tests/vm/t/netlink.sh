#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The netlink family with more than fits into a message, while everything comes
# and goes, and with listeners that do not keep up.
#
# kernels: 6.1 6.12
set -euo pipefail
command -v jq >/dev/null || { echo "needs jq"; exit 77; }
make -s -C lib all live >&2	# SAN=1: with sanitizers
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The debug kernel is some twenty times slower.
if [ "${KERNEL:-}" = debug ]; then
	numbers="spaces=1000 contexts=40 watchers=2 rounds=2"
else
	numbers="spaces=10000 contexts=500 watchers=4 rounds=6"
fi
echo "$numbers" >"$work/guest"
cat >>"$work/guest" <<'END'
set -eu
fail() { echo "FAILED: $*"; exit 1; }
edu=$(iommuctl list | awk '$2 == "1234:11e8" { print $1 }')
iommuctl bind "$edu"

# hold CONTEXTS IOASIDS: until fd 5 is closed
hold() {
	rm -f stop ready
	mkfifo stop ready
	hold_them "$@" <stop >ready & holder=$!
	exec 5>stop
	read -r word <ready
	[ "$word" = ready ] || fail "hold $*"
}
hold_them() { /add/hold "$@"; }

hold 1 $spaces
iommuctl show --json >show
[ "$(jq '.contexts[0].ioasids | length' show)" = $spaces ] || fail "not $spaces"
[ "$(jq '[.contexts[0].ioasids[].ioasid] | unique | length' show)" = $spaces ] || fail "some twice"
exec 5>&-
wait $holder
hold $contexts 3
iommuctl show --json >show
[ "$(jq '.contexts | length' show)" = $contexts ] || fail "not $contexts contexts"
[ "$(jq '[.contexts[].ioasids | length] | unique | . == [3]' show)" = true ] || fail "lost some"
exec 5>&-
wait $holder
iommuctl show | grep -q "No program"

# Everything comes and goes while others look on.
for i in $(seq $watchers); do
	(while [ ! -e enough ]; do
		iommuctl show --json | jq . >/dev/null || touch bad
		iommuctl doctor "$edu" --json | jq . >/dev/null || touch bad
		iommuctl list --json | jq . >/dev/null || touch bad
	done) &
done
iommuctl monitor -t 600 >events 2>&1 & monitor=$!
for i in $(seq $rounds); do
	iommuctl bind "$edu" >/dev/null
	# A device that is just being tried may be refused, which is no mistake.
	edu-copy "$edu" --stray >/dev/null 2>&1 || :
	/add/hold 20 20 </dev/null >/dev/null
	iommuctl unbind "$edu" >/dev/null || :
done
touch enough
kill $monitor
wait
[ ! -e bad ] || fail "JSON that is none"
[ -s events ]
iommuctl bind "$edu"
edu-copy "$edu"
iommuctl unbind "$edu"
echo "all well"
END
bin=${BUILD:-$PWD/build}/lib${SAN:+-san}
tests/vm/run --add "$bin/iommuctl" --add "$bin/edu-copy" --add "$bin/hold" \
	--add "$(command -v jq)" --add "$work/guest" -- sh guest
