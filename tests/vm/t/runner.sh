#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# tests/vm/run itself: it passes a status on, and lets no complaint of the
# guest's kernel go by.
#
# kernels: 6.1 6.12
# debug: no
set -uo pipefail

expect() { # STATUS COMMAND...
	local want=$1 status=0
	shift
	tests/vm/run --iommu none -- "$@" >/dev/null 2>&1 || status=$?
	if [ $status != "$want" ]; then
		echo "'$*' ended with $status instead of $want"
		exit 1
	fi
	echo "'$*' ends with $status"
}

expect 0 true
expect 1 false
expect 70 sh -c 'echo "WARNING: CPU: 0 PID: 1 at nowhere" >/dev/kmsg'
