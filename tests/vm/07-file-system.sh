#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A file system on a striped device keeps a real tree
. "$(dirname "$0")/lib.sh"

for leg in a b c; do
	truncate -s 64M "$disk/$leg"
done
add stripe "$disk/a" "$disk/b" "$disk/c" -- -q 2
mkfs.ext4 -q "$dev"
mkdir "$disk/mnt"
mount "$dev" "$disk/mnt"
cp -r /usr/include/linux "$disk/mnt/"
umount "$disk/mnt"
fsck.ext4 -f -n "$dev"
del

# a new daemon on the same backends finds it again
add stripe "$disk/a" "$disk/b" "$disk/c"
mount -o ro "$dev" "$disk/mnt"
diff -r /usr/include/linux "$disk/mnt/linux"
umount "$disk/mnt"
del
