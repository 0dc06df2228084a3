#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A leg of a mirror with degrade that cannot flush has failed, and the others do: no
# flush of the device fails, neither then, nor when the policy is swapped, nor when
# the leg is replaced. A rule that only reads has no say in that.
. "$(dirname "$0")/lib.sh"

flush()
{
	dd if=/dev/null of="$dev" conv=fsync,notrunc status=none 2>flush.err ||
		fail "a flush $1 fails: $(cat flush.err)"
}

write_new()
{
	head -c 64K /dev/urandom >new
	dd if=new of="$dev" bs=64K count=1 oflag=direct conv=notrunc status=none
}

flushes()
{
	awk '{ print $16 }' "/sys/block/${cached#/dev/}/stat"
}

random_file "$disk/a" 8
cp "$disk/a" "$disk/c"
null_blk nullb1 8 cache_size=4
cached=$block_device
sectors=$(blockdev --getsz "$cached")
good="0 $sectors linear $cached 0"
no_writes="0 $sectors flakey $cached 0 0 3600 1 error_writes"
dm leg "$good"
leg=$block_device

for policy in mirror-a mirror-reads; do
	dd if="$disk/a" of="$leg" bs=1M oflag=direct status=none
	add $policy "$disk/a" "$leg" -- --no-discard
	write_new
	before=$(flushes)
	flush "of good legs"
	[ "$(flushes)" -gt "$before" ] || fail "$policy: a leg was not flushed"
	[ -z "$(legs failed)" ] || fail "$policy: a leg has failed: $(legs failed)"

	dm_becomes leg "$no_writes"
	flush "that fails on a leg"
	[ "$(legs failed)" = fd1 ] || fail "$policy: failed legs: '$(legs failed)'"
	flush "without the leg"
	write_new
	"$ublkpol" swap -n "$id" "$policies/$policy.bpf.o"
	flush "after a swap"
	cp "$disk/a" "$disk/c"
	"$ublkpol" swap -n "$id" "$policies/$policy.bpf.o" -b fd1="$disk/c" 2>errors
	grep -q 'backend fd1 is new in a mirror' errors || fail "no warning: $(cat errors)"
	flush "after the leg was replaced"
	[ -z "$(legs failed)" ] || fail "$policy: the new leg has failed: $(legs failed)"
	write_new
	del
	cmp "$disk/a" "$disk/c"
	dm_becomes leg "$good"
done

# What is written to it by itself as well has to be flushed
dd if="$disk/a" of="$leg" bs=1M oflag=direct status=none
add mirror-and-leg "$disk/a" "$leg" -- --no-discard
dm_becomes leg "$no_writes"
write_new
[ "$(legs failed)" = fd1 ] || fail "failed legs: '$(legs failed)'"
"$ublkpol" swap -n "$id" "$policies/mirror-and-leg.bpf.o" 2>errors
grep -q 'backend fd1 has missed writes' errors || fail "no warning: $(cat errors)"
! (flush "of a backend" 2>/dev/null) || fail "what a backend could not flush is durable"
del
dmsetup remove leg
