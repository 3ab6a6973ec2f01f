#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The userspace NVMe driver: the whole disk by its checksum, a part of it against
# what the kernel's driver reads, errors that name their cause, and the disk
# back in the kernel's hands afterwards.
#
# kernels: 6.1 6.12
# iommu: vtd kernel
set -euo pipefail
make -s -C lib >&2	# SAN=1: with sanitizers
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/guest" <<'END'
set -eu
bdf=$(iommuctl list | awk '$3 == "NVMe" { print $1 }')
fail() { echo "FAILED: $*"; exit 1; }

# Before it is handed over.
iommu-nvme identify "$bdf" 2>err && fail "drives a disk that the kernel has"
grep -q "driven by nvme.*iommuctl bind $bdf" err || fail "no remedy: $(cat err)"
dd if=/dev/nvme0n1 bs=1 skip=4321 count=700001 of=want 2>/dev/null

iommuctl bind "$bdf"
iommu-nvme identify "$bdf" | tee identify
grep -q "32768 blocks of 512 bytes" identify || fail "wrong size"

iommu-nvme read "$bdf" --sha256 | tee sum
[ "$(cut -d' ' -f1 sum)" = "$(cat /etc/iofd/disk.sha256)" ] || fail "wrong checksum"

# Neither end is at a block, and the length is no multiple of anything.
iommu-nvme read "$bdf" -q -o 4321 -l 700001 -O got
cmp want got || fail "a part differs"
iommu-nvme read "$bdf" -q -o 4321 -l 700001 -O - | cmp want - || fail "a part differs by pipe"
iommu-nvme read "$bdf" -q -o 16M --sha256 | grep -q ^e3b0c44298fc || fail "the end is not empty"

iommu-nvme read "$bdf" -q -o 16M -l 1 2>err && fail "reads beyond the end"
grep -q "beyond the end" err || fail "$(cat err)"
iommu-nvme identify "$bdf" -q -n 7 2>err && fail "namespace 7"
grep -q "namespace" err || fail "$(cat err)"
iommu-nvme identify 1f.2 2>err && fail "a disk controller of another kind"
iommu-nvme identify "$bdf" extra 2>err && fail "takes anything"

# Ten times, whatever state the last one left.
for i in 1 2 3 4 5 6 7 8 9 10; do
	iommu-nvme read "$bdf" -q -l 1M -o ${i}M -s >/dev/null
done
# Killed in the middle, then again from the start.
iommu-nvme read "$bdf" -q -s >/dev/null & sleep 0.1; kill -9 $! 2>/dev/null || :
wait $! || :
iommu-nvme read "$bdf" -q -s >sum
[ "$(cut -d' ' -f1 sum)" = "$(cat /etc/iofd/disk.sha256)" ] || fail "wrong after a kill"

iommuctl unbind "$bdf"
for i in 1 2 3 4 5 6 7 8 9; do [ -b /dev/nvme0n1 ] && break; sleep 1; done
sha256sum /dev/nvme0n1 | grep -q "$(cat /etc/iofd/disk.sha256)" || fail "the kernel's driver reads something else"
echo "all well"
END
bin=${BUILD:-$PWD/build}/lib${SAN:+-san}
tests/vm/run --add "$bin/iommuctl" --add "$bin/iommu-nvme" --add "$work/guest" -- sh guest
