#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Requests made of several bios: merged direct I/O, and buffered writeback
. "$(dirname "$0")/lib.sh"

# field N of the device's block layer statistics
block_stat()
{
	awk -v n="$1" '{ print $n }' "/sys/block/${dev#/dev/}/stat"
}

random_file "$disk/a" 40
random_file "$disk/b" 40
add halves "$disk/a" "$disk/b"

run_fio --rw=write --bs=4k --iodepth=64 --iodepth_batch=32 --iodepth_batch_complete_min=32 \
	--offset=18M --size=4M --verify=crc32c --verify_fatal=1
[ "$(block_stat 6)" -gt 100 ] || fail "writes were not merged: $(block_stat 6)"
[ "$(block_stat 2)" -gt 100 ] || fail "reads were not merged: $(block_stat 2)"

random_file data 30
dd if=data of="$dev" bs=1000000 seek=5000000 oflag=seek_bytes conv=fsync status=none
echo 3 >/proc/sys/vm/drop_caches
cmp -n $((30 << 20)) -i 0:5000000 data "$dev"
"$BUILD/placement" halves "$dev" "$disk/a" "$disk/b"
[ "$(stat_of '.backends[0].flush.requests')" -gt 0 ] || fail "fsync did not reach fd0"
[ "$(stat_of '.backends[1].flush.requests')" -gt 0 ] || fail "fsync did not reach fd1"
del
