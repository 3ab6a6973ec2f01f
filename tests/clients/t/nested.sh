#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# QEMU's VT-d with first-stage tables, over hardware that nests: the table that the
# kernel of QEMU's guest writes is the one that the hardware walks.
#
# kernels: 6.12
# iommu: hw
. tests/clients/host.sh
clients "$(qemus newest)" <<'END'
endpoint=0000:00:14.0
give iofd-pci $endpoint
MACHINE="-M q35,accel=kvm,kernel-irqchip=split -m 192"

# expect WHAT STATUS
expect() {
	if [ "$2" != 0 ]; then echo "FAIL $vm: $1"; failed=1; fi
}
for qemu in $qemus; do
	rm -f /tmp/trace
	start "nested-$(cat /clients/$qemu/version)" $qemu "hw=3 intel_iommu=on,sm_on iommu.strict=1" \
		-D /tmp/trace -trace 'iommufd_backend_*' -trace 'vtd_device_*' \
		-device intel-iommu,caching-mode=on,scalable-mode=on,fsts=on \
		-object iommufd,id=iommufd0 -device "vfio-pci,host=$endpoint,iommufd=iommufd0"
	: >/tmp/shown
	while runs; do
		iommuctl show >>/tmp/shown
		sleep 0.3
	done
	finish 0

	# That the hardware nested, at the guest's wish.
	status=0; grep -q 'user-managed  *hardware' /tmp/shown || status=$?
	expect "no table that hardware nests was shown" $status
	status=0; grep -qE 'composed|mixed' /tmp/shown && status=1
	expect "the kernel composed" $status
	status=0; grep -q 'alloc_hwpt .* hwpt_type=1 .*(0)' /tmp/trace || status=$?
	expect "QEMU made no nested table" $status
	rounds=$(sed -n 's/.*L2 hw ok, \([0-9]*\) rounds.*/\1/p' "/tmp/$vm.out")
	sent=$(grep -c 'invalidate_cache .* done_num=1 .*(0)' /tmp/trace) || :
	[ "$sent" -ge "${rounds:-1}" ] && status=0 || status=1
	expect "$sent invalidations came for ${rounds:-no} rounds" $status
	status=0; grep 'invalidate_cache' /tmp/trace | grep -v '(0)' && status=1
	expect "an invalidation was refused" $status
	echo "     ${rounds:-no} rounds, $sent invalidations"
done
END
