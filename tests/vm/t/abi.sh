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
mappings=100000 slow=()
case ${KERNEL:-6.1}-${IOMMU:-vtd} in
6.1-vtd) mappings=1000000 ;;
debug-*) mappings=20000 slow=(SLOW=1) ;;
esac
# shellcheck disable=SC2016 # the guest's variables
tests/vm/run --device edu --append slab_nomerge --add "$bin/abi_commands" \
	--add "$bin/abi_map" --add "$bin/abi_limits" -- env MAPPINGS=$mappings "${slow[@]}" sh -c '
	failed=0
	for program in abi_commands abi_map abi_limits; do $program || failed=1; done
	exit $failed'

# With memory failing. Not in ACPI's interpreter, which does not survive it; and
# the kernel's VT-d driver warns of itself when it cannot attach or detach.
if [ "${KERNEL:-6.1}" = debug ]; then
	commands=
	if [ "${IOMMU:-vtd}" = kernel ]; then commands=MAP; fi
	tests/vm/run --append "slab_nomerge pci=noacpi" --add "$bin/abi_nth" -- \
		env COMMANDS=$commands abi_nth
fi
