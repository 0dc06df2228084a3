#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A backend that a swap drops is flushed: the next flush of the device promises
# what was written there, too, and would not reach it any more. It waits for that,
# and fails if that fails.
. "$(dirname "$0")/lib.sh"

# flushes DISK
flushes()
{
	awk '{ print $16 }' "/sys/block/${1#/dev/}/stat"
}

random_file "$disk/a" 8
random_file "$disk/c" 8
random_file "$disk/d" 8
null_blk nullb1 8 cache_size=4
cached=$block_device
[ "$(cat "/sys/block/nullb1/queue/write_cache")" = "write back" ] || fail "no write cache"

add halves "$disk/a" "$cached" -- --no-discard
dd if=/dev/urandom of="$dev" bs=64K seek=$((6 * 16)) count=1 oflag=direct status=none
before=$(flushes "$cached")
"$ublkpol" swap -n "$id" "$policies/halves.bpf.o" -b fd1="$disk/c"
[ "$(flushes "$cached")" -gt "$before" ] || fail "the backend was dropped without a flush"

flush()
{
	dd if=/dev/null of="$dev" conv=fsync,notrunc status=none 2>flush.err
}

write_to_fd1()
{
	dd if=/dev/urandom of="$dev" bs=64K seek=$((6 * 16)) count=1 oflag=direct status=none
}

flush || fail "a flush fails: $(cat flush.err)"
del

# A file that is dropped, on a disk of its own; and one that both policies have: a flush of
# the device reaches what was written before the swap. There is no journal to flush it.
null_blk nullb2 64 cache_size=4
mkfs.ext4 -q -O ^has_journal "$block_device"
mkdir mount
mount "$block_device" mount
random_file mount/b 8
sync -f mount
add halves "$disk/a" "$PWD/mount/b"
write_to_fd1
before=$(flushes "$block_device")
"$ublkpol" swap -n "$id" "$policies/halves.bpf.o" -b fd1="$disk/c"
[ "$(flushes "$block_device")" -gt "$before" ] || fail "the file was dropped without a flush"
"$ublkpol" swap -n "$id" "$policies/halves.bpf.o" -b fd1="$PWD/mount/b"
write_to_fd1
"$ublkpol" swap -n "$id" "$policies/halves.bpf.o"
before=$(flushes "$block_device")
flush || fail "a flush fails: $(cat flush.err)"
[ "$(flushes "$block_device")" -gt "$before" ] ||
	fail "a flush does not reach the file that was written before the swap"
del
umount mount

sectors=$(blockdev --getsz "$cached")
dm leg "0 $sectors linear $cached 0"
leg=$block_device

# The flush of the dropped backend does not end: a flush of the device has to wait, and
# nothing else
add halves "$disk/a" "$leg" -- --no-discard
write_to_fd1
dmsetup suspend leg
"$ublkpol" swap -n "$id" "$policies/halves.bpf.o" -b fd0="$disk/d" -b fd1="$disk/c" &
swap=$!
# a flush that comes before the new policy would be one of the old, and wait anyway
reads_d()
{
	dd if="$dev" bs=64K count=1 iflag=direct status=none | cmp -s -n 65536 - "$disk/d"
}
within 20 reads_d || fail "reads wait, too, or the new policy is not there"
(flush && touch flushed) &
flush=$!
sleep 2
[ ! -e flushed ] || fail "a flush has overtaken that of the dropped backend"
kill -0 "$swap" || fail "the swap has not waited for the dropped backend"
reads_d || fail "the new policy has gone"
dmsetup resume leg
wait "$swap"
wait "$flush"
[ -e flushed ] || fail "the flush has failed: $(cat flush.err)"
del

# It fails: so does one flush of the device
add halves "$disk/a" "$leg" -- --no-discard
write_to_fd1
dm_becomes leg "0 $sectors flakey $cached 0 0 3600 1 error_writes"
"$ublkpol" swap -n "$id" "$policies/halves.bpf.o" -b fd1="$disk/c"
! flush || fail "what the dropped backend has lost is said to be durable"
grep -q 'Input/output error' flush.err || fail "the flush says $(cat flush.err)"
flush || fail "a failed flush fails more than once: $(cat flush.err)"
del
dmsetup remove leg
