#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# DPDK as Debian has it drives two network cards, by the container of the stock
# vfio-pci on our VT-d driver: packets go from one to the other and back.
#
# kernels: 6.1 6.12
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$(tests/clients/dpdk-root) || exit 77
cat >"$work/script" <<'END'
. ./guest
modprobe vfio-pci
# The first is on the network.
one=$(find_pci 0x8086:0x10d3 2) two=$(find_pci 0x8086:0x10d3 3)
give vfio-pci "$one" "$two"
mkdir -p /var/run
vm=testpmd
/clients/dpdk/testpmd -a "$one" -a "$two" -l 0-1 -m 64 --in-memory -- --total-num-mbufs=2048 \
	--forward-mode=io --tx-first --stats-period 1 --no-lsc-interrupt </dev/null >/tmp/$vm.out 2>&1 &
vmm=$!
within 300 said 'RX-packets: [0-9]\{5,\}' || echo "no packets came"
! holds_no_pin || { echo "nothing is pinned"; exit 1; }
kill -INT $vmm
status=0
wait $vmm || status=$?
total=$(awk '/Accumulated/ { on = 1 } on && /RX-packets/ { print $2, $4, $6 }' /tmp/$vm.out)
echo "status $status; packets received, dropped, in all: $total"
case $status:$total in
0:[1-9]????*" 0 "*) ;;
*) cat /tmp/$vm.out; exit 1 ;;
esac
within 20 holds_no_pin || { echo "pages stay pinned"; exit 1; }
END
card() { echo --qemu-arg -netdev --qemu-arg "hubport,id=$1,hubid=1" --device "e1000e,netdev=$1,romfile="; }
# shellcheck disable=SC2046 # several arguments
tests/vm/run --timeout 600 --root "$root" $(card one) $(card two) --add tests/clients/guest --add "$work/script" \
	-- sh script
