#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A device goes on with the files and disks that it has, as large as they were: a set, a
# swap and a new daemon take nothing else in their place
. "$(dirname "$0")/lib.sh"

add_concat()
{
	add concat "$1" "$2" -- --recovery wait
	run_fio --rw=write --bs=64k --iodepth=8 --verify=crc32c --do_verify=0 --size=100%
}

# same WHEN: each byte is where it was
same()
{
	run_fio --rw=write --bs=64k --iodepth=8 --verify=crc32c --verify_only --size=100% ||
		fail "other bytes $1"
}

set_something()
{
	"$ublkpol" set -n "$id" maybe=0%
}

random_file "$disk/a" 4
random_file "$disk/b" 4
random_file "$disk/other" 4

# the first leg of a concat grows: what follows it stays where it is
add_concat "$disk/a" "$disk/b"
truncate -s +1M "$disk/a"
set_something
same "after a set, when a backend had grown"
kill_daemon waiting
recover
same "by a new daemon, when a backend had grown"
"$ublkpol" swap -n "$id" "$policies/concat.bpf.o"
same "after a swap, when a backend had grown"
# and becomes smaller
truncate -s 3M "$disk/b"
refused 4 'fd1: .*/b holds 3145728 bytes, and had 4194304 when' "$ublkpol" set -n "$id" maybe=0%
kill_daemon waiting
refused 4 'fd1: .*/b holds 3145728 bytes, and had 4194304 when' "$ublkpol" recover -n "$id"
state_is waiting || fail "a failed recovery changed the device: $("$ublkpol" list)"
truncate -s 4M "$disk/b"
recover

# another file gets the name
mv "$disk/a" "$disk/moved"
mv "$disk/other" "$disk/a"
refused 4 'fd0: .*/a is not what the device has there' "$ublkpol" set -n "$id" maybe=0%
refused 4 'fd0: .*/a is not what the device has there' \
	"$ublkpol" swap -n "$id" "$policies/concat.bpf.o"
kill_daemon waiting
refused 4 'fd0: .*/a is not what the device has there' "$ublkpol" recover -n "$id"
mv "$disk/a" "$disk/other"
mv "$disk/moved" "$disk/a"
recover

# what the device knows of itself is gone
kill_daemon waiting
mv /sys/fs/bpf/ublkpol/"$id" /sys/fs/bpf/moved
refused 1 'its maps in .* are gone' "$ublkpol" recover -n "$id"
mv /sys/fs/bpf/moved /sys/fs/bpf/ublkpol/"$id"
recover
refused 4 'No data available' "$ublkpol" set -n "$id" maybe=@- maybe=@- </dev/null
del

# another disk gets the number
truncate -s 4M "$disk/a"
truncate -s 4M "$disk/other"
loop=$(losetup --find --show "$disk/a")
add_concat "$loop" "$disk/b"
set_something
kill_daemon waiting
losetup -d "$loop"
losetup "$loop" "$disk/other"
refused 4 "fd0: $loop is not what the device has there" "$ublkpol" recover -n "$id"
del
losetup -d "$loop"

# "recover -a": each daemon has one device, and the handler that it was given
handler=$BUILD/policies/handlers/memory.so
add whole "$disk/a" -- --recovery wait --handler "$handler" --handler-argument 4096
kill_daemon waiting
recover --handler "$handler" --handler-argument 8192
kill_daemon waiting
first=$id
add whole "$disk/b" -- --recovery wait
kill_daemon waiting
limited 60 "$ublkpol" recover -a
handler_is()
{
	"$ublkpol" show -n "$1" --json | jq -e ".daemon.handler_argument == \"$2\"" >/dev/null
}
handler_is "$first" 8192 || fail "another handler: $("$ublkpol" show -n "$first")"
second=$id
pid=$("$ublkpol" list --json | jq ".[] | select(.id == $second) | .pid")
kill_daemon waiting
id=$first dev=/dev/ublkb$first
pid=$("$ublkpol" list --json | jq ".[] | select(.id == $id) | .pid")
del
id=$second dev=/dev/ublkb$second
state_is waiting || fail "another daemon has recovered it: $("$ublkpol" list)"
"$ublkpol" del -n "$id"

# no message reaches a backend that got the number of a closed stream
cp "$disk/b" before
"$ublkpol" add -f "$policies/whole.bpf.o" -b fd0="$disk/b" -n 9 <&- >&- 2>&- &
within 20 test -b /dev/ublkb9 || fail "no device"
"$ublkpol" del -n 9
wait
cmp "$disk/b" before || fail "the output went to a backend"
