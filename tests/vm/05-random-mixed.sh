#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# 10,000 random requests against the model: "@", a stripe of odd chunks and a
# default, on block devices of several kinds and a file
. "$(dirname "$0")/lib.sh"

null_blk nullb1 100
mixed=("$block_device")
null_blk nullb2 40
mixed+=("$block_device")
dm leg "0 81920 linear $block_device 0"
mixed[1]=$block_device
random_file "$disk/c" 40
mixed+=("$(losetup --find --show --direct-io=on "$disk/c")")
null_blk nullb3 40 irqmode=2 completion_nsec=100000
mixed+=("$block_device")
random_file "$disk/e" 96
mixed+=("$disk/e")

add mixed "${mixed[@]}" -- -q 2 -d 32
"$BUILD/random-io" mixed "$dev" "$(scaled 10000)" 3 "${mixed[@]}"
del
