#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# QEMU with its iommufd backend: kinds of memory, two devices, files passed in.
#
# kernels: 6.1 6.12
# long: yes
. tests/clients/host.sh
clients "$(qemus "$(on 6.1 backports)" "$(on 6.12 newest)")" <<'END'
nvme=$(find_pci 0x1b36:0x0010) edu=$(find_pci 0x1234:0x11e8)
give iofd-pci "$nvme" "$edu"
echo 100 >/proc/sys/vm/nr_hugepages
disk="vfio-pci,host=$nvme,iommufd=iommufd0"
copier="vfio-pci,host=$edu,iommufd=iommufd0"

for qemu in $qemus; do
	version=$(cat /clients/$qemu/version)
	boot "anonymous-$version" $qemu 1 edu=phys \
		-object iommufd,id=iommufd0 -device "$disk" -device "$copier"
	boot "hugetlbfs-$version" $qemu 1 edu=phys -machine memory-backend=ram \
		-object memory-backend-file,id=ram,size=192M,mem-path=/dev/hugepages,share=on \
		-object iommufd,id=iommufd0 -device "$disk" -device "$copier"

	# Files passed in, as libvirt does it. QEMU 11.1 takes those of a device with an
	# id only: without, it asks for the length of a name that is not there.
	exec 5<>/dev/iommu 6<>"$(device_file "$nvme")" 7<>"$(device_file "$edu")"
	start "passed-memfd-$version" $qemu "disks=1 edu=phys" -machine memory-backend=ram \
		-object memory-backend-memfd,id=ram,size=192M,share=on \
		-object iommufd,id=iommufd0,fd=5 \
		-device vfio-pci,id=disk,fd=6,iommufd=iommufd0 \
		-device vfio-pci,id=copier,fd=7,iommufd=iommufd0
	exec 5>&- 6>&- 7>&-
	finish 1
done
END
