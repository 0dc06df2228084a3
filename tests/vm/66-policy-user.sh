#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# policies/rare-to-user.ublkpol: the first megabyte is a program's, the rest never
# leaves the kernel
. "$(dirname "$0")/lib.sh"

redirected()
{
	stat_of '[.queues[].redirected] | add'
}

random_file "$disk/disk" 16
cp "$disk/disk" before
added "$("$ublkpol" add "$BUILD/small/rare-to-user.bpf.o" --backend disk="$disk/disk" \
	--handler "$BUILD/policies/handlers/memory.so" --handler-argument $((1 << 20)))"
head -c 1M /dev/urandom >table
dd if=table of="$dev" bs=64K oflag=direct status=none
dd if="$dev" of=read bs=64K count=16 iflag=direct status=none
cmp table read
cmp "$disk/disk" before

count=$(redirected)
[ "$count" -ge 32 ] || fail "only $count requests went to the program"
cmp -n $((15 << 20)) -i 1M "$dev" before
[ "$(redirected)" -eq "$count" ] || fail "requests of the disk went to the program"
del
