#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Plans of several items: parts, copies, errors, short I/O; and what is refused.
# On block devices by bios, and on files by the ring.
. "$(dirname "$0")/lib.sh"

null_blk nullb_a 1
truncate -s 1M "$disk/a" tmpfs_file
dm bad "0 2048 error"
bad=$block_device
random_file short 0 700
# room for the page that the file has not got
mkdir full
mount -t tmpfs -o size=16k tmp full
head -c 12288 /dev/zero >full/ballast
: >full/file

plans()
{
	"$kernel_tests/plans" "$kernel_tests/fuzz.bpf.o" "$1" "$2" short full/file "$bad"
	: >full/file
}

plans /dev/nullb_a "$disk/a"
# two files, one of them where the ring needs its workers
plans "$disk/a" tmpfs_file
umount full
