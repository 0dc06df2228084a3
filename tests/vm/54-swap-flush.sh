#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A backend that a swap drops is flushed: the next flush of the device promises
# what was written there, too, and would not reach it any more
. "$(dirname "$0")/lib.sh"

flushes()
{
	awk '{ print $16 }' "/sys/block/${cached#/dev/}/stat"
}

random_file "$disk/a" 8
random_file "$disk/c" 8
null_blk nullb1 8 cache_size=4
cached=$block_device
[ "$(cat "/sys/block/nullb1/queue/write_cache")" = "write back" ] || fail "no write cache"

add halves "$disk/a" "$cached" -- --no-discard
dd if=/dev/urandom of="$dev" bs=64K seek=$((6 * 16)) count=1 oflag=direct status=none
before=$(flushes)
"$ublkpol" swap -n "$id" "$policies/halves.bpf.o" -b fd1="$disk/c"
[ "$(flushes)" -gt "$before" ] || fail "the backend was dropped without a flush"
del
