#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# First-level tables, judged by QEMU's unit: one that has no others in scalable
# mode. DMA, groups, children, and the kernel's own type1 container.
#
# kernels: 6.1 6.12
# long: yes
set -euo pipefail
make -s -C tests/vm
bin=${BUILD:-$PWD/build}/vm
make -s -C tests/vm "$bin/vtd_type1" >&2
first=(--first-level --load-arg iofd_vtd.fs_native=1)

tests/vm/run "${first[@]}" --device edu,addr=8.0,multifunction=on --device edu,addr=8.1 \
	--device virtio-rng-pci,addr=8.2,disable-legacy=on,iommu_platform=on --append slab_nomerge \
	--add "$bin/dma_edu" --add "$bin/dma_group" --add "$bin/dma_nest" -- \
	env IOMMU=vtd FIRST_LEVEL=1 sh -c '
	failed=0
	grep -q scalable /sys/class/iommu/dmar0/intel-iommu/mode || failed=1
	dma_edu || failed=1
	dma_group || failed=1
	dma_nest || failed=1
	exit $failed'
tests/vm/run "${first[@]}" --iommu-arg caching-mode=on --add "$bin/dma_edu" -- \
	env IOMMU=vtd FIRST_LEVEL=1 dma_edu A15
tests/vm/run "${first[@]}" --device pcie-root-port,id=above,chassis=1 --device \
	virtio-net-pci,bus=above,ats=on,iommu_platform=on,disable-legacy=on,romfile= \
	--add "$bin/vtd_type1" -- sh -c 'modprobe vfio-pci && vtd_type1'
