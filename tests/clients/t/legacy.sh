#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# QEMU's legacy path: the stock vfio-pci with its container, on our VT-d driver.
#
# kernels: 6.1 6.12
. tests/clients/host.sh
clients "$(qemus "$(on 6.1 own)" "$(on 6.12 backports)" ${CLIENTS_ALL:+newest})" <<'END'
nvme=$(find_pci 0x1b36:0x0010) edu=$(find_pci 0x1234:0x11e8)
modprobe vfio-pci
give vfio-pci "$nvme" "$edu"
for qemu in $qemus; do
	boot "container-$(cat /clients/$qemu/version)" $qemu 1 edu=phys \
		-device "vfio-pci,host=$nvme" -device "vfio-pci,host=$edu"
done
END
