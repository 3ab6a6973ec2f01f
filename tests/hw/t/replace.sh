#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Page tables are replaced under DMA that does not stop. On a kernel with checkers,
# where a command takes longer, less often.
#
# kernels: 6.1 6.12
# long: yes
# iommu: hw
set -euo pipefail
make -s -C tests/hw/guest
rounds=10000
if [ "${KERNEL:-}" = debug ]; then rounds=300; fi
exec tests/vm/run --log "${IOFD_VM_LOG:-/dev/null}" \
	--add "${BUILD:-$PWD/build}/hw-guest/hw_replace" -- env ROUNDS=$rounds hw_replace
