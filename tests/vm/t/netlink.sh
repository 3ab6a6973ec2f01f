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
cat >"$work/guest" <<'END'
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

hold 1 10000
iommuctl show --json >show
[ "$(jq '.contexts[0].ioasids | length' show)" = 10000 ] || fail "not 10000"
[ "$(jq '[.contexts[0].ioasids[].ioasid] | unique | length' show)" = 10000 ] || fail "some twice"
exec 5>&-
wait $holder
hold 500 3
iommuctl show --json >show
[ "$(jq '.contexts | length' show)" = 500 ] || fail "not 500 contexts"
[ "$(jq '[.contexts[].ioasids | length] | unique | . == [3]' show)" = true ] || fail "lost some"
exec 5>&-
wait $holder
iommuctl show | grep -q "No program"

# Everything comes and goes while four look on.
for i in 1 2 3 4; do
	(while [ ! -e enough ]; do
		iommuctl show --json | jq . >/dev/null || touch bad
		iommuctl doctor "$edu" --json | jq . >/dev/null || touch bad
		iommuctl list --json | jq . >/dev/null || touch bad
	done) &
done
iommuctl monitor -t 600 >events 2>&1 & monitor=$!
for i in 1 2 3 4 5 6; do
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
