#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A new daemon for a device whose daemon was killed, in all modes of --recovery
. "$(dirname "$0")/lib.sh"

reads()
{
	stat_of '[.rules[].read.requests] | add'
}

read_some()
{
	dd if="$dev" of=/dev/null bs=64K count=4 iflag=direct status=none
}

waits()
{
	dd if="$dev" of=/dev/null bs=64K count=1 iflag=direct status=none &
	reader=$!
	sleep 1
	kill -0 $reader 2>/dev/null || fail "a read did not wait for the recovery"
	recover
	wait $reader || fail "a read that waited failed"
}

reissues()
{
	start_verify
	for _ in 1 2 3; do
		sleep 1
		# Not yet waiting: the kernel is still busy with the old daemon
		kill -9 "$pid"
		recover
	done
	sleep 1
	end_load
}

random_file "$disk/a" 16
random_file "$disk/b" 16
null_blk nullb1 16
memory1=$block_device
null_blk nullb2 16
memory2=$block_device

for backends in "$disk/a $disk/b" "$memory1 $memory2"; do
	# shellcheck disable=SC2086 # two paths
	add halves $backends -- -q 2 --recovery wait
	read_some
	before=$(reads)
	kill_daemon waiting
	refused 1 'not live' "$ublkpol" swap -n "$id" "$policies/quarters.bpf.o"
	waits
	[ "$(reads)" -ge "$before" ] || fail "the counters did not survive"
	refused 1 'has a daemon' "$ublkpol" recover -n "$id"
	del

	# shellcheck disable=SC2086 # two paths
	add halves $backends -- -q 2 --recovery reissue
	reissues
	del

	# shellcheck disable=SC2086 # two paths
	add halves $backends -- --recovery fail
	kill_daemon failing
	! read_some 2>/dev/null || fail "a read without a daemon succeeded"
	recover
	read_some
	del
done

# the policy that a swap brought, although its file is gone; backends under new
# names would not be found
cp "$policies/quarters.bpf.o" quarters.bpf.o
add halves "$disk/a" "$disk/b" -- -r wait
"$ublkpol" swap -n "$id" quarters.bpf.o
rm quarters.bpf.o
read_some
before=$(reads)
kill_daemon waiting
mv "$disk/b" "$disk/moved"
refused 4 'fd1.*No such file' "$ublkpol" recover -n "$id"
state_is waiting || fail "a failed recovery changed the device: $("$ublkpol" list)"
mv "$disk/moved" "$disk/b"
truncate -s 4M "$disk/b"
refused 4 'fd1|holds|beyond|reaches' "$ublkpol" recover -n "$id"
state_is waiting || fail "a failed recovery changed the device: $("$ublkpol" list)"
truncate -s 16M "$disk/b"
first=$id
random_file c 8
random_file d 8
add halves c d -- -r fail
kill_daemon failing
timeout 60 "$ublkpol" recover -a
[ "$("$ublkpol" list --json | jq '[.[] | select(.state == "live")] | length')" -eq 2 ] ||
	fail "not all are live: $("$ublkpol" list)"
"$ublkpol" del -n "$id"
id=$first dev=/dev/ublkb$first
pid=$("$ublkpol" list --json | jq ".[] | select(.id == $id) | .pid")
[ "$(stat_of '.rules | length')" -eq 4 ] || fail "not the policy of the swap"
[ "$(reads)" -ge "$before" ] || fail "the counters did not survive"
read_some
[ "$(reads)" -gt "$before" ] || fail "the counters stand still"
del

# a backend that has moved, and has grown meanwhile: the rest is not used
random_file "$disk/c" 4
random_file "$disk/d" 8
cat "$disk/c" "$disk/d" >expected
add concat "$disk/c" "$disk/d" -- -r wait
kill_daemon waiting
mv "$disk/c" "$disk/moved"
truncate -s 8M "$disk/moved"
recover -b fd0="$disk/moved"
cmp "$dev" expected || fail "a backend that has grown moves what is behind it"
del

add halves "$disk/a" "$disk/b"
kill -9 "$pid"
within 20 state_is dead || fail "not dead: $("$ublkpol" list)"
refused 1 'cannot be recovered' "$ublkpol" recover -n "$id"
"$ublkpol" del -n "$id"
refused 5 'no policy device' "$ublkpol" recover -n "$id"
