#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Stock vfio-pci and its type1 container with our VT-d driver as the kernel's.
#
# kernels: 6.1 6.12
# long: yes
set -euo pipefail
bin=${BUILD:-$PWD/build}/vm
make -s -C tests/vm "$bin/vtd_type1" >&2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/guest" <<'END'
set -eu
modprobe vfio-pci
vtd_type1
# The driver cannot go while a user has a device, and nothing comes of trying.
rm -f vtd_type1.open
vtd_type1 many &
user=$!
while [ ! -e vtd_type1.open ] && kill -0 $user; do sleep 0.1; done
if echo 1 >/sys/module/iofd_vtd/parameters/down; then echo "FAILED: went down in use"; exit 1; fi
dmesg | grep 'is in use through the IOMMU' >/dev/null
wait $user
END
run() { # RUN-OPTION...
	echo "== $*"
	tests/vm/run --device pcie-root-port,id=above,chassis=1 --device \
		virtio-net-pci,bus=above,ats=on,iommu_platform=on,disable-legacy=on,romfile= \
		"$@" --add "$bin/vtd_type1" --add "$work/guest" -- sh guest
}
run --scalable
run --legacy --iommu-arg caching-mode=on
# The rest is between the driver and the unit: on one kernel only.
[ "${KERNEL:-6.1}" = 6.1 ] || exit 0
run --legacy
run --scalable --iommu-arg aw-bits=39,snoop-control=off
