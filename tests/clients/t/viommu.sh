#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# QEMU's own IOMMUs for its guest, whose drivers map and unmap each transfer: QEMU
# repeats that through upstream's MAP and UNMAP.
#
# kernels: 6.12
. tests/clients/host.sh
clients "$(qemus backports newest)" <<'END'
nvme=$(find_pci 0x1b36:0x0010) edu=$(find_pci 0x1234:0x11e8)
give iofd-pci "$nvme" "$edu"
# check_type NAME: the guest's disk went through translation.
check_type() {
	if ! grep -q "group DMA" "/tmp/$1.out"; then echo "FAIL $1: the disk's DMA is not translated"; failed=1; fi
}
for qemu in $qemus; do
	version=$(cat /clients/$qemu/version)
	MACHINE="-M q35,accel=kvm,kernel-irqchip=split -m 192"
	boot "intel-iommu-$version" $qemu 1 "edu=vfio intel_iommu=on iommu.strict=1" \
		-device intel-iommu,caching-mode=on,aw-bits=48 -object iommufd,id=iommufd0 \
		-device "vfio-pci,host=$nvme,iommufd=iommufd0" -device "vfio-pci,host=$edu,iommufd=iommufd0"
	check_type "intel-iommu-$version"
	MACHINE=""
	boot "virtio-iommu-$version" $qemu 1 "edu=vfio iommu.strict=1" \
		-device virtio-iommu-pci -object iommufd,id=iommufd0 \
		-device "vfio-pci,host=$nvme,iommufd=iommufd0" -device "vfio-pci,host=$edu,iommufd=iommufd0"
	check_type "virtio-iommu-$version"
done
END
