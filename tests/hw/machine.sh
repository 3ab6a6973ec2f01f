# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# For tests/vm/run --iommu hw, to be sourced: QEMU with the test hardware in it.
# shellcheck disable=SC2034,SC2154 # variables of tests/vm/run, and for it

# hw_start FOLDER MEMORY TOPOLOGY: start the server with its sockets and logs in
# FOLDER. Sets hw_server to its process, hw_qemu to QEMU's program and hw_machine
# to the arguments that belong to it.
hw_start() {
	local folder=$1 memory=$2 topology=$3 line server tries=0
	hw_server="" hw_machine=()
	hw_qemu=$("$top/tests/hw/fetch-qemu") || die "no QEMU for the test hardware"
	make -s -C "$top/tests/hw/server" BUILD="$BUILD" >&2 || die "the test hardware does not build"
	: >"$folder/hw.args"
	server=${HW_SERVER:-$BUILD/hw/iofd-hw}
	ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1} UBSAN_OPTIONS=print_stacktrace=1 \
		setpriv --pdeathsig TERM "$server" "$topology" "$folder" \
		>"$folder/hw.args" 2>"$folder/hw.log" </dev/null &
	hw_server=$!
	until [ "$(tail -n 1 "$folder/hw.args")" = ready ]; do
		if ! kill -0 "$hw_server" 2>/dev/null || [ $((tries++)) -gt 600 ]; then
			die "the test hardware does not start: $(cat "$folder/hw.log")"
		fi
		sleep 0.05
	done
	# All functions share the guest's memory with QEMU.
	hw_machine=(-machine memory-backend=ram -object "memory-backend-memfd,id=ram,size=${memory}M,share=on")
	while read -r line; do
		if [ "$line" != ready ]; then hw_machine+=("$line"); fi
	done <"$folder/hw.args"
}

# hw_end FOLDER: QEMU has ended, and so does the server. Sets hw_problem to what was
# wrong.
hw_end() {
	local status=0 tries=0
	hw_problem=""
	# It goes when its connections do.
	while kill -0 "$hw_server" 2>/dev/null && [ $((tries++)) -lt 100 ]; do sleep 0.05; done
	if kill -0 "$hw_server" 2>/dev/null; then
		hw_problem="the test hardware did not end by itself; "
		kill -KILL "$hw_server"
	fi
	wait "$hw_server" || status=$?
	hw_server=""
	if [ $status != 0 ] || [ -s "$1/hw.log" ]; then
		hw_problem+="the test hardware ended with status $status: $(head -n 60 "$1/hw.log")"
	fi
}
