#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Tables that point anywhere, by hardware and by composition; tables of a hostile
# user, who changes them while they are walked.
#
# kernels: 6.1 6.12
# iommu: hw
set -euo pipefail
make -s -C tests/hw/guest
tests/vm/run --add "${BUILD:-$PWD/build}/hw-guest/hw_hostile" -- env SEED="${SEED:-1}" hw_hostile
