#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Once a command has taken memory away, no DMA reaches it any more.
#
# kernels: 6.1 6.12
# iommu: hw
set -euo pipefail
make -s -C tests/hw/guest
exec tests/vm/run --log "${IOFD_VM_LOG:-/dev/null}" \
	--add "${BUILD:-$PWD/build}/hw-guest/hw_race" -- hw_race
