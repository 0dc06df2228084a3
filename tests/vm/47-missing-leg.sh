#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A mirror without one of its legs: from the start, after the daemon and a disk have
# died together, after a leg has failed and is gone. Only what nothing needs may be
# missing; a copy gets back in with a swap. A backend that has moved is found again.
. "$(dirname "$0")/lib.sh"

path_of()
{
	"$ublkpol" list --json | jq -r ".[] | select(.id == $id) | .backends[$1].path"
}

# check FAILED WHEN: reads the whole device: a stale leg would give other bytes, or errors
check()
{
	[ "$(legs failed)" = "$1" ] || fail "failed legs $2: '$(legs failed)'"
	dd if="$dev" of=read bs=1M iflag=direct status=none || fail "a read failed $2"
	cmp read expected || fail "wrong bytes $2"
}

# write_some MIB: 64 KiB there, flushed
write_some()
{
	head -c 64K /dev/urandom >new
	dd if=new of="$dev" bs=64K count=1 seek=$(($1 * 16)) oflag=direct conv=notrunc,fsync \
		status=none || fail "a write failed"
	dd if=new of=expected bs=64K count=1 seek=$(($1 * 16)) conv=notrunc status=none
}

# what the word is not: a path
random_file missing 8

random_file expected 8
cp expected "$disk/first"

# from the start
add mirror-param "$disk/first" missing -- --recovery wait
check fd1 "at first"
[ "$(path_of 1)" = missing ] || fail "fd1 is '$(path_of 1)'"
"$ublkpol" show -n "$id" | grep -qx ' *fd1 = missing' || fail "$("$ublkpol" show -n "$id")"
write_some 1
check fd1 "after a write"
blkdiscard -z -o 2M -l 1M "$dev"
dd if=/dev/zero of=expected bs=1M seek=2 count=1 conv=notrunc status=none
check fd1 "after zeroes"
"$ublkpol" set -n "$id" small=8KiB
check fd1 "after a set"
kill_daemon waiting
recover
write_some 3
check fd1 "by a new daemon"

# a copy comes
cp expected "$disk/second"
"$ublkpol" swap -n "$id" "$policies/mirror-param.bpf.o" -b fd1="$disk/second" 2>errors
grep -q 'fd1 is new in a mirror' errors || fail "no warning: $(cat errors)"
write_some 4
"$ublkpol" insync -n "$id" fd1
check "" "after a swap to a copy"
cmp "$disk/first" "$disk/second" || fail "the new leg is no copy"

# it vanishes with the daemon: that is for the user to say
kill_daemon waiting
mv "$disk/second" "$disk/moved"
refused 4 'fd1.*No such file.*--backend fd1=missing' "$ublkpol" recover -n "$id"
state_is waiting || fail "a failed recovery changed the device: $("$ublkpol" list)"
refused 4 'all backends are missing' "$ublkpol" recover -n "$id" -b fd0=missing -b fd1=missing
state_is waiting || fail "a failed recovery changed the device: $("$ublkpol" list)"
refused 2 'takes one device' "$ublkpol" recover -a -b fd1=missing
refused 4 "no backend 'fd2'" "$ublkpol" recover -n "$id" -b fd2=missing
recover -b fd1="$disk/moved"
check "" "on a file that has moved"
kill_daemon waiting
recover -b fd1=missing
write_some 5
check fd1 "without a leg that has vanished"
refused 4 'all backends are missing' "$ublkpol" swap -n "$id" \
	"$policies/mirror-param.bpf.o" -b fd0=missing
refused 4 'only a leg' "$ublkpol" swap -n "$id" "$policies/halves.bpf.o"
refused 4 'only a leg' "$ublkpol" swap -n "$id" "$policies/mirror-and-leg.bpf.o"
check fd1 "after swaps that were refused"
del
refused 4 'only a leg' "$ublkpol" add "$policies/halves.bpf.o" -b fd0="$disk/first" -b fd1=missing
refused 4 'all backends are missing' "$ublkpol" add "$policies/mirror-param.bpf.o" \
	-b fd0=missing -b fd1=missing
[ -z "$("$ublkpol" list)" ] || fail "left behind: $("$ublkpol" list)"

# the only leg that was good, with another file: the user has said so
cp expected "$disk/first"
add mirror-param "$disk/first" missing -- --recovery wait
kill_daemon waiting
cp expected "$disk/other"
recover -b fd0="$disk/other"
grep -q 'fd0 is new in a mirror that has no good leg' recover.out || fail "$(cat recover.out)"
check fd1 "with the user's word for it"
del

# a leg fails, and then is gone: the device goes on by itself
null_blk nullb1 8
dd if="$disk/first" of="$block_device" bs=1M oflag=direct status=none
dm leg "0 16384 linear $block_device 0"
leg=$block_device
add mirror-param "$disk/first" "$leg" -- --recovery wait
check "" "of two disks"
dm_becomes leg "0 16384 error"
write_some 6
check fd1 "after a write that failed"
refused 4 'no good leg.*fd0 fd1' "$ublkpol" swap -n "$id" "$policies/mirror-param.bpf.o" \
	-b fd0=missing
