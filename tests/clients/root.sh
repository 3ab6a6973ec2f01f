# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# For the scripts that make archives with a program for the guest. To be sourced,
# after packages.sh.

# root_libraries TO FILE LOADER LIBRARIES: copy what FILE is linked with to TO/lib.
root_libraries() {
	local to=$1 library
	mkdir -p "$to/lib"
	"$3" --library-path "$4" --list "$2" | sed -n 's/.*=> \([^ ]*\).*/\1/p' |
		while read -r library; do cp -L "$library" "$to/lib/"; done
}

# root_program TO PROGRAM LOADER LIBRARIES: copy PROGRAM to TO/program, with the
# loader that belongs to it as TO/ld.so. LIBRARIES are folders with a colon between.
root_program() {
	root_libraries "$@"
	cp -L "$3" "$1/ld.so"
	cp "$2" "$1/program"
}

# root_archive ROOT OUT PREFIX: pack ROOT as OUT, and remove older ones, named PREFIX-*.
root_archive() {
	(cd "$1" && find . -print0 | sort -z | cpio -0 -o -H newc --quiet -R 0:0) >"$2.$$"
	mv "$2.$$" "$2"
	# shellcheck disable=SC2046 # several names, without spaces
	rm -f $(compgen -G "$IOFD_CACHE/$3-*.cpio" | grep -vxF "$2" || true)
	echo "$2"
}
