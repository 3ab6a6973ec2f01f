#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# test_doctor.sh IOMMUCTL: what it says of machines that nobody has at hand, made
# up below a folder.
set -euo pipefail
ctl=$1
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
export IOMMUCTL_ROOT=$root
dev=$root/sys/bus/pci/devices

put() { mkdir -p "$(dirname "$root$1")"; echo "${2-}" >"$root$1"; }
link() { mkdir -p "$(dirname "$root$1")"; ln -sfn "$2" "$root$1"; }
fail() { echo "FAILED: $*"; exit 1; }
# says WORDS...: doctor has them in one line, and the line that follows.
says() {
	"$ctl" doctor 1:0.0 >"$root/out" && fail "usable: $(cat "$root/out")"
	grep -A1 -e "$*" "$root/out" >/dev/null || fail "no '$*' in: $(cat "$root/out")"
}
says_not() { ! grep -e "$*" "$root/out" || fail "'$*'"; }

says "no such PCI function"
put /sys/bus/pci/devices/0000:01:00.0/class 0x020000
put /sys/bus/pci/devices/0000:01:00.0/vendor 0x8086
put /sys/bus/pci/devices/0000:01:00.0/device 0x10d3
put /sys/bus/pci/devices/0000:01:00.0/driver_override "(null)"
says "8086:10d3, Ethernet"
says "firmware announces none"

## IOMMUs that nobody drives
put /sys/firmware/acpi/tables/IVRS
says "boot without amd_iommu=off"
put /sys/firmware/acpi/tables/DMAR
put /proc/cmdline "quiet iommu=off"
says "boot without iommu=off"
put /proc/cmdline "intel_iommu=sm_on,off quiet"
says "modprobe iofd_vtd', or boot without intel_iommu=off"
put /proc/cmdline "quiet my_intel_iommu=off iommu=pt"
says "boot with intel_iommu=on"

## Modules
says "install it for kernel"
put "/lib/modules/$(uname -r)/modules.dep" "updates/dkms/iofd.ko.xz: kernel/iofd_pci.ko"
says "-> modprobe iofd\$"
says "then 'modprobe iofd_pci'"
put /sys/module/iofd/refcnt 0
says "/dev/iommu does not exist, though"
put /dev/iommu
says "/dev/iommu can be opened"

## A group with neighbours
mkdir -p "$root/sys/class/iommu/dmar0"
says "no IOMMU group"
link /sys/bus/pci/devices/0000:01:00.0/iommu_group ../../../kernel/iommu_groups/14
link /sys/bus/pci/devices/0000:01:00.0/iommu ../../dmar0
for f in 0 1 2 3; do put "/sys/kernel/iommu_groups/14/devices/0000:01:00.$f"; done
put /sys/bus/pci/devices/0000:01:00.1/class 0x010601
put /sys/bus/pci/devices/0000:01:00.2/class 0x060100
put /sys/bus/pci/devices/0000:01:00.3/class 0x060400
link /sys/bus/pci/devices/0000:01:00.3/driver ../../drivers/pcieport
says "group 14, behind unit dmar0"
says "holds 3 more, none driven by the kernel"
link /sys/bus/pci/devices/0000:01:00.1/driver ../../drivers/ahci
link /sys/bus/pci/devices/0000:01:00.2/driver ../../drivers/lpc_ich
says "0000:01:00.1 (SATA), which the kernel drives by ahci"
says "iommuctl bind 0000:01:00.1"
says "0000:01:00.2 (ISA bridge), which the kernel drives by lpc_ich"
says "echo 0000:01:00.2 >/sys/bus/pci/devices/0000:01:00.2/driver/unbind"
says_not pcieport

## A disk that is in use
link /sys/bus/pci/devices/0000:01:00.0/driver ../../drivers/nvme
mkdir -p "$dev/0000:01:00.0/nvme/nvme0/nvme0n1/nvme0n1p2" "$root/sys/class/block"
put /sys/bus/pci/devices/0000:01:00.0/nvme/nvme0/nvme0n1/nvme0n1p2/dev 259:2
ln -s "$dev/0000:01:00.0/nvme/nvme0/nvme0n1/nvme0n1p2" "$root/sys/class/block/nvme0n1p2"
says "bind     driven by nvme"
put /proc/self/mountinfo "25 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw"
says "a disk of it is mounted on /"
put /sys/bus/pci/drivers/iofd-pci/bind
"$ctl" bind 1:0.0 2>"$root/err" && fail "takes a disk that is mounted"
grep -q "mounted on /: end that first" "$root/err" || fail "$(cat "$root/err")"

## Interrupts
put /proc/interrupts " 24:  0  0  PCI-MSI 512-edge  nvme0q0"
says "problem  its interrupts are not checked"
put /sys/module/iofd_pci/parameters/allow_unsafe_interrupts Y
says "note     its interrupts are not checked"
put /proc/interrupts " 24:  0  0  IR-PCI-MSI 512-edge  nvme0q0"
says "ok       its interrupts are checked"

## KVM
says_not "KVM"
put /sys/module/iofd_pci/parameters/kvm Y
says "ok       virtual machines under KVM can have it"
put /sys/module/iofd_pci/parameters/kvm N
says "note     virtual machines under KVM cannot have it"
says "echo Y >/sys/module/iofd_pci/parameters/kvm'; if that fails"
mkdir -p "$root/sys/kernel/livepatch/livepatch_vfio"
says "live patch 'livepatch_vfio' may be in the way"
put /proc/sys/kernel/ftrace_enabled 0
says "sysctl kernel.ftrace_enabled=1, then"

## Nesting and PASIDs
says_not "nested"
unit=/sys/class/iommu/dmar0/intel-iommu
put $unit/cap 8d2008c40660462
put $unit/ecap 0
says "note     its unit dmar0 has no nested translation: the kernel composes"
says "note     it cannot have PASIDs: its unit dmar0 has no PASIDs"
put $unit/ecap "$(printf %x $((1 << 26 | 1 << 40)))"
says "its unit dmar0 has no scalable mode: the kernel composes"
put $unit/ecap "$(printf %x $((1 << 26 | 1 << 40 | 1 << 43 | 1 << 46)))"
says "its unit dmar0 is driven by the kernel's own driver"
says "boot with intel_iommu=off intremap=off and 'modprobe iofd_vtd'"
mkdir -p "$root/sys/module/iofd_vtd"
put $unit/mode legacy
says "its unit dmar0 is in legacy mode"
put $unit/mode scalable
says "interrupts"
says_not "legacy"
head -c 256 /dev/zero >"$dev/0000:01:00.0/config"
says "note     it has no PASIDs: the function lacks the capability"
# A capability that points at itself ends the search.
{ head -c 256 /dev/zero; printf '\x01\x00\x01\x10'; head -c 3836 /dev/zero; } >"$dev/0000:01:00.0/config"
says "note     it has no PASIDs: the function lacks the capability"
{ head -c 256 /dev/zero; printf '\x1b\x00\x01\x00'; head -c 3836 /dev/zero; } >"$dev/0000:01:00.0/config"
says "interrupts"
says_not "it has no PASIDs"
rm -r "$root/sys/module/iofd_vtd"

## Bridges
put /sys/bus/pci/devices/0000:01:00.0/class 0x060400
says "bridges can be driven by the kernel only"
echo "test_doctor: all well"