check fd1 "after a swap that was refused"
mv "$leg" gone
"$ublkpol" set -n "$id" small=16KiB 2>errors
grep -q "fd1: .*No such file.*goes on without it" errors || fail "no warning: $(cat errors)"
[ "$(path_of 1)" = missing ] || fail "fd1 is '$(path_of 1)'"
check fd1 "after a set without it"
mv gone "$leg"
dmsetup remove leg || fail "the device still has the disk"

dm leg "0 16384 linear /dev/nullb1 0"
leg=$block_device
dd if="$disk/first" of="$leg" bs=1M oflag=direct status=none
"$ublkpol" swap -n "$id" "$policies/mirror-param.bpf.o" -b fd1="$leg" 2>errors
write_some 7
"$ublkpol" insync -n "$id" fd1
check "" "with a disk in its place"
dm_becomes leg "0 16384 error"
write_some 0
kill_daemon waiting
dmsetup remove leg
recover
grep -q "goes on without it" recover.out || fail "no warning: $(cat recover.out)"
write_some 1
check fd1 "by a new daemon, when it is gone"
del

# what a recovery is given is read when it is in sync
cp expected "$disk/first"
cp expected "$disk/second"
random_file "$disk/other" 8
add mirror-param "$disk/first" "$disk/second" -- --recovery wait
kill_daemon waiting
refused 4 'cannot exchange' "$ublkpol" recover -n "$id" -b fd0="$disk/second" -b fd1="$disk/first"
# with one more file each time, it fails later and later
for files in {22..40}; do
	! limited 60 prlimit --nofile="$files" "$ublkpol" recover -n "$id" -b fd1=missing \
		>output 2>&1 || fail "recovered with $files files"
	! grep -q 'cannot set up queue' output || break
done
grep -q 'cannot set up queue' output || fail "the queues never failed: $(cat output)"
recover
check "" "after recoveries that failed"
kill_daemon waiting
recover -b fd1="$disk/other"
grep -q "fd1 is new in a mirror" recover.out || fail "no warning: $(cat recover.out)"
[ "$(legs in_sync)" = fd0 ] || fail "in sync: $(legs in_sync)"
check "" "with another file"
write_some 2
kill_daemon waiting
recover
[ "$(legs in_sync)" = fd0 ] || fail "in sync: $(legs in_sync)"
cp "$disk/first" "$disk/other"
"$ublkpol" insync -n "$id" fd1
write_some 3
check "" "with a copy"
cmp "$disk/first" "$disk/other"
del

# a disk that has missed writes is given back, with a swap or a recovery
dm leg "0 16384 linear /dev/nullb1 0"
leg=$block_device
dd if="$disk/first" of="$leg" bs=1M oflag=direct status=none
add mirror-param "$disk/first" "$leg" -- --recovery wait
for way in swap recover; do
	dm_becomes leg "0 16384 error"
	write_some 4
	dm_becomes leg "0 16384 linear /dev/nullb1 0"
	check fd1 "after a write that failed"
	if [ $way = swap ]; then
		"$ublkpol" swap -n "$id" "$policies/mirror-param.bpf.o" 2>errors
		check fd1 "after a swap that does not name it"
		"$ublkpol" swap -n "$id" "$policies/mirror-param.bpf.o" -b fd1="$leg" 2>errors
	else
		kill_daemon waiting
		recover
		check fd1 "by a daemon that does not name it"
		kill_daemon waiting
		recover -b fd1="$leg"
		cp recover.out errors
	fi
	grep -q "fd1 is new in a mirror" errors || fail "no warning of $way: $(cat errors)"
	[ "$(legs in_sync)" = fd0 ] || fail "in sync after $way: $(legs in_sync)"
	check "" "with what missed writes, after $way"
	write_some 5
	dd if="$disk/first" of="$leg" bs=1M oflag=direct status=none
	"$ublkpol" insync -n "$id" fd1
	"$ublkpol" swap -n "$id" "$policies/mirror-param.bpf.o"
	[ "$(legs in_sync)" = "fd0 fd1" ] || fail "in sync after $way: $(legs in_sync)"
	"$ublkpol" show -n "$id" | grep -q 'has missed writes' && fail "it has missed nothing"
done
del
dmsetup remove leg

# what the device is to do without need not be flushed: it cannot
null_blk nullb2 8 cache_size=4
leg_disk=$block_device
dm leg "0 16384 linear $block_device 0"
leg=$block_device
dd if="$disk/first" of="$leg" bs=1M oflag=direct status=none
add mirror-param "$disk/first" "$leg"
head -c 64K /dev/urandom >new
dd if=new of="$dev" bs=64K count=1 oflag=direct conv=notrunc status=none
dm_becomes leg "0 16384 flakey $leg_disk 0 0 1 1 error_writes"
"$ublkpol" swap -n "$id" "$policies/mirror-param.bpf.o" -b fd1=missing
sync "$dev" || fail "a flush failed after a leg was left out"
del
dmsetup remove leg
