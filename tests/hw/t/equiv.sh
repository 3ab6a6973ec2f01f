#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Nesting by hardware and by composition come to the same; hostile tables.
#
# kernels: 6.1 6.12
# iommu: hw
set -euo pipefail
make -s -C tests/hw/guest
tests/vm/run --add "${BUILD:-$PWD/build}/hw-guest/hw_equiv" -- env SEED="${SEED:-1}" hw_equiv
