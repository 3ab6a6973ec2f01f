#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Parts of a device given to users, by PASIDs that they never learn, while the
# kernel's driver works with the rest (requirement A23, type 3).
#
# kernels: 6.1 6.12
# iommu: hw
set -euo pipefail
make -s -C tests/hw/guest
make -s -C lib all >&2
module=$(tests/hw/subdev/build)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/guest" <<'END'
insmod /add/iofd_hwq.ko || exit 1
iommuctl monitor --json --timeout 200 >events 2>listening &
while ! grep -q listening listening; do sleep 0.1; done
hw_subdev
status=$?
rmmod iofd_hwq || status=1
# Named in every event of theirs; the PASID is in none.
for event in bind attach fault detach unbind; do
	grep "\"event\": *\"$event\"" events | grep -q '"subdevice": *"q1"' ||
		{ echo "FAILED: no event $event of q1"; status=1; }
done
if grep '"subdevice"' events | grep '"pasid"'; then echo "FAILED: a PASID is told"; status=1; fi
exit $status
END
tests/vm/run --log "${IOFD_VM_LOG:-/dev/null}" --add "$module" \
	--add "${BUILD:-$PWD/build}/hw-guest/hw_subdev" --add "${BUILD:-$PWD/build}/lib/iommuctl" \
	--add "$work/guest" -- sh guest
