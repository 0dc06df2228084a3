#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The program and the backends of a device are replaced under load, 1,000 times;
# and a flush honours what was written before
. "$(dirname "$0")/lib.sh"

swap()
{
	rm -f state
	"$kernel_tests/swap" "$kernel_tests/swap.bpf.o" "$kernel_tests/acknowledged" "$@" state
}

# with a volatile cache, so that flushes mean something
for name in nullb_a nullb_b nullb_c; do
	null_blk $name 8 cache_size=8
done
truncate -s 8M "$disk/a" "$disk/b" "$disk/c"
swap "$(repeated 100 1000)" /dev/nullb_a /dev/nullb_b /dev/nullb_c
swap "$(repeated 100 1000)" "$disk/a" "$disk/b" "$disk/c"
swap "$(repeated 100 1000)" "$disk/a" /dev/nullb_b "$disk/c"
