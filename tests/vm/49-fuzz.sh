#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# SQEs with every field wrong in every way: the helper says what the ABI says it
# says, nothing hangs, and only valid plans touch the backends
. "$(dirname "$0")/lib.sh"

truncate -s 2M "$disk/a" "$disk/b" "$disk/c" "$disk/d" "$disk/e"
# null_blk has no write-zeroes
loop_a=$(losetup --find --show "$disk/a")
loop_c=$(losetup --find --show "$disk/c")
loop_d=$(losetup --find --show "$disk/d")
dm bad "0 4096 flakey $(losetup --find --show "$disk/e") 0 0 1 2 error_reads error_writes"
# a failure can be had again by its seed
seed=$(repeated 1 "$SRANDOM")
echo "seed $seed"
for program in route complete; do
	"$kernel_tests/fuzz" "$kernel_tests/fuzz.bpf.o" "$loop_a" "$disk/b" "$loop_c" "$loop_d" \
		"$block_device" "$program" "$(repeated 50000 1000000)" "$seed"
done
