#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Rare ranges go to user code; all others stay in the kernel
. "$(dirname "$0")/lib.sh"

handler=$BUILD/policies/handlers/memory.so

redirected()
{
	stat_of '[.queues[].redirected] | add'
}

# add_refused TEXT OPTION...
add_refused()
{
	refused 4 "$1" "$ublkpol" add "$policies/rare-user.bpf.o" -b fd0="$disk/a" "${@:2}"
	[ -z "$(ls /dev/ublkb* 2>/dev/null)" ] || fail "left behind by $*"
}

random_file "$disk/a" 8
cp "$disk/a" before
add_refused 'cannot use the handler ./nothing.so' --handler ./nothing.so
add_refused 'does not start: Invalid argument' --handler "$handler" --handler-argument x

# without user code such requests fail
add rare-user "$disk/a"
! dd if="$dev" of=/dev/null bs=4K count=1 iflag=direct status=none 2>/dev/null ||
	fail "a request for user code succeeded without any"
dd if="$dev" of=/dev/null bs=4K count=1 skip=16 iflag=direct status=none
del

add rare-user "$disk/a" -- -q 2 --handler "$handler" --handler-argument 131072 -r wait
head -c 64K /dev/urandom >new
dd if=new of="$dev" bs=16K oflag=direct conv=fsync status=none
dd if="$dev" of=read bs=4K count=16 iflag=direct status=none
cmp new read
[ "$(redirected)" -ge 4 ] || fail "only $(redirected) requests were redirected"
cmp "$disk/a" before || fail "what goes to user code is on the backend"

# a request that crosses into the range goes there as a whole, or fails there
dd if="$dev" of=read bs=128K count=1 iflag=direct status=none
cmp -n 65536 new read
cmp -n 65536 -i 65536:0 read <(head -c 64K /dev/zero)

# the load beside it stays in the kernel
count=$(redirected)
run_fio --rw=randwrite --bs=16k --iodepth=8 --offset=64k --size=7M --verify=crc32c
[ "$(redirected)" -eq "$count" ] || fail "requests of other rules were redirected"
run_fio --rw=randwrite --bs=4k --iodepth=16 --size=64k --io_size=1M --norandommap=0 \
	--verify=crc32c
[ "$(redirected)" -gt "$count" ] || fail "no request was redirected"

# it comes back with a new daemon
kill_daemon waiting
recover
dd if=new of="$dev" bs=16K oflag=direct status=none
dd if="$dev" of=read bs=4K count=16 iflag=direct status=none
cmp new read
del
