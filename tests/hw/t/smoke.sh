#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Our driver on the test hardware: several units, DMA, faults, ATS, both modes.
#
# kernels: 6.1 6.12
# iommu: hw
set -euo pipefail
make -s -C tests/hw/guest
bin=${BUILD:-$PWD/build}/hw-guest
tests/vm/run --log "${IOFD_VM_LOG:-/dev/null}" --add "$bin/hw_smoke" -- hw_smoke
tests/vm/run --legacy --log "${IOFD_VM_LOG:-/dev/null}" --add "$bin/hw_smoke" -- env LEGACY=1 hw_smoke
