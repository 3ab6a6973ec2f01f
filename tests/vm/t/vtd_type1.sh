#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Stock vfio-pci and its type1 container with our VT-d driver as the kernel's.
#
# kernels: 6.1 6.12
set -euo pipefail
bin=${BUILD:-$PWD/build}/vm
make -s -C tests/vm "$bin/vtd_type1" >&2
run() { # RUN-OPTION...
	echo "== $*"
	tests/vm/run --device pcie-root-port,id=above,chassis=1 --device \
		virtio-net-pci,bus=above,ats=on,iommu_platform=on,disable-legacy=on,romfile= \
		"$@" --add "$bin/vtd_type1" -- sh -c 'modprobe vfio-pci && vtd_type1'
}
run --scalable
run --legacy
run --legacy --iommu-arg caching-mode=on
run --scalable --iommu-arg aw-bits=39,snoop-control=off
