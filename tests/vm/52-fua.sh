#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A FUA write of the device is one on each backend that it reaches, by bios and
# through the ring; a write without it is not, and a flush reaches all backends
. "$(dirname "$0")/lib.sh"

tracing=/sys/kernel/tracing

# requests_of DISK PATTERN: what a disk was sent since trace_on whose kind (such as
# "WFS": write, FUA, sync) matches
requests_of()
{
	local number

	number=$(tr : , <"/sys/block/$1/dev")
	awk -v disk="$number" -v kind="$2" '/block_rq_issue:/ {
		for (i = 1; i < NF; i++)
			if ($i == disk && $(i + 1) ~ kind)
				n++
	} END { print n + 0 }' $tracing/trace
}

trace_on()
{
	sync
	echo >$tracing/trace
	echo 1 >$tracing/events/block/block_rq_issue/enable
}

trace_off()
{
	echo 0 >$tracing/events/block/block_rq_issue/enable
}

# write_across FLAGS: 64 KiB across the boundary of the halves, in one request
write_across()
{
	trace_on
	dd if=/dev/urandom of="$dev" bs=64K count=1 seek=$(((4 << 20) - 32768)) \
		oflag="$1",seek_bytes status=none
	trace_off
}

flushes_of()
{
	awk '{ print $16 }' "/sys/block/$1/stat"
}

null_blk nullb_a 8 cache_size=8 fua=1
null_blk nullb_b 8 cache_size=8 fua=1
add halves /dev/nullb_a /dev/nullb_b
write_across direct
for leg in nullb_a nullb_b; do
	[ "$(requests_of $leg '^W')" -eq 1 ] || fail "not one write on $leg"
	[ "$(requests_of $leg '^WF')" -eq 0 ] || fail "a plain write became FUA on $leg"
done
write_across direct,dsync
for leg in nullb_a nullb_b; do
	[ "$(requests_of $leg '^WF')" -eq 1 ] || fail "a FUA write is none on $leg"
done
flushes_a=$(flushes_of nullb_a)
flushes_b=$(flushes_of nullb_b)
sync "$dev"
dd if=/dev/zero of="$dev" bs=4k count=1 oflag=direct conv=fsync status=none
[ "$(flushes_of nullb_a)" -gt "$flushes_a" ] || fail "a flush did not reach fd0"
[ "$(flushes_of nullb_b)" -gt "$flushes_b" ] || fail "a flush did not reach fd1"
del

# a disk without a cache of its own has no use for either
null_blk nullb_c 8
null_blk nullb_d 8
add halves /dev/nullb_c /dev/nullb_d
write_across direct,dsync
[ "$(requests_of nullb_c '^WF')" -eq 0 ] || fail "FUA on a disk that has no cache"
del

# Files: FUA writes are durable on the disk below when they end. It has flushes
# for other reasons too, but not for each of 50 plain writes; and the kernel flushes a device
# behind each write that has to be durable, FUA or not.
head -c 8M /dev/urandom >"$disk/a"
head -c 8M /dev/urandom >"$disk/b"
sync -f "$disk"
add halves "$disk/a" "$disk/b"

writes()
{
	dd if=/dev/urandom of="$dev" bs=4K count=50 oflag="$1" status=none
}

flushed_writes()
{
	for ((i = 0; i < 50; i++)); do
		dd if=/dev/urandom of="$dev" bs=4K count=1 seek=$i oflag=direct conv=fsync,notrunc \
			status=none
	done
}

# durable COMMAND...: how many flushes and FUA writes it costs the disk
durable()
{
	local before

	before=$(flushes_of vda)
	trace_on
	"$@"
	trace_off
	echo $(($(flushes_of vda) - before + $(requests_of vda '^WF')))
}

plain=$(durable writes direct)
[ "$plain" -lt 50 ] || fail "50 plain writes flushed the disk $plain times"
flushed=$(durable flushed_writes)
fua=$(durable writes direct,dsync)
# 50 more, but for what the journal happens to commit meanwhile
[ "$fua" -ge $((flushed + 25)) ] ||
	fail "50 FUA writes flushed the disk $fua times, with flushes behind plain ones $flushed"
del
