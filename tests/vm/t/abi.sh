#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Every native command, rightly and wrongly called.
#
# kernels: 6.1 6.12
# iommu: vtd kernel
set -euo pipefail
make -s -C tests/vm
bin=${BUILD:-$PWD/build}/vm
exec tests/vm/run --device edu --append slab_nomerge --add "$bin/abi_commands" -- abi_commands
