#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# libiommu with a real device: every call that a driver makes, and what it says
# when it fails.
#
# kernels: 6.1 6.12
# iommu: vtd kernel
set -euo pipefail
make -s -C lib all live >&2	# SAN=1: with sanitizers
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/guest" <<'END'
set -eu
edu=$(iommuctl list | awk '$2 == "1234:11e8" { print $1 }')
iommuctl bind "$edu"
live_edu "$edu"
live_edu "${edu#0000:}"
edu-copy "$edu"
iommuctl unbind "$edu"
END
bin=${BUILD:-$PWD/build}/lib${SAN:+-san}
tests/vm/run --add "$bin/iommuctl" --add "$bin/live_edu" --add "$bin/edu-copy" \
	--add "$work/guest" -- sh guest
