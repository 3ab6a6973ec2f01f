#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Races, ends in the middle, and the modules coming and going.
#
# kernels: 6.1 6.12
# iommu: vtd kernel
set -euo pipefail
make -s -C tests/vm
bin=${BUILD:-$PWD/build}/vm
rounds=10 steps=2500
if [ "${KERNEL:-6.1}" = debug ]; then rounds=3 steps=400; fi
exec tests/vm/run --device edu --append slab_nomerge --add "$bin/life_race" \
	--add tests/vm/life_reload -- env ROUNDS=$rounds STEPS=$steps life_reload
