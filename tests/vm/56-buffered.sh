#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Files without direct I/O: ext4 has none where it journals data. The daemon dies
# while reads wait for pages; a file loses direct I/O while it is a backend. The pages
# that are written stay as they are, whatever the backends are.
. "$(dirname "$0")/lib.sh"

# has_pages FILE: its I/O goes through the page cache
has_pages()
{
	[ "$(fincore --noheadings --bytes --output RES "$1")" -gt 0 ]
}

stays_as_it_is()
{
	[ "$(cat "/sys/block/${dev#/dev/}/queue/stable_writes")" = 1 ] ||
		fail "pages may change while they are written"
}

# A page takes 20 ms to read, so that some read always waits for one
null_blk slow 96 irqmode=2 completion_nsec=20000000
mkfs.ext4 -q "$block_device"
mkdir mnt
mount -o data=journal "$block_device" mnt
random_file mnt/a 16
random_file mnt/b 16
sync
add halves mnt/a mnt/b -- --recovery reissue
stays_as_it_is
start_load --rw=randread --bs=4k --iodepth=32
while sleep 0.1; do echo 1 >/proc/sys/vm/drop_caches; done &
dropper=$!
for _ in $(seq "$(repeated 3 100)"); do
	load_goes_on
	kill -9 "$pid"
	recover
done
within 10 has_pages mnt/a || fail "mnt/a has direct I/O"
kill $dropper
end_load
del
umount mnt

null_blk fast 64
mkfs.ext4 -q "$block_device"
# with delayed allocation, ext4 does not journal the data of single files
mount -o nodelalloc "$block_device" mnt
random_file mnt/a 8
random_file mnt/b 8
sync
echo 1 >/proc/sys/vm/drop_caches
add halves mnt/a mnt/b
start_load --rw=randwrite --bs=4k --iodepth=16 --verify=crc32c --verify_backlog=64
! has_pages mnt/a || fail "mnt/a has no direct I/O"
chattr +j mnt/a mnt/b
load_goes_on
end_load
del
umount mnt
