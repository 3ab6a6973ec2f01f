#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Devices that do what they must not do no harm.
#
# kernels: 6.1 6.12
# iommu: hw
set -euo pipefail
make -s -C tests/hw/guest
exec tests/vm/run --log "${IOFD_VM_LOG:-/dev/null}" \
	--add "${BUILD:-$PWD/build}/hw-guest/hw_bad" -- hw_bad
