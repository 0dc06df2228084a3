#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Errors of a backend reach who reads and writes; nothing else is affected, and
# nothing hangs
. "$(dirname "$0")/lib.sh"

# fails_with TEXT COMMAND...
fails_with()
{
	local text=$1 output
	shift

	if output=$("$@" 2>&1); then
		fail "succeeded: $*"
	fi
	grep -qE "$text" <<<"$output" || fail "not '$text': $output"
}

read_at()
{
	dd if="$dev" of=/dev/null bs=64K count=1 skip=$(($1)) iflag=direct,skip_bytes status=none
}

write_at()
{
	dd if=/dev/urandom of="$dev" bs=64K count=1 seek=$(($1)) iflag=fullblock \
		oflag=direct,seek_bytes status=none
}

# 64 MiB with 1 MiB of errors from 8 MiB on
null_blk nullb1 64
dm bad "0 16384 linear $block_device 0
16384 2048 error
18432 112640 linear $block_device 18432"
bad=$block_device
null_blk nullb2 64
add halves "$bad" "$block_device" -- -q 2

eio='Input/output error'
read_at '4 << 20'
write_at '4 << 20'
read_at '40 << 20'
fails_with "$eio" read_at '(8 << 20) + 65536'
fails_with "$eio" write_at '(8 << 20) + 65536'
# half of it good, half of it bad
fails_with "$eio" read_at '(8 << 20) - 32768'
fails_with "$eio" write_at '(9 << 20) - 32768'
# one part on each backend, the bad one elsewhere
write_at '(32 << 20) - 32768'
read_at '(32 << 20) - 32768'

for job in '--rw=randrw --bsrange=512-256k --blockalign=512 --numjobs=2 --number_ios=800' \
	'--rw=randread --bs=4k --number_ios=2000'; do
	# shellcheck disable=SC2086 # options
	limited 60 fio --name=errors --filename="$dev" --direct=1 --ioengine=io_uring $job \
		--iodepth=64 --io_size=1g --continue_on_error=all --aux-path=. \
		--output-format=json --output=errors.json >/dev/null 2>&1 || [ $? -ne 124 ] ||
		fail "fio hangs on errors"
	[ "$(jq '[.jobs[].total_err] | add' errors.json)" -gt 10 ] || fail "fio met no errors"
done
del
dmsetup remove bad

# A full file system. Sparse files promise more than there is room for.
for kind in ext4 tmpfs; do
	mkdir "$disk/$kind"
	case $kind in
	ext4)
		null_blk nullb3 16
		mkfs.ext4 -q "$block_device"
		mount "$block_device" "$disk/$kind" ;;
	tmpfs)
		mount -t tmpfs -o size=10M tmp "$disk/$kind" ;;
	esac
	truncate -s 64M "$disk/$kind/a" "$disk/b"
	add halves "$disk/$kind/a" "$disk/b"
	fails_with "No space left on device" \
		dd if=/dev/urandom of="$dev" bs=256K count=80 oflag=direct
	# what was written before is there, and the other backend goes on
	read_at 0
	write_at '40 << 20'
	read_at '40 << 20'
	# buffers remember only that they failed
	limited 60 dd if=/dev/zero of="$dev" bs=1M count=30 conv=fsync 2>buffered &&
		fail "buffered writes to a full backend succeeded"
	grep -qE "No space left on device|$eio" buffered || fail "$(cat buffered)"
	del
	umount "$disk/$kind"
	rm "$disk/b"
done
