# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Debian packages for tests, taken into a cache without touching the machine.
# To be sourced. The mirror is the one the machine itself uses: its address is
# asked of apt, another suite's sources are written to a file of our own, and
# apt is pointed at folders of our own.

IOFD_CACHE=${IOFD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/iofd}
apt_state=$IOFD_CACHE/apt.$$
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

say() { echo "${0##*/}: $*" >&2; }
die() { say "$@"; exit 1; }

# lock NAME: one process at a time makes a thing in the cache.
lock() {
	mkdir -p "$IOFD_CACHE"
	exec {lock_fd}>"$IOFD_CACHE/$1.lock"
	if ! flock -n "$lock_fd"; then
		say "another process is making $1, waiting for it"
		flock "$lock_fd"
	fi
}

unlock() { exec {lock_fd}>&-; }

# own_sources: "URI SUITE COMPONENT" of each Debian source of this machine.
own_sources() {
	# shellcheck disable=SC2016 # the $(...) are apt's
	apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' 'Origin: Debian' 2>/dev/null
}

# suite_apt SUITE COMMAND...: run apt-get or apt-cache on SUITE alone ("own":
# the machine's own Debian suites), with the lists kept in the cache.
suite_apt() {
	local suite=$1 command=$2 dir
	shift 2
	dir=$apt_state/$suite
	"$command" -q \
		-o Dir::Etc::sourcelist="$dir/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o Dir::State::Lists="$dir/lists" -o Dir::Cache="$dir" \
		-o APT::Sandbox::User=root "$@"
}

# suite_open SUITE: fetch the package lists of SUITE; false if the mirror has no
# such suite. SUITE+OTHER is both together.
suite_open() {
	local suite=$1 dir=$apt_state/$1 codename sources
	codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
	sources=$(own_sources | sort -u)
	[ -n "$sources" ] || die "apt knows no Debian source: run 'apt-get update' as root once"
	mkdir -p "$dir/lists/partial" "$dir/archives/partial"
	if [ "$suite" != own ]; then
		sources=$(awk -v own="$codename" -v others="$suite" \
			'$2 == own && $3 == "main" {
				n = split(others, other, "+")
				for (i = 1; i <= n; i++) print $1, other[i], $3
			}' <<<"$sources")
	fi
	sed "s|^|deb [signed-by=$keyring] |" <<<"$sources" >"$dir/sources.list"
	say "reading the package lists of suite '$suite' (some seconds)"
	suite_apt "$suite" apt-get update >"$dir/update.log" 2>&1 &&
		! grep -q '^\(E\|Err\)' "$dir/update.log"
}

# suite_close: forget the lists; they are a process's own.
suite_close() { rm -rf "$apt_state"; }

# suite_unpack SUITE FOLDER PACKAGE...: download and extract, no installation.
suite_unpack() {
	local suite=$1 folder=$2 deb
	shift 2
	mkdir -p "$folder/debs"
	say "downloading $*"
	(cd "$folder/debs" && suite_apt "$suite" apt-get download "$@" >download.log 2>&1) ||
		die "download failed, see $folder/debs/download.log"
	for deb in "$folder"/debs/*.deb; do
		dpkg -x "$deb" "$folder"
	done
	rm -r "$folder/debs"
}

# suite_closure SUITE PACKAGE...: NAME=VERSION of the packages and all that they need,
# as if nothing were installed. The suite is the last of SUITE+OTHER; what it lacks
# comes from those before it.
suite_closure() {
	local suite=$1 target=()
	shift
	[ "$suite" = own ] || target=(-t "${suite##*+}")
	suite_apt "$suite" apt-get --simulate --no-install-recommends \
		-o Dir::State::status=/dev/null "${target[@]}" install "$@" |
		awk '$1 == "Inst" { gsub(/[(]/, "", $3); print $2 "=" $3 }'
}

# suite_depends SUITE PACKAGE PATTERN: the dependencies of PACKAGE that match.
suite_depends() {
	suite_apt "$1" apt-cache depends --important "$2" 2>/dev/null |
		sed -n 's/^ *|\?Depends: //p' | grep -E "$3" || true
}
