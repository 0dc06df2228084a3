#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What a complete program can do about a backend that fails: each pair of engines
. "$(dirname "$0")/lib.sh"

null_blk nullb_under 16 cache_size=1
under=$block_device
dm bad "0 32768 flakey $under 0 0 1 2 error_reads error_writes"
bad=$block_device
truncate -s 16M "$disk/good"
loop=$(losetup --find --show "$disk/good")

for engines in "bio $loop bio" "bio $loop ring" "ring $loop bio" "ring $disk/good ring"; do
	read -r bad_engine good good_engine <<<"$engines"
	echo "bad: $bad_engine, good: $good_engine"
	"$kernel_tests/complete" "$kernel_tests/complete.bpf.o" "$bad" "$bad_engine" \
		"$good" "$good_engine"
done
losetup -d "$loop"
dmsetup remove bad
