#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A live migration as policies/migrate-copy.ublkpol tells it: a file system is
# written all the time, and nothing of it is lost or late
. "$(dirname "$0")/lib.sh"

small=$BUILD/small
mnt=$disk/mnt

# Writes and removes files until it is told to stop; a list says which are complete
write_files()
{
	local i=0

	while [ ! -e stop ]; do
		i=$((i + 1))
		head -c $((1000 + i * 977 % 60000)) /dev/urandom >"$mnt/file.$i"
		(cd "$mnt" && sha256sum "file.$i") >>sums
		[ $((i % 7)) -ne 0 ] || sync "$mnt/file.$i"
		if [ $i -gt 100 ]; then
			rm "$mnt/file.$((i - 100))"
			sed -i "/ file.$((i - 100))\$/d" sums
		fi
	done
}

truncate -s 64M "$disk/old"
random_file "$disk/new" 64
mkdir "$mnt"
add whole "$disk/old"
mkfs.ext4 -q "$dev"
mount "$dev" "$mnt"
write_files &
writer=$!
within 30 test -e "$mnt/file.30" || fail "nothing is written"

"$ublkpol" swap -n "$id" "$small/migrate-copy.bpf.o" -b old="$disk/old" -b new="$disk/new"
written=$(wc -l <sums)
within 30 test -e "$mnt/file.$((written + 20))" || echo "the writer is slow"
[ "$(stat_of '[.mirrors[0].legs[] | select(.in_sync)] | length')" -eq 1 ] ||
	fail "the new disk is read: $("$ublkpol" stats -n "$id")"

# copy, while writes go to both disks: a write may be overtaken by an older copy of it
dd if="$disk/old" of="$disk/new" bs=1M conv=notrunc status=none
# what was overtaken differs; what is being written now may, too
{ cmp -l "$disk/old" "$disk/new" || true; } | awk '{ print int(($1 - 1) / 4096) }' | uniq >differ
fsfreeze -f "$mnt"
while read -r block; do
	dd if="$disk/old" of="$disk/new" bs=4K count=1 skip="$block" seek="$block" conv=notrunc \
		status=none
done <differ
cmp "$disk/old" "$disk/new" || fail "the disks differ when nothing is written"
fsfreeze -u "$mnt"

"$ublkpol" swap -n "$id" "$small/migrate-done.bpf.o"
written=$(wc -l <sums)
within 30 test -e "$mnt/file.$((written + 20))" || echo "the writer is slow"
touch stop
wait $writer
umount "$mnt"
del
rm "$disk/old"

# the new disk has it all
fsck.ext4 -f -n "$disk/new"
mount -o loop "$disk/new" "$mnt"
[ "$(wc -l <sums)" -gt 30 ] || fail "too few files"
(cd "$mnt" && sha256sum --quiet -c) <sums
umount "$mnt"
