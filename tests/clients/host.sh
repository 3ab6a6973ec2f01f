# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the tests of this folder share on the host. To be sourced, in the top of the
# tree.
set -euo pipefail
kernel=${KERNEL:-6.1} build=${BUILD:-$PWD/build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The guest of the guest: the same stock kernel, and a root of its own.
l2_make() {
	local release="" modules="" vmlinuz="" program cc
	eval "$(tests/kernel "$kernel")"
	mkdir -p "$work/l2/bin" "$work/add"
	install -m 755 tests/clients/l2-init "$work/l2/init"
	cc=(gcc -O2 -Wall -Wextra -static -D_GNU_SOURCE)
	for program in l2_edu l2_hw; do
		"${cc[@]}" -o "$work/l2/bin/$program" "tests/clients/$program.c"
	done
	"${cc[@]}" -o "$work/qmp" tests/clients/qmp.c
	EXTRA=$work/l2 tests/vm/initramfs "$release" "$modules" "$work/l2-initrd"
	tests/clients/vmlinux "$vmlinuz" "$work/l2-vmlinux"
}

# on KERNEL WORD...: the words, if it runs on that kernel or all are to run.
on() {
	if [ "$1" = "$kernel" ] || [ -n "${CLIENTS_ALL:-}" ]; then shift; echo "$*"; fi
}

# qemus QEMU...: those to run; QEMUS="own backports newest" picks some of them.
qemus() { # QEMU...
	local name
	# shellcheck disable=SC2048 # each may be several
	for name in $*; do
		if [[ " ${QEMUS:-$*} " = *" $name "* ]]; then echo -n "$name "; fi
	done
}

# clients "QEMU..." RUN-OPTION...: run the script on standard input in a guest that
# has these QEMUs, see tests/clients/qemu-root.
clients() {
	local qemus=$1 roots=() name
	shift
	[ -n "$qemus" ] || exit 77
	for name in $qemus; do roots+=(--root "$(tests/clients/qemu-root "$name")"); done
	cat >"$work/script"
	l2_make
	make -s -C lib >&2
	# Not an older QEMU: leaving a guest it can lose an interrupt of the processor, of
	# the timer for example, which then stands still.
	tests/vm/run --kvm "$(tests/hw/fetch-qemu)" --memory 3072 --timeout "${CLIENTS_TIMEOUT:-1800}" "${roots[@]}" "$@" \
		--add tests/clients/guest --add "$work/l2-vmlinux" --add "$work/l2-initrd" \
		--add "$build/lib/iommuctl" --add "$work/qmp" --add "$work/script" \
		-- sh -c "qemus='$qemus'; . ./guest; modprobe kvm-amd; . ./script; exit \$failed"
}
