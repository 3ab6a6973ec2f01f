#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# QEMU's own IOMMUs for its guest, whose drivers map and unmap each transfer: QEMU
# repeats that through upstream's MAP and UNMAP.
#
# kernels: 6.12
# long: yes
. tests/clients/host.sh
clients "$(qemus backports newest)" <<'END'
nvme=$(find_pci 0x1b36:0x0010) edu=$(find_pci 0x1234:0x11e8)
give iofd-pci "$nvme" "$edu"
# behind NAME QEMU KERNEL-ARGUMENTS IOMMU: its guest's disk goes through translation.
behind() {
	behind_name=$1-$(cat /clients/$2/version)
	boot "$behind_name" $2 1 "edu=vfio iommu.strict=1 $3" -device "$4" -object iommufd,id=iommufd0 \
		-device "vfio-pci,host=$nvme,iommufd=iommufd0" -device "vfio-pci,host=$edu,iommufd=iommufd0"
	if ! grep -q "group DMA" "/tmp/$behind_name.out"; then
		echo "FAIL $behind_name: the disk's DMA is not translated"
		failed=1
	fi
}
for qemu in $qemus; do
	MACHINE="-M q35,accel=kvm,kernel-irqchip=split -m 192"
	behind intel-iommu $qemu intel_iommu=on intel-iommu,caching-mode=on,aw-bits=48
	MACHINE=""
	behind virtio-iommu $qemu "" virtio-iommu-pci
done
END
