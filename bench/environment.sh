# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What a measurement was made with, for its JSON

bench_dir=$(dirname "$(realpath "${BASH_SOURCE[0]}")")

hash()
{
	cat "$@" | sha256sum | cut -c 1-16
}

# Of the compiler of the policies' programs
clang_version()
{
	"${CLANG:-clang-19}" --version | sed -n '1s/.*version \([0-9.]*\).*/\1/p'
}

# The commit, and whether there is more than it has; tables that were made before this one
# are not
source_version()
{
	local commit

	commit=$(git -C "$bench_dir" rev-parse --short HEAD 2>/dev/null) || return 0
	git -C "$bench_dir" diff --quiet HEAD -- .. ':(exclude)results' || commit+=-dirty
	echo "$commit"
}

# environment KERNEL: an object; KERNEL is where make has built one
environment()
{
	jq -n --arg date "$(date -u +%FT%TZ)" \
		--arg source "$(source_version)" \
		--arg config "$(grep '^CONFIG_' "$1/config" | hash)" \
		--arg image "$(hash "$1/bzImage")" \
		--arg series "$(hash "$bench_dir"/../kernel/patches/*/*.patch)" \
		--arg gcc "$(gcc -dumpfullversion)" --arg clang "$(clang_version)" \
		--arg qemu "$(qemu-system-x86_64 --version | sed -n '1s/.*version //p')" \
		--arg cpu "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)" \
		'$ARGS.named'
}
