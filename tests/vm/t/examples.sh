#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The library's examples of nested address spaces, on devices without PASIDs and
# units that do not nest: the kernel composes. tests/hw/t/examples.sh has the rest.
#
# kernels: 6.1 6.12
# iommu: vtd kernel
set -euo pipefail
make -s -C lib >&2	# SAN=1: with sanitizers
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/guest" <<'END'
set -eu
fail() { echo "FAILED: $*"; exit 1; }
set -- $(iommuctl list | awk '$2 == "1234:11e8" { print $1 }')
[ $# = 2 ] || fail "not two edus: $*"
iommuctl bind "$1"
iommuctl bind "$2"
nesting simple "$1"
nesting simple "$1" "$2"
nesting several "$1" "$2"
nesting software "$1" "$2"
nesting hardware "$1" | tee out
grep -q "composed by the kernel" out || fail "who walks both?"
nesting vsva "$1" 2>err && fail "PASIDs on edu"
cat err
grep -q "it has no PASIDs" err || fail "why not?"
status=0
nesting several "$1" 2>/dev/null || status=$?
[ $status = 2 ] || fail "several devices are one: $status"
END
bin=${BUILD:-$PWD/build}/lib${SAN:+-san}
tests/vm/run --device edu,addr=9.0 --add "$bin/iommuctl" --add "$bin/nesting" \
	--add "$work/guest" -- sh guest
