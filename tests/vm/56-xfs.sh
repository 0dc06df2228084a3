#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Backends are files of XFS, which has other ideas of direct I/O than ext4: it writes
# back dirty pages first, and must not be short of memory's reserves then
. "$(dirname "$0")/lib.sh"

mnt=$disk/mnt
mkdir "$mnt"
truncate -s 512M "$disk/image"
mkfs.xfs -q "$disk/image"
mount -o loop "$disk/image" "$mnt"

# fresh copies, of which nothing is on the disk yet
random_file data 32
cp data "$mnt/a"
cp data "$mnt/b"
add halves "$mnt/a" "$mnt/b"
dd if="$dev" of=read bs=1M iflag=direct status=none
cmp -n $((16 << 20)) read data
cmp -n $((16 << 20)) -i 16M read data

# and again, while the device is used; discards and zeroes leave dirty pages at their ends
(
	for _ in {1..20}; do
		dd if=data of="$mnt/a" bs=1M skip=20 seek=20 conv=notrunc status=none
	done
) &
dirty=$!
run_fio --rw=randrw --bsrange=512-64k --iodepth=16 --size=24M --io_size=24M --fsync=32 \
	--verify=crc32c --verify_backlog=64
wait $dirty
for offset in 512 $((1 << 20)) $(((20 << 20) + 1536)); do
	dd if=data of="$dev" bs=64K count=4 oflag=direct seek=$((offset / 65536)) status=none
	blkdiscard -o $offset -l 66048 "$dev"
	blkdiscard -z -o $((offset + 131072)) -l 66048 "$dev"
	dd if="$dev" bs=512 skip=$((offset / 512)) count=129 iflag=direct status=none |
		cmp -n 66048 - /dev/zero
	dd if="$dev" bs=512 skip=$((offset / 512 + 256)) count=129 iflag=direct status=none |
		cmp -n 66048 - /dev/zero
done

mkfs.ext4 -q "$dev"
fsck.ext4 -f -n "$dev" >fsck.out || fail "$(cat fsck.out)"
del
umount "$mnt"
