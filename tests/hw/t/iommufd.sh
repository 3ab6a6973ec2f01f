#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Upstream's iommufd ABI on hardware that nests.
#
# kernels: 6.1 6.12
# iommu: hw
set -euo pipefail
make -s -C tests/hw/guest
tests/vm/run --add "${BUILD:-$PWD/build}/hw-guest/hw_iommufd" -- hw_iommufd
