#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A file grows while it is read, right where it ends: with direct I/O, and on tmpfs,
# through the page cache
. "$(dirname "$0")/lib.sh"

for file in "$disk/file" file; do
	truncate -s 64M "$file"
	add whole "$file"
	"$kernel_tests/growing" "$dev" "$file" "$(scaled 16)"
	del
done
