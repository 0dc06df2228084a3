#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A leg that a swap brings into a mirror is written, and not read before "insync": not
# in turn, not when the other one cannot read, not after other swaps or by a new daemon;
# and it is no help when the other one fails a write.
. "$(dirname "$0")/lib.sh"

good="0 16384 linear /dev/nullb1 0"
no_reads="0 16384 flakey /dev/nullb1 0 0 1 1 error_reads"
no_writes="0 16384 flakey /dev/nullb1 0 0 1 1 error_writes"

# check LEGS WHEN: only LEGS are in sync and read: others hold other bytes
check()
{
	[ "$(legs in_sync)" = "$1" ] || fail "in sync $2: '$(legs in_sync)'"
	dd if="$dev" of=read bs=64K iflag=direct status=none || fail "a read failed $2"
	cmp read expected || fail "wrong bytes $2"
}

# write_some MIB: 64 KiB there; a failure is the caller's
write_some()
{
	head -c 64K /dev/urandom >new
	dd if=new of="$dev" bs=64K count=1 seek=$(($1 * 16)) oflag=direct conv=notrunc status=none \
		2>/dev/null || return 1
	dd if=new of=expected bs=64K count=1 seek=$(($1 * 16)) conv=notrunc status=none
}

# swap_to POLICY [OPTION...]: what it says goes to "errors"
swap_to()
{
	"$ublkpol" swap -n "$id" "$policies/$1.bpf.o" "${@:2}" 2>errors || fail "$(cat errors)"
}

null_blk nullb1 8
random_file expected 8
dd if=expected of="$block_device" bs=1M oflag=direct status=none
dm old "$good"
old=$block_device
random_file "$disk/new" 8
cp "$disk/new" garbage

add whole "$old" -- --recovery wait
write_some 0
swap_to mirror-turns -b fd1="$disk/new"
grep -q "fd1 is new in a mirror.*ublkpol insync -n $id fd1" errors ||
	fail "no warning: $(cat errors)"
"$ublkpol" stats -n "$id" | grep -q 'fd1: new, not read until it is in sync' ||
	fail "$("$ublkpol" stats -n "$id")"
check fd0 "after the swap"
write_some 1
cmp -n 65536 "$disk/new" new 1M 0 || fail "the new leg is not written"
cmp -n 1048576 "$disk/new" garbage || fail "the new leg has more than what was written"
check fd0 "after a write"

# what it misses does not come from it
dm_becomes old "$no_reads"
! dd if="$dev" of=/dev/null bs=64K count=1 iflag=direct status=none 2>/dev/null ||
	fail "a read that the old leg failed came from the new one"
dm_becomes old "$no_writes"
! write_some 2 || fail "a write that only the new leg has succeeded"
dm_becomes old "$good"
[ -z "$(legs failed)" ] || fail "failed legs: $(legs failed)"
write_some 2 || fail "a write failed"
check fd0 "after errors of the old leg"

# it stays so
"$ublkpol" set -n "$id" small=64KiB 2>errors
[ ! -s errors ] || fail "a warning of set: $(cat errors)"
check fd0 "after a set"
swap_to mirror-b
grep -q 'fd1 is new in a mirror' errors || fail "no warning: $(cat errors)"
check fd0 "after a swap to other slots"
swap_to mirror-turns
kill_daemon waiting
recover
check fd0 "by a new daemon"
refused 4 'no good leg.*not in sync: fd0 fd1' "$ublkpol" swap -n "$id" \
	"$policies/mirror-turns.bpf.o" -b fd0=missing
check fd0 "after a swap that was refused"

refused 2 'which device' "$ublkpol" insync fd1
refused 2 'which backends' "$ublkpol" insync -n "$id"
refused 5 'no policy device' "$ublkpol" insync -n 99 fd1
refused 4 "no backend 'fd2'" "$ublkpol" insync -n "$id" fd1 fd2
check fd0 "after mistakes"
"$ublkpol" insync -n "$id" fd0
check fd0 "after an insync of the old leg"

# copied: nothing is written meanwhile
dd if="$old" of="$disk/new" bs=1M iflag=direct conv=notrunc status=none
[ "$("$ublkpol" insync -n "$id" fd0 fd1 --json | jq .id)" = "$id" ] || fail "no JSON"
check "fd0 fd1" "when it is a copy"
[ "$(stat_of '.backends[1].read.requests')" -gt 0 ] || fail "the new leg is not read"
swap_to mirror-b
[ ! -s errors ] || fail "a warning about a copy: $(cat errors)"
swap_to mirror-turns
check "fd0 fd1" "after swaps"

# now it stands in for the other one
dm_becomes old "$no_writes"
write_some 3 || fail "a write failed that the new leg has"
dm_becomes old "$good"
check fd1 "after a write that the old leg missed"
refused 4 'fd0 has missed writes' "$ublkpol" insync -n "$id" fd0

# a new leg beside one that is stale: there is nothing better
cp expected "$disk/third"
swap_to mirror-turns -b fd1="$disk/third"
grep -q 'fd1 is new in a mirror that has no good leg' errors || fail "no warning: $(cat errors)"
check fd1 "with a new leg beside a stale one"
swap_to whole -b fd0="$disk/third"
refused 4 'no leg of a mirror' "$ublkpol" insync -n "$id" fd0
del
dmsetup remove old
