#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The tool with real devices: list, doctor, bind, show, monitor, unbind, all of
# it also as JSON, by root and by nobody.
#
# kernels: 6.1 6.12
# iommu: vtd kernel
set -euo pipefail
for tool in jq setpriv; do
	command -v $tool >/dev/null || { echo "needs $tool"; exit 77; }
done
make -s -C lib >&2	# SAN=1: with sanitizers
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/guest" <<'END'
set -eu
fail() { echo "FAILED: $*"; exit 1; }
# The shell would take its own setpriv, which can do less.
nobody() { /add/setpriv --reuid 65534 --regid 65534 --clear-groups -- "$@"; }
# expect JQ-ARGUMENT... FILE: jq says yes, and there is something to say it of.
expect() {
	for last; do :; done
	[ -s "$last" ] || fail "$last is empty"
	jq -e "$@" >/dev/null || fail "not so: $* $(cat "$last")"
}

iommuctl --version
iommuctl list
iommuctl list --json >list
expect '.units | length == 1' list
expect '.units[0].addr_width_bits == 48 and .units[0].name == "dmar0"' list
expect 'all(.devices[]; .group != null)' list
nvme=$(jq -r '.devices[] | select(.kind == "NVMe").device' list)
edu=$(jq -r '.devices[] | select(.id == "1234:11e8").device' list)

## Before the hand-over
iommuctl doctor "$nvme" && fail "usable while the kernel drives it"
iommuctl doctor "$nvme" --json >doctor || :
expect '.verdict == "bind"' doctor
expect '.findings[] | select(.check == "driver").remedy == "iommuctl bind '"$nvme"'"' doctor
edu-copy "$edu" 2>err && fail "edu without a driver"
grep -q "iommuctl bind $edu" err

mkswap /dev/nvme0n1 >/dev/null
swapon /dev/nvme0n1
iommuctl bind "$nvme" 2>err && fail "took away a disk that is in use"
grep -q "used as swap" err || fail "$(cat err)"
iommuctl doctor "$nvme" --json >out || :
expect '.verdict == "unusable"' out
swapoff /dev/nvme0n1

## Bind
iommuctl bind "${nvme#0000:}"
iommuctl bind "$nvme" --json >bound
expect '.driver == "iofd-pci" and (.file | test("/dev/vfio/devices/vfio[0-9]+"))' bound
[ -c "$(jq -r .file bound)" ]
iommuctl bind "$edu" | grep -q iofd-pci
iommuctl doctor "$edu"
iommuctl doctor "$edu" --json >out || :
expect '.verdict == "usable"' out

## Show, while a program holds the device
iommuctl show | grep -q "No program"
iommuctl show --json >out || :
expect '.contexts == []' out
# Writing to a pipe that nobody reads holds it up with everything in place.
mkfifo pipe
iommu-nvme read "$nvme" -q -O pipe & reader=$!
exec 4<pipe
for i in 1 2 3 4 5 6 7 8 9; do
	iommuctl show --json >show
	jq -e '.contexts[0].ioasids[0].mapped_bytes > 4194304' show >/dev/null && break
	sleep 0.3
done
iommuctl show
expect '.contexts | length == 1' show
expect --arg bdf "$nvme" --argjson pid $reader '.contexts[0] | .pid == $pid and
	.program == "iommu-nvme" and .uid == 0 and
	.devices[0].device == $bdf and .devices[0].label == "0x6e766d65" and
	.devices[0].ioasid == .ioasids[0].ioasid and
	.ioasids[0].mappings == 7 and
	.ioasids[0].pinned_bytes == .ioasids[0].mapped_bytes' show
iommuctl list --json >out || :
expect --arg bdf "$nvme" '.devices[] | select(.device == $bdf) | .pid == '$reader out
iommuctl doctor "$nvme" >doctor && fail "usable while somebody uses it"
grep -q "iommu-nvme (process $reader) has it" doctor || fail "$(cat doctor)"
iommuctl unbind "$nvme" 2>err && fail "took it from a program"
grep -q "in use by iommu-nvme (process $reader)" err || fail "$(cat err)"
iommu-nvme identify "$nvme" 2>err && fail "two programs have it"
grep -q "cannot" err || fail "$(cat err)"
exec 4<&-
wait $reader && fail "wrote to a pipe without a reader"
iommuctl show --json >out || :
expect '.contexts == []' out

## Monitor
iommuctl monitor --json --count 5 --timeout 60 >events 2>ready & monitor=$!
while ! grep -q listening ready; do sleep 0.1; done
edu-copy "$edu" --stray
wait $monitor || fail "not five events: $(cat events)"
cat events
expect . events >/dev/null
[ "$(jq -r .event events | tr '\n' ' ')" = "bind attach fault detach unbind " ]
expect --arg bdf "$edu" 'all(.; .device == $bdf and .label == "0xed0" and .context > 0)' events
expect -s '.[2] | .access == "write" and .address != "0" and (.reason_text | length > 0) and .ioasid > 0' events
iommuctl monitor -t 1 2>/dev/null
iommuctl monitor -t 1 -c 1 2>/dev/null && fail "counted an event that was none"

## Without privilege
nobody iommuctl list --json >out || :
expect '.devices | length > 3' out
nobody iommuctl doctor "$edu" --json >doctor && fail "nobody may open it"
expect '.findings[] | select(.check == "dev-iommu").kind == "problem"' doctor
for command in show "monitor -t 1" "bind 0:3.0" "unbind $edu"; do
	nobody iommuctl $command 2>err && fail "nobody may $command"
	grep -q "only root" err || fail "$command: $(cat err)"
done

## Back
iommuctl unbind "$nvme" --json >out || :
expect '.driver == "nvme" and .file == null' out
iommuctl unbind "$edu" --json >out || :
expect '.driver == null' out
iommuctl unbind "$nvme" 2>err && fail "took it from the kernel's driver"
grep -q "driven by nvme" err

## Wrong usage
for command in "" "fly" "bind" "bind x" "bind 1.0 2.0" "list 1.0" "list --count 1" "monitor -c x"; do
	status=0
	iommuctl $command 2>/dev/null || status=$?
	[ $status = 2 ] || fail "'$command' gives $status"
done
iommuctl bind 1f:1f.7 2>err && fail "a device that is not there"
grep -q "no PCI function 0000:1f:1f.7" err
iommuctl bind 0:0.0 2>err && fail "a bridge"
grep -q bridge err
echo "all well"
END
bin=${BUILD:-$PWD/build}/lib${SAN:+-san}
tests/vm/run --add "$bin/iommuctl" --add "$bin/iommu-nvme" --add "$bin/edu-copy" \
	--add "$(command -v jq)" --add "$(command -v setpriv)" --add "$work/guest" -- sh guest
