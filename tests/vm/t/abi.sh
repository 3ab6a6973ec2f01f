#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Every native command, rightly and wrongly called; mapping; limits.
#
# kernels: 6.1 6.12
# iommu: vtd kernel
set -euo pipefail
make -s -C tests/vm
bin=${BUILD:-$PWD/build}/vm
# A million mappings, where that is not too slow, once.
mappings=100000
if [ "${KERNEL:-6.1}-${IOMMU:-vtd}" = 6.1-vtd ]; then mappings=1000000; fi
# shellcheck disable=SC2016 # the guest's variables
exec tests/vm/run --device edu --append slab_nomerge --add "$bin/abi_commands" \
	--add "$bin/abi_map" --add "$bin/abi_limits" -- env MAPPINGS=$mappings sh -c '
	failed=0
	for program in abi_commands abi_map abi_limits; do $program || failed=1; done
	exit $failed'
