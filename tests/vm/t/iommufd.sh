#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Programs of upstream's iommufd, its VFIO container and VFIO device files, unchanged.
#
# kernels: 6.1 6.12
# iommu: vtd kernel
set -euo pipefail
make -s -C tests/vm
bin=${BUILD:-$PWD/build}/vm
exec tests/vm/run --append slab_nomerge --device edu,addr=8.0 \
	--device pcie-root-port,id=rp,chassis=7 --device e1000e,bus=rp \
	--add "$bin/iommufd_edu" --add "$bin/iommufd_container" -- \
	sh -c "iommufd_edu && iommufd_container"
