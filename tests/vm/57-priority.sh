#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What goes to a backend has the I/O priority of the request, on both engines. The
# backend is a policy device that counts by priority, or a file on it.
. "$(dirname "$0")/lib.sh"

null_blk nullb1 64
add priorities "$block_device"
below=$dev
below_id=$id
below_pid=$pid

count()
{
	"$ublkpol" stats -n "$below_id" --json |
		jq -r --arg name "$1" '.[0].rules[] | select(.counter == $name) | .read.requests'
}

# arrives NAME NUMBER IONICE_ARG...: so many reads with that priority
arrives()
{
	local before

	before=$(count "$1")
	ionice "${@:3}" dd if="$dev" of=/dev/null bs=4k count="$2" iflag=direct status=none
	[ "$(($(count "$1") - before))" -eq "$2" ] ||
		fail "$dev, ionice ${*:3}: $(($(count "$1") - before)) of $2 reads are $1"
}

all_arrive()
{
	arrives rt3 7 -c 1 -n 3
	arrives lowest 5 -c 3
	arrives rest 6 -c 1 -n 4
}

add whole "$below"
all_arrive
del

mkdir mnt
mkfs.ext4 -q "$below"
mount "$below" mnt
random_file mnt/file 1
sync -f mnt/file
add whole mnt/file
all_arrive
del
umount mnt

dev=$below
id=$below_id
pid=$below_pid
del
