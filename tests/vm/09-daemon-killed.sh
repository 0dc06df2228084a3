#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The daemon dies, or the device is deleted, with requests in flight: they end,
# the device can be deleted, and a new one takes its number
. "$(dirname "$0")/lib.sh"

start_mixed_load()
{
	start_load --rw=randrw --bsrange=512-256k --blockalign=512 --iodepth=32 --numjobs=2 --thread
	within 20 has_requests || fail "nothing is in flight"
}

has_requests()
{
	[ "$(awk '{ print $1 + $2 }' "/sys/block/${dev#/dev/}/inflight")" -gt 0 ]
}

kill_daemon()
{
	kill -9 "$pid"
	within 30 has_ended "$load" || fail "requests hang after the daemon's death"
	! wait "$load" || fail "fio saw no error"
	[ "$("$ublkpol" list --json | jq -r ".[] | select(.id == $id) | .state")" != live ] ||
		fail "the device is still live"
	limited 30 "$ublkpol" del -n "$id"
}

delete_device()
{
	! "$ublkpol" del -n "$id" 2>/dev/null || fail "a device in use was deleted without --force"
	limited 30 "$ublkpol" del -n "$id" --force
	within 30 has_ended "$load" || fail "requests hang after the device's end"
	! wait "$load" || fail "fio saw no error"
}

random_file "$disk/a" 40
random_file "$disk/b" 40
random_file c 40
random_file d 40
null_blk nullb1 40 irqmode=2 completion_nsec=50000000
slow1=$block_device
null_blk nullb2 40 irqmode=2 completion_nsec=50000000
slow2=$block_device

for end in kill_daemon delete_device; do
	for backends in "$disk/a $disk/b" "c d" "$slow1 $slow2" "$disk/a $slow2"; do
		# shellcheck disable=SC2086 # two paths
		add halves $backends -- -q 2 -n 3
		start_mixed_load
		$end
		[ ! -e "$dev" ] || fail "$dev is still there after $end on $backends"
		[ ! -e "/dev/ublkc$id" ] || fail "/dev/ublkc$id is still there"
	done
done
# still as good as new
add halves "$disk/a" "$disk/b" -- -q 2 -n 3
run_fio --rw=randwrite --bs=64k --iodepth=16 --size=40M --io_size=20M --verify=crc32c
del
