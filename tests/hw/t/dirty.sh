#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What devices have written is known, and none of it is lost.
#
# kernels: 6.1 6.12
# iommu: hw
set -euo pipefail
make -s -C tests/hw/guest
exec tests/vm/run --log "${IOFD_VM_LOG:-/dev/null}" \
	--add "${BUILD:-$PWD/build}/hw-guest/hw_dirty" -- hw_dirty
