#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Swap on a policy device, and a file system on one, while memory is nearly full:
# nothing on the way to the backends waits for memory that only they can free.
# On both engines: files of ext4, and disks.
. "$(dirname "$0")/lib.sh"

left=64
swapped=112

# sectors FIELD: of the device's statistics, 3: read, 7: written
sectors()
{
	awk -v field="$1" '{ print $field }' "/sys/block/${dev#/dev/}/stat"
}

# Swap holds what there is no memory for; the daemon must be in none of it
check_swap()
{
	mkswap "$dev" >/dev/null 2>&1
	swapon "$dev"
	limited 100 "$kernel_tests/memory" swap $swapped || fail "swap on $1"
	for field in 3 7; do
		[ "$(sectors $field)" -gt $(((swapped - left) * 2048)) ] ||
			fail "swap on $1: only $(sectors $field) sectors (field $field)"
	done
	grep -qE '^VmSwap:\s+0 kB' "/proc/$pid/status" || fail "the daemon was swapped out"
	swapoff "$dev"
}

# More files than there is memory for
write_files()
{
	local copy

	cp -r /usr/include/linux mnt/
	for copy in 1 2 3; do
		cp large mnt/$copy
	done
	sync -f mnt
	compare_files
}

compare_files()
{
	local copy

	for copy in 1 2 3; do
		cmp large mnt/$copy
	done
	diff -r /usr/include/linux mnt/linux
}

check_file_system()
{
	mkfs.ext4 -q "$dev"
	mount "$dev" mnt
	# a shell of its own, which timeout can end
	limited 100 bash -ec write_files || fail "a file system on $1"
	umount mnt
	fsck.ext4 -f -n "$dev" >fsck.out 2>&1 || fail "$(cat fsck.out)"
	# once more from the device alone
	mount -o ro "$dev" mnt
	limited 100 bash -ec compare_files || fail "what was written on $1"
	umount mnt
}

# Neither may keep its data in the memory that is short. The files are written: ext4
# would need memory to note that what was only allocated has been written.
mib=128
random_file "$disk/a" $mib
random_file "$disk/b" $mib
sync -f "$disk"
dm half_a "0 $((mib * 2048)) linear /dev/vdb 0"
dm_a=$block_device
dm half_b "0 $((mib * 2048)) linear /dev/vdb $((mib * 2048))"
dm_b=$block_device
mkdir mnt
random_file large 32
export -f write_files compare_files

# Short lists of free pages per CPU: they could be all that is left, and the other
# CPU's allocations would fail
limit_lists=/proc/sys/vm/percpu_pagelist_high_fraction
trap 'echo 0 >$limit_lists' EXIT
echo 10000 >$limit_lists
# What other tests have left in caches counts half as available, and would be had in full
sync
echo 3 >/proc/sys/vm/drop_caches
coproc holder { "$kernel_tests/memory" hold $left; }
read -r line <&"${holder[0]}" || fail "memory hold"
echo "$line"
for backends in "$disk/a $disk/b" "$dm_a $dm_b"; do
	for part in swap file_system; do
		# shellcheck disable=SC2086 # two paths
		add halves $backends -- -q 2 -d 64
		"check_$part" "$backends"
		del
		echo "$part on $backends: $SECONDS s"
	done
done
eval "exec ${holder[1]}>&-"
# shellcheck disable=SC2154 # which coproc sets
wait "$holder_PID" || fail "the memory was not held to the end"
