#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# KVM takes our device files for VFIO's, leaves the stock ones alone, and everything
# else works where the kernel will not let us tell it.
#
# kernels: 6.1 6.12
# long: yes
# iommu: vtd kernel
set -euo pipefail
kernel=${KERNEL:-6.1} build=${BUILD:-$PWD/build}
make -s -C tests/vm
make -s -C lib >&2
eval "$(tests/kernel "$kernel")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Where a device keeps the virtual machine, by the size of an array.
mkdir "$work/offset"
echo "obj-m := offset.o" >"$work/offset/Kbuild"
cat >"$work/offset/offset.c" <<'END'
#include <linux/vfio.h>
char kvm_offset[offsetof(struct vfio_device, kvm)];
END
# shellcheck disable=SC2154 # headers is from there
make -s -C "$headers" M="$work/offset" W=0 offset.o >&2
offset=$((16#$(nm -S "$work/offset/offset.o" | awk '$4 == "kvm_offset" { print $2 }')))
[ "$offset" -gt 0 ]
# Newer kernels have it let go of by a function that they keep beside it.
keeps=no
cat >"$work/offset/offset.c" <<'END'
#include <linux/vfio.h>
char keeps[sizeof(((struct vfio_device *)0)->put_kvm)];
END
if make -s -C "$headers" M="$work/offset" W=0 offset.o >"$work/keeps.log" 2>&1; then keeps=yes; fi
cat >"$work/guest" <<'END'
set -eu
fail() { echo "FAILED: $*"; exit 1; }
modprobe kvm-amd
modprobe vfio-pci
param=/sys/module/iofd_pci/parameters/kvm
edu=$(iommuctl list --json | jq -r '[.devices[] | select(.id == "1234:11e8").device][0]')
[ "$(cat $param)" = Y ] || fail "no hooks"
kvm_files
[ "$1" = all ] || exit 0

echo "== not to be taken away"
iommuctl doctor "$edu" --json | jq -e 'any(.findings[]; .check == "kvm" and .kind == "ok")' >/dev/null ||
	fail "doctor: $(iommuctl doctor "$edu")"
if echo N >$param 2>/dev/null; then fail "hooks can be taken away in use"; fi
if echo 0 >/proc/sys/kernel/ftrace_enabled; then fail "ftrace can be switched off"; fi

echo "== others use KVM while the module comes and goes"
kvm_files loop &
loop=$!
sleep 1
for i in 1 2 3 4 5 6 7 8; do
	rmmod iofd_pci
	modprobe iofd_pci allow_unsafe_interrupts=1
	kill -0 $loop || fail "the stock group was refused"
done
kill $loop
rmmod iofd_pci

echo "== not wanted"
modprobe iofd_pci allow_unsafe_interrupts=1 kvm=0
[ "$(cat $param)" = N ] || fail "hooked"
kvm_files refused
rmmod iofd_pci

echo "== ftrace is off"
echo 0 >/proc/sys/kernel/ftrace_enabled
modprobe iofd_pci allow_unsafe_interrupts=1
[ "$(cat $param)" = N ] || fail "hooked without ftrace"
dmesg | grep -q "iofd_pci: virtual machines under KVM cannot have devices" || fail "no warning"
kvm_files refused
iommuctl doctor "$edu" | tee doctor
iommuctl doctor "$edu" --json | jq -e 'any(.findings[]; .check == "kvm" and .kind == "note" and (.remedy | test("ftrace_enabled=1")))' >/dev/null || fail "doctor is silent"
if echo Y >$param; then fail "hooked without ftrace"; fi
echo 1 >/proc/sys/kernel/ftrace_enabled
echo Y >$param
[ "$(cat $param)" = Y ] || fail "not hooked"
kvm_files ours_is_added
END
run() { # RUN-OPTION...
	local how=$1
	shift
	echo "== $*"
	tests/vm/run --device pcie-root-port,id=below,chassis=9 --device edu,bus=below "$@" \
		--add "$build/vm/kvm_files" --add "$build/lib/iommuctl" --add "$(command -v jq)" --add "$work/guest" \
		-- env KVM_OFFSET="$offset" KEEPS_KVM=$keeps SNOOP="${SNOOP:-on}" sh guest "$how"
}
run all
if [ "${IOMMU:-vtd}" = vtd ]; then SNOOP=off run short --iommu-arg snoop-control=off; fi
