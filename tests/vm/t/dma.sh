#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# DMA of a device reaches what is mapped for it and nothing else; groups.
#
# kernels: 6.1 6.12
# long: yes
# iommu: vtd kernel
set -euo pipefail
make -s -C tests/vm
bin=${BUILD:-$PWD/build}/vm
iommu=${IOMMU:-vtd}

# Functions of one slot, without ACS, are one group.
# shellcheck disable=SC2016 # the guest's variables
tests/vm/run --device edu,addr=8.0,multifunction=on --device edu,addr=8.1 \
	--device virtio-rng-pci,addr=8.2,disable-legacy=on,iommu_platform=on --append slab_nomerge \
	--add "$bin/dma_edu" --add "$bin/dma_group" --add "$bin/dma_nest" -- env IOMMU="$iommu" sh -c '
	failed=0
	dma_edu || failed=1
	dma_group || failed=1
	dma_nest || failed=1
	exit $failed'

# A unit that cannot enforce snooping, and has addresses of 39 bits.
if [ "${KERNEL:-6.1}" = 6.1 ]; then
	tests/vm/run --legacy --iommu-arg snoop-control=off,aw-bits=39 \
		--append slab_nomerge --add "$bin/dma_edu" --add "$bin/abi_commands" \
		-- env IOMMU="$iommu" NO_SNOOP_CONTROL=1 sh -c '
		dma_edu A20 && dma_edu A8 && dma_edu A10 && abi_commands A6_device'
fi
