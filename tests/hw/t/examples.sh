#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The library's examples of nested address spaces on hardware that has all of it,
# on a unit that nests nothing, and on one that knows no PASIDs; and what iommuctl
# says of them meanwhile.
#
# kernels: 6.1 6.12
# iommu: hw
set -euo pipefail
make -s -C lib all live >&2	# SAN=1: with sanitizers
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/guest" <<'END'
set -eu
fail() { echo "FAILED: $*"; exit 1; }
for slot in 14.0 15.0 16.0 17.0 1a.0 1b.0 1c.0; do iommuctl bind 0:$slot >/dev/null; done

nesting simple 0:14.0 0:15.0
nesting several 0:14.0 0:15.0
nesting software 0:14.0 0:15.0
nesting hardware 0:14.0 | tee out
grep -q "hardware walks both" out || fail "who walks both?"
nesting hardware 0:17.0 | grep -q "hardware walks both" || fail "without PASIDs"
for slot in 14.0 15.0 16.0; do
	nesting vsva 0:$slot | tee out
	[ "$(grep -c "hardware walks both" out)" = 2 ] || fail "PASIDs on $slot"
done

# A unit without nesting: composed, with PASIDs too.
nesting hardware 0:1b.0 | grep -q "composed by the kernel" || fail "a unit that does not nest"
nesting vsva 0:1a.0 | tee out
[ "$(grep -c "composed by the kernel" out)" = 2 ] || fail "composed PASIDs"
# Legacy mode: no PASIDs.
nesting vsva 0:1c.0 2>err && fail "PASIDs in legacy mode"
grep -q "has no PASIDs, or its IOMMU does not take them" err || fail "$(cat err)"

# And why that is so.
iommuctl doctor 0:14.0 | tee out
grep -q "ok       its IOMMU nests" out || fail "doctor: nesting"
grep -q "ok       it can have 1048575 PASIDs" out || fail "doctor: PASIDs"
iommuctl doctor 0:17.0 >out || :
grep -q "it has no PASIDs: the function lacks the capability" out || fail "$(cat out)"
iommuctl doctor 0:1a.0 >out || :
grep -q "dmar1 has no nested translation" out || fail "$(cat out)"
iommuctl doctor 0:1c.0 >out || :
grep -q "dmar2 has no" out || fail "$(cat out)"
END
bin=${BUILD:-$PWD/build}/lib${SAN:+-san}
tests/vm/run --iommu hw --add "$bin/iommuctl" --add "$bin/nesting" \
	--add "$work/guest" -- sh guest
