#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Nested translation and PASIDs: the requirements, row by row; with second-level
# tables for roots, and with first-level ones.
#
# kernels: 6.1 6.12
# long: yes
# iommu: hw
set -euo pipefail
make -s -C tests/hw/guest
bin=${BUILD:-$PWD/build}/hw-guest
huge=(--memory 2560 --append "hugepagesz=1G hugepages=1 hugepagesz=2M hugepages=8")
tests/vm/run "${huge[@]}" --add "$bin/hw_nest" -- hw_nest
tests/vm/run "${huge[@]}" --add "$bin/hw_nest" --load-arg iofd_vtd.fs_native=1 -- \
	env FS_NATIVE=1 hw_nest
