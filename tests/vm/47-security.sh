#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Who may attach what, and whose credentials the I/O on a backend has
. "$(dirname "$0")/lib.sh"

null_blk nullb_a 8
truncate -s 8M "$disk/a" tmpfs
"$kernel_tests/attach" "$kernel_tests/route.bpf.o" "$disk/a" /dev/nullb_a
# ext4 can take a write in the thread of the ring, tmpfs needs its workers
"$kernel_tests/credentials" "$kernel_tests/route.bpf.o" "$disk/a"
"$kernel_tests/credentials" "$kernel_tests/route.bpf.o" tmpfs

# blocks that are reserved for root are the daemon's
null_blk nullb_b 64
mkfs.ext4 -q -m 50 /dev/nullb_b
mkdir mnt
mount /dev/nullb_b mnt
truncate -s 50M mnt/a "$disk/b"
add halves mnt/a "$disk/b"
chmod 666 "$dev"
chmod 755 . "$disk"
setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all \
	dd if=/dev/urandom of="$dev" bs=1M count=24 oflag=direct status=none
! setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all \
	dd if=/dev/urandom of="$dev" bs=1M count=24 seek=1000 oflag=direct 2>/dev/null ||
	fail "a write behind the end of the device succeeded"
[ "$(df --output=avail mnt | tail -n 1)" -eq 0 ] || fail "nothing was taken from root's reserve"
del
umount mnt

# a backend that stands on the device itself
truncate -s 8M "$disk/c" "$disk/d"
add halves "$disk/c" "$disk/d" -- -n 7
# becomes_no_backend PATH
becomes_no_backend()
{
	! "$ublkpol" swap -n 7 "$policies/halves.bpf.o" --backend "fd0=$1" \
		--backend "fd1=$disk/d" 2>refused || fail "$1 became a backend of $dev"
	grep -q 'is, or stands on, /dev/ublkb7 itself' refused || fail "$(cat refused)"
}

becomes_no_backend "$dev"
dm on_top "0 16384 linear $dev 0"
becomes_no_backend "$block_device"
dmsetup remove on_top
del
