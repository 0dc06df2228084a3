#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A swap opens and releases backends, and refuses what does not fit the device
. "$(dirname "$0")/lib.sh"

swap()
{
	"$ublkpol" swap -n "$id" "$policies/$1.bpf.o" "${@:2}"
}

state()
{
	"$ublkpol" show -n "$id" --json
	find "/run/ublkpol/$id" "/sys/fs/bpf/ublkpol/$id" ! -name lock | sort
	cat /sys/class/block/*/holders/* 2>/dev/null || true
}

# swap_refused TEXT POLICY OPTION...: and nothing has changed
swap_refused()
{
	state >before
	refused 4 "$1" "$ublkpol" swap -n "$id" "$policies/$2.bpf.o" "${@:3}"
	state | diff before - >difference || fail "changed by swap $*: $(cat difference)"
}

waits_for_lock()
{
	grep -q -- "-> FLOCK .* $1 " /proc/locks
}

is_locked()
{
	! flock -n "$1" true
}

random_file "$disk/a" 8
random_file "$disk/b" 8
cp "$disk/b" "$disk/c"
random_file small 2
null_blk nullb1 8
memory=$block_device

# so that backends may come which cannot discard
add halves "$disk/a" "$disk/b" -- --no-discard
is_locked "$disk/b" || fail "a backend in use is not locked"

# another file for fd1, which is written through the page cache of nobody else
dd if=/dev/urandom of=new bs=64K count=1 status=none
dd if=new of="$dev" bs=64K seek=$((6 * 16)) oflag=direct status=none
swap halves -b fd1="$disk/c"
flock -n "$disk/b" true || fail "the backend that was dropped is still locked"
is_locked "$disk/c" || fail "the new backend is not locked"
is_locked "$disk/a" || fail "the backend that was kept is not locked"
cmp -n 65536 -i 0:$((6 << 20)) new "$disk/b"
dd if="$dev" of=read bs=64K skip=$((6 * 16)) count=1 iflag=direct status=none
cmp -n 65536 -i 0:$((6 << 20)) read "$disk/c"

# a block device, which is claimed, and released
swap halves -b fd1="$memory"
! (dm holder "0 16384 linear $memory 0") 2>/dev/null || fail "a backend in use was not claimed"
dd if=new of="$dev" bs=64K seek=$((7 * 16)) oflag=direct status=none
swap halves -b fd1="$disk/b"
dm holder "0 16384 linear $memory 0"
dd if="$block_device" of=read bs=64K skip=$((7 * 16)) count=1 iflag=direct status=none
cmp new read
dmsetup remove holder

# the two change places: both files are kept, in other slots
swap crossed
dd if=new of="$dev" bs=64K count=1 oflag=direct status=none
cmp -n 65536 new "$disk/b"
swap halves -b fd0="$disk/b" -b fd1="$disk/a"
dd if="$dev" of=read bs=64K count=1 iflag=direct status=none
cmp new read

swap_refused 'it makes a device of 4194304 bytes, the device has 8388608' small
swap_refused 'it declares blocks of 4096 bytes, the device has 512' large-blocks
swap_refused 'reaches|beyond|holds' halves -b fd1=small
swap_refused "has no backend 'fd7'" halves -b fd7=small
swap_refused 'fd0 and fd1 are both' halves -b fd0="$disk/a" -b fd1="$disk/a"
swap_refused 'No such file' halves -b fd1=nothing
swap_refused 'fd2 has no file|fd3 has no file|fd4 has no file' mixed
flock "$disk/c" sleep 60 &
holder=$!
within 5 is_locked "$disk/c" || fail "no lock to test with"
swap_refused 'locked by another process' halves -b fd1="$disk/c"
pkill -P $holder || true
wait $holder || true

# what stands on the device: itself, dm, a loop device, a file in a file system,
# another policy device
swap_refused 'is, or stands on, /dev/ublkb' halves -b fd1="$dev"
dm above "0 16384 linear $dev 0"
swap_refused 'is, or stands on, /dev/ublkb' halves -b fd1="$block_device"
mkfs.ext4 -q "$block_device"
mkdir -p "$disk/mount"
mount "$block_device" "$disk/mount"
random_file "$disk/mount/file" 4
swap_refused 'is, or stands on, /dev/ublkb' halves -b fd1="$disk/mount/file"
loop=$(losetup -f --show "$disk/mount/file")
swap_refused 'is, or stands on, /dev/ublkb' halves -b fd1="$loop"
lower=$id
add halves "$loop" "$disk/c"
upper=$id upper_dev=$dev
id=$lower
swap_refused 'is, or stands on, /dev/ublkb' halves -b fd1="$upper_dev"
"$ublkpol" del -n "$upper"
losetup -d "$loop"
umount "$disk/mount"
dmsetup remove above
pid=$("$ublkpol" list --json | jq ".[] | select(.id == $id) | .pid")
dev=/dev/ublkb$id
del

# of two swaps that would stack two devices on each other, one sees the other, which
# still waits for the last request of its old policy
dm slow "0 16384 linear $memory 0"
add halves "$disk/a" "$disk/b" -- --no-discard
lower=$id lower_dev=$dev lower_pid=$pid
add halves "$block_device" "$disk/c" -- --no-discard
dmsetup suspend slow
dd if=new of="$dev" bs=64K count=1 oflag=direct conv=notrunc status=none &
writer=$!
within 20 write_in_flight || fail "no write is in flight"
swap halves -b fd1="$lower_dev" &
swapper=$!
within 20 swap_is_noted || fail "no swap is going on"
upper=$id upper_dev=$dev upper_pid=$pid
id=$lower
swap_refused "is, or stands on, $lower_dev" halves -b fd1="$upper_dev"
# nor does who would delete that one keep others from adding and deleting
"$ublkpol" del -f -n "$upper" &
deleter=$!
within 20 waits_for_lock $deleter || fail "del does not wait for the swap"
random_file "$disk/d" 8
random_file "$disk/e" 8
timeout 60 "$ublkpol" add "$policies/halves.bpf.o" -b fd0="$disk/d" -b fd1="$disk/e" \
	-n 50 >output || fail "no device can be added: $(cat output)"
timeout 60 "$ublkpol" del -n 50 || fail "no device can be deleted"
kill $deleter
wait $deleter || true
dmsetup resume slow
wait $writer
wait $swapper
id=$upper dev=$upper_dev pid=$upper_pid
del
id=$lower dev=$lower_dev pid=$lower_pid
del
dmsetup remove slow

status=0
"$ublkpol" swap -n 77 "$policies/halves.bpf.o" 2>output || status=$?
[ $status -eq 5 ] || fail "status $status: $(cat output)"
