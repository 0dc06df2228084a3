#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A hand-written program that uses every part of the kernel ABI, on both engines:
# files and block devices, and block devices kept on the ring
. "$(dirname "$0")/lib.sh"

null_blk nullb_under 16 cache_size=1
dm bad "0 32768 flakey $block_device 0 0 1 2 error_reads error_writes"
bad=$block_device

# on_loops [ring]: block devices that have not been written
on_loops()
{
	local loops=() name

	for name in c d; do
		rm -f "$disk/$name"
		truncate -s 16M "$disk/$name"
		loops+=("$(losetup --find --show "$disk/$name")")
	done
	"$kernel_tests/by_hand" "$kernel_tests/by_hand.bpf.o" "${loops[@]}" "$bad" "$@"
	losetup -d "${loops[@]}"
}

truncate -s 16M "$disk/a" "$disk/b"
"$kernel_tests/by_hand" "$kernel_tests/by_hand.bpf.o" "$disk/a" "$disk/b" "$bad"
on_loops
on_loops ring
dmsetup remove bad
