#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# fio writes and verifies checksums: block sizes 512 to 1M, queue depths 1 to
# 64, two queues, requests of random size around and over the boundary
. "$(dirname "$0")/lib.sh"

# half of this is a multiple of 512, but of no larger block
random_file "$disk/a" 48 1024
random_file "$disk/b" 48 1024
add halves "$disk/a" "$disk/b" -- -q 2 -d 64

# blocks that are aligned to 512 bytes overlap; in flight at once, either could win
verify=(--verify=crc32c --verify_fatal=1 --do_verify=1 --verify_backlog=256 --end_fsync=1
	--serialize_overlap=1)
for depth in 1 16 64; do
	run_fio "${verify[@]}" --rw=randwrite --bsrange=512-1M --bs_unaligned=0 --blockalign=512 \
		--iodepth=$depth --io_size=48M --norandommap --verify_backlog=0 \
		--offset=16M --size=64M
done
for block in 512 4k 12k 64k 512k 1m; do
	run_fio "${verify[@]}" --rw=randrw --bs=$block --blockalign=512 --iodepth=32 \
		--offset=23M --size=2M --io_size=2M
	run_fio "${verify[@]}" --rw=write --bs=$block --iodepth=8 --offset=20M --size=8M
done
# both CPUs at once, each with its own half of the device and its own boundary side
run_fio "${verify[@]}" --rw=randwrite --bsrange=512-128k --blockalign=512 --iodepth=32 \
	--numjobs=2 --size=40M --offset_increment=48M --io_size=24M --cpus_allowed=0-1 \
	--cpus_allowed_policy=split

for rule in 0 1; do
	[ "$(stat_of ".rules[$rule].write.requests")" -gt 100 ] || fail "rule $rule got too little"
done
[ "$(stat_of '.queues | length')" -eq 2 ] || fail "not two queues"
"$BUILD/placement" halves "$dev" "$disk/a" "$disk/b"
del
