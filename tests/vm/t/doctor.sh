#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What 'iommuctl doctor' says on machines where something is wrong.
#
# kernels: 6.1 6.12
# long: yes
# debug: no
set -euo pipefail
command -v jq >/dev/null || { echo "needs jq"; exit 77; }
make -s -C lib >&2	# SAN=1: with sanitizers
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bin=${BUILD:-$PWD/build}/lib${SAN:+-san}
cat >"$work/guest" <<'END'
set -eu
fail() { echo "FAILED: $*"; exit 1; }
edu=$(iommuctl list --json | jq -r '.devices[] | select(.id == "1234:11e8").device' | tail -n 1)
# says CHECK KIND TEXT: doctor has such a finding, TEXT is in it or its remedy.
says() {
	jq -e --arg c "$1" --arg k "$2" --arg t "$3" \
		'any(.findings[]; .check == $c and .kind == $k and (.text + " " + (.remedy // "") | test($t)))' \
		doctor >/dev/null || fail "no '$1 $2 $3' in: $(cat doctor)"
}
END
run() { # NAME RUN-OPTION...
	local name=$1
	shift
	echo "== $name"
	cat "$work/guest" - >"$work/$name"
	tests/vm/run "$@" --add "$bin/iommuctl" --add "$bin/edu-copy" --add "$(command -v jq)" \
		--add "$work/$name" -- sh "$name"
}

# A conventional PCI bus: what is on it shares a requester ID, and so a group.
run neighbour --iommu vtd --device pcie-pci-bridge,id=bus,addr=10 \
	--device edu,bus=bus,addr=1 --device virtio-rng-pci,bus=bus,addr=2 <<'END'
iommuctl list
neighbour=$(iommuctl list --json | jq -r '.devices[] | select(.driver == "virtio-pci").device' | tail -n 1)
iommuctl bind "$edu"
iommuctl doctor "$edu" && fail "usable beside the kernel's device"
iommuctl doctor "$edu" --json >doctor || :
says neighbours problem "$neighbour .*by virtio-pci.*iommuctl bind $neighbour"
says use problem "would not give it"
edu-copy "$edu" 2>err && fail "bound beside the kernel's device"
grep -q "group is not yours alone" err || fail "$(cat err)"
# What doctor recommends helps.
iommuctl bind "$neighbour"
iommuctl doctor "$edu"
edu-copy "$edu"
iommuctl unbind "$neighbour"
iommuctl unbind "$edu"
END

run unsafe --iommu vtd <<'END'
echo N >/sys/module/iofd_pci/parameters/allow_unsafe_interrupts
iommuctl bind "$edu"
iommuctl doctor "$edu" && fail "usable without interrupt remapping"
iommuctl doctor "$edu" --json >doctor || :
says interrupts problem "allow_unsafe_interrupts"
edu-copy "$edu" 2>err && fail "bound without interrupt remapping"
grep -q "iommuctl doctor" err || fail "$(cat err)"
iommuctl unbind "$edu"
END

run kernel --iommu kernel <<'END'
iommuctl list | grep "driven by the kernel's own driver"
iommuctl doctor "$edu" --json >doctor || :
says iommu ok "kernel's own driver"
iommuctl bind "$edu"
iommuctl doctor "$edu"
iommuctl doctor "$edu" --json >doctor
says interrupts ok "checked"
# The other driver must not come in its way.
modprobe iofd_vtd 2>err && fail "two drivers for one unit"
iommuctl unbind "$edu"
END

run idle --iommu vtd --no-load <<'END'
iommuctl doctor "$edu" && fail "usable without a driver for the IOMMU"
iommuctl doctor "$edu" --json >doctor || :
says iommu problem "nobody drives it.*modprobe iofd_vtd"
says modules problem "iofd .*modprobe iofd$"
says modules problem "iofd_pci"
iommuctl show 2>err && fail "shows something"
grep -q "modprobe iofd" err
iommuctl bind "$edu" 2>err && fail "binds"
grep -q "modprobe iofd_pci" err
# What doctor recommends helps.
modprobe iofd_vtd
modprobe iofd_pci allow_unsafe_interrupts=1
iommuctl bind "$edu"
iommuctl doctor "$edu"
edu-copy "$edu"
iommuctl unbind "$edu"
END

run none --iommu none <<'END'
iommuctl list
iommuctl bind "$edu" || :
iommuctl doctor "$edu" && fail "usable without an IOMMU"
iommuctl doctor "$edu" --json >doctor || :
says iommu problem "firmware announces none"
edu-copy "$edu" 2>err && fail "DMA without an IOMMU"
cat err
END
echo "all well"
