#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# DMA of a device reaches what is mapped for it and nothing else.
#
# kernels: 6.1 6.12
# iommu: vtd kernel
set -euo pipefail
make -s -C tests/vm
bin=${BUILD:-$PWD/build}/vm
exec tests/vm/run --device edu --append slab_nomerge --add "$bin/dma_edu" \
	-- env IOMMU="${IOMMU:-vtd}" dma_edu
