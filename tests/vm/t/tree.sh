#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Trees of address spaces and stacks of attachments: what libiommu says of them, and
# what iommuctl shows; for edu, and with IOMMU=hw for a device with PASIDs in plenty.
#
# kernels: 6.1 6.12
# iommu: vtd kernel
set -euo pipefail
command -v jq >/dev/null || { echo "needs jq"; exit 77; }
make -s -C lib all live >&2	# SAN=1: with sanitizers
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/guest" <<'END'
set -eu
fail() { echo "FAILED: $*"; exit 1; }
# expect JQ-ARGUMENT... FILE: jq says yes, and there is something to say it of.
expect() {
	for last; do :; done
	[ -s "$last" ] || fail "$last is empty"
	jq -e "$@" >/dev/null || fail "not so: $* $(cat "$last")"
}
if [ "$1" = hw ]; then
	dev=0000:00:14.0 pasids=4096 nesting='"hardware"'
else
	dev=$(iommuctl list | awk '$2 == "1234:11e8" { print $1 }') pasids=0 nesting=null
fi
iommuctl bind "$dev"
iommuctl monitor --json --timeout 900 >events 2>listening & monitor=$!
while ! grep -q listening listening; do sleep 0.1; done
mkfifo stop ready
/add/live_nest "$dev" $pasids <stop >ready & holder=$!
exec 5>stop 6<ready
while read -r word <&6 && [ "$word" != ready ]; do echo "$word"; done
[ "$word" = ready ] || fail "live_nest"

# Root 2, its children 3 and 5, 4 in 3 (1 is the device).
iommuctl show
iommuctl show --json >show
expect '.contexts[0].ioasids | map(.ioasid) == [2, 3, 4, 5]' show
expect '.contexts[0].ioasids | map(.parent) == [null, 2, 3, 2]' show
expect '.contexts[0].ioasids[0] | .pinned_bytes == 1048576 and (has("nesting") | not)' show
expect '.contexts[0].ioasids[1:] | all(.pinned_bytes == 0 and .charged_bytes == 0)' show
expect '.contexts[0].ioasids[3] | .type == "user-managed" and .table == "0x80000"' show
expect '.contexts[0].ioasids | map(.nesting) == [null, "composed", "composed", '"$nesting"']' show
iommuctl show | grep -q '^      4 ' || fail "not indented"
expect '.contexts[0].devices[0].ioasid == 4' show
expect '.contexts[0].devices[0].attachments[0:3] | map([.ioasid, .pasid, .covered]) ==
	[[4, null, false], [3, null, true], [2, null, true]]' show
expect --argjson n $pasids '.contexts[0].devices[0].attachments[3:] | map(.pasid) == [range(1; $n + 1)]' show
iommuctl list | tee list
if [ "$1" = hw ]; then
	grep -q "20 bits  *hardware  *kernel vtd-s1" list || fail "what it can do"
	iommuctl show >shown
	grep -q "IOASID 3 with PASID 1$" shown || fail "PASID 1"
	grep -q "IOASID 5 with PASIDs 2 to 4096" shown || fail "a line for each of them"
else
	grep -q "48 bits  *-  *composed  *kernel vtd-s1" list || fail "what edu can do"
fi
exec 5>&-
cat <&6
wait $holder || fail "live_nest"
sleep 1
kill $monitor
wait $monitor 2>/dev/null || :
iommuctl show | grep -q "No program" || fail "something is left"
# Each attachment came and went, and said with which PASID.
expect -s --argjson n $pasids '[.[] | select(.event == "attach")] | length == 3 + $n' events
expect -s --argjson n $pasids '[.[] | select(.event == "attach" and .pasid)] | map(.pasid) == [range(1; $n + 1)]' events
expect -s --argjson n $pasids '[.[] | select(.event == "detach" and .pasid)] | map(.pasid) == [range(1; $n + 1)]' events
expect -s '[.[] | select(.event == "detach" and (has("pasid") | not)).ioasid] == [4, 3, 2]' events
END
bin=${BUILD:-$PWD/build}/lib${SAN:+-san}
tests/vm/run --add "$bin/iommuctl" --add "$bin/live_nest" --add "$(command -v jq)" \
	--add "$work/guest" -- sh guest "${IOMMU:-vtd}"
