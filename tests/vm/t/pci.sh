#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Device files of PCI functions: commands, DMA, interrupts, reset, hot-unplug,
# virtual functions.
#
# kernels: 6.1 6.12
# long: yes
# iommu: vtd kernel
set -euo pipefail
make -s -C tests/vm
bin=${BUILD:-$PWD/build}/vm
group=""
# The VT-d driver of this kernel cannot keep devices behind a bridge blocked.
if [ "${KERNEL:-6.1}-${IOMMU:-vtd}" = 6.12-kernel ]; then group=refused; fi
# shellcheck disable=SC2016 # the guest's variables
exec tests/vm/run --log "${IOFD_VM_LOG:-/dev/null}" \
	--device pcie-pci-bridge,id=bridge \
	--device edu,bus=bridge,addr=1 --device edu,bus=bridge,addr=2 \
	--device pcie-root-port,id=rp,chassis=7 --device nvme-subsys,id=subsys \
	--device nvme,serial=sriov,subsys=subsys,bus=rp,max_ioqpairs=6,msix_qsize=7,sriov_max_vfs=2,sriov_vq_flexible=4,sriov_vi_flexible=4 \
	--add "$bin/pci_edu" --add "$bin/pci_group" --add "$bin/pci_msix" \
	--add "$bin/pci_sriov" -- env GROUP=$group sh -c '
	failed=0
	pci_edu || failed=1
	pci_group $GROUP || failed=1
	pci_msix || failed=1
	pci_sriov || failed=1
	exit $failed'
