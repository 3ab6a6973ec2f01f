#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A process as a VMM: all kinds of address spaces at once, killed in every state;
# many PASIDs; DMA that is running while it is taken away.
#
# kernels: 6.1 6.12
# long: yes
# iommu: hw
set -euo pipefail
make -s -C tests/hw/guest
tests/vm/run --add "${BUILD:-$PWD/build}/hw-guest/hw_vmm" -- hw_vmm
