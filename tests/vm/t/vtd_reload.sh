#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The kernel's own disks and network work on while the VT-d driver comes up, goes
# down and is loaded again, on units of every kind; so do devices that are plugged
# in meanwhile.
#
# kernels: 6.1 6.12
# long: yes
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/guest" <<'END'
set -eu
fail() { echo "FAILED: $*"; dmesg | tail -n 20; exit 1; }
down=/sys/module/iofd_vtd/parameters/down
want=$(cat /etc/iofd/disk.sha256)
slot() { # VENDOR:DEVICE
	for dev in /sys/bus/pci/devices/*; do
		if [ "$(cat "$dev/vendor"):$(cat "$dev/device")" = "$1" ]; then basename "$dev"; fi
	done
}

# Read DISK over and over, past the cache, until told to stop.
reader() {
	rounds=0
	while [ ! -e /tmp/stop ]; do
		got=$(dd if="/dev/$1" bs=128k iflag=direct 2>/dev/null | sha256sum | cut -d' ' -f1)
		[ "$got" = "$want" ] || { echo "read $1 wrongly" >>/tmp/wrong; return; }
		rounds=$((rounds + 1))
	done
	echo "$1 $rounds" >>/tmp/rounds
}
reader nvme0n1 &
reader vda &
ip link set eth0 up
ip addr add 10.0.2.15/24 dev eth0
answers() { ping -q -c 3 -i 0.2 -W 5 10.0.2.2 >/dev/null; }
for i in 1 2 3 4 5 6 7 8 9 10; do answers && break; sleep 0.5; done
answers || fail "no network before"

for i in 1 2 3; do
	echo 1 >$down
	[ "$(cat $down)" = Y ] || fail "not down"
	[ -z "$(ls /sys/kernel/iommu_groups)" ] || fail "groups are left"
	sleep 0.2
	echo 0 >$down
	[ "$(cat $down)" = N ] || fail "not up"
	answers || fail "no network after coming up"
done
rmmod iofd_pci
for i in 1 2; do
	echo 1 >$down
	rmmod iofd_vtd
	[ ! -e /sys/class/iommu/dmar0 ] || fail "the unit is still in sysfs"
	modprobe iofd_vtd "$@"
	answers || fail "no network after loading"
done

# Pull the network card out and plug it in again.
card=$(slot 0x8086:0x10d3)
echo 1 >"/sys/bus/pci/devices/$card/remove"
[ ! -e "/sys/bus/pci/devices/$card" ] || fail "it is still there"
echo 1 >/sys/bus/pci/rescan
[ -e "/sys/bus/pci/devices/$card/iommu_group" ] || fail "no group after plugging in"
for i in 1 2 3 4 5 6 7 8 9 10; do [ -e /sys/class/net/eth0 ] && break; sleep 0.2; done
ip link set eth0 up
ip addr add 10.0.2.15/24 dev eth0
for i in 1 2 3 4 5 6 7 8 9 10; do answers && break; sleep 0.5; done
answers || fail "no network after plugging in"

touch /tmp/stop
wait
[ ! -e /tmp/wrong ] || fail "$(cat /tmp/wrong)"
if dmesg | grep 'DMA .* refused'; then fail "requests were lost"; fi
echo "mode $(cat /sys/class/iommu/dmar0/intel-iommu/mode), rounds: $(sort /tmp/rounds | tr '\n' ' ')"
[ "$(wc -l </tmp/rounds)" = 2 ]
END

run() { # NAME RUN-OPTION...
	echo "== $1"
	shift
	tests/vm/run "$@" --add "$work/guest" -- sh guest
}
run scalable --scalable
# Units that cache what is not present.
run "legacy, caching mode" --legacy --iommu-arg caching-mode=on
# The rest is between the driver and the unit: on one kernel only.
[ "${KERNEL:-6.1}" = 6.1 ] || exit 0
run legacy --legacy
run "scalable, caching mode" --scalable --iommu-arg caching-mode=on
# Identity by a table of the driver's, where the unit has no pass-through.
run "scalable, no pass-through" --scalable --iommu-arg pt=off
run "legacy, no pass-through" --legacy --iommu-arg pt=off
run "legacy, 39 bits, no snoop control, no ATS" --legacy \
	--iommu-arg aw-bits=39,snoop-control=off,device-iotlb=off
