#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Two devices plugged into a running guest, used, and unplugged again, three times
# over: each time nothing of them stays mapped, pinned or bound.
#
# kernels: 6.1 6.12
. tests/clients/host.sh
clients "$(qemus "$(on 6.1 backports)" "$(on 6.12 newest)")" <<'END'
nvme=$(find_pci 0x1b36:0x0010) edu=$(find_pci 0x1234:0x11e8)
iommuctl bind "$nvme"
iommuctl bind "$edu"

# plug ID BDF PORT
plug() {
	qmp /tmp/qmp 120 '{"execute":"device_add","arguments":{"driver":"vfio-pci","id":"'"$1"'","host":"'"$2"'","bus":"'"$3"'","iommufd":"iommufd0"}}' >/tmp/said 2>&1
}
# unplug ID: until QEMU says that it is gone.
unplug() {
	qmp /tmp/qmp 120 '{"execute":"device_del","arguments":{"id":"'"$1"'"}}' '"DEVICE_DELETED", "data": {"device": "'"$1"'"' >/tmp/said 2>&1
}
# fail WHAT
fail() {
	echo "FAIL $vm, round $round: $*"
	cat /tmp/said
	iommuctl show
	grep nr_foll_pin /proc/vmstat
	kill $vmm
	failed=1
}
one_round() {
	plug copier "$edu" port1 && plug disk "$nvme" port2 || { fail "a device cannot be plugged in"; return 1; }
	within 300 said "L2 used $round" || { fail "the guest does not use them"; return 1; }
	! holds_nothing || { fail "what is in use does not show"; return 1; }
	unplug disk && unplug copier || { fail "a device cannot be unplugged"; return 1; }
	within 20 holds_nothing || { fail "something is left"; return 1; }
}

for qemu in $qemus; do
	start "hotplug-$(cat /clients/$qemu/version)" $qemu "disks=1 edu=phys rounds=3" \
		-qmp unix:/tmp/qmp,server=on,wait=off -object iommufd,id=iommufd0 \
		-device pcie-root-port,id=port1,chassis=1 -device pcie-root-port,id=port2,chassis=2
	within 300 said "L2 up" || :
	for round in 1 2 3; do one_round || break; done
	finish 3
done

# And back to the kernel.
iommuctl unbind "$nvme"
within 60 test -b /dev/nvme0n1
[ "$(sha256sum </dev/nvme0n1 | cut -d' ' -f1)" = "$sum" ] || { echo "FAIL: the disk is not as it was"; failed=1; }
END
