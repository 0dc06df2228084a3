#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Requests and bytes are counted per rule and backend, split at the boundary
. "$(dirname "$0")/lib.sh"

random_file "$disk/a" 8
random_file "$disk/b" 8
cp "$disk/a" a.before
cp "$disk/b" b.before
add halves "$disk/a" "$disk/b"
[ "$(blockdev --getsize64 "$dev")" -eq $((8 << 20)) ] || fail "wrong size of $dev"
reads=$(stat_of '.rules[0].read.requests')

# 1 MiB in 16 requests, and one of 64 KiB that has 24 KiB in the second half
dd if="$dev" of=read.1 bs=64K count=16 iflag=direct status=none
head -c 64K /dev/zero | tr '\0' x >new
dd if=new of="$dev" bs=64K count=1 seek=$(((4 << 20) - (40 << 10))) oflag=direct,seek_bytes \
	status=none

cmp -n $((1 << 20)) read.1 a.before
cmp -n $((40 << 10)) -i 0:$(((4 << 20) - (40 << 10))) new "$disk/a"
cmp -n $((24 << 10)) -i $((40 << 10)):$((4 << 20)) new "$disk/b"
for expected in '.rules[0].write.requests 1' '.rules[0].write.bytes 40960' \
	'.rules[1].write.requests 1' '.rules[1].write.bytes 24576' \
	'.backends[0].write.requests 1' '.backends[0].write.bytes 40960' \
	'.backends[1].write.requests 1' '.backends[1].write.bytes 24576' \
	".rules[0].read.requests $((reads + 16))" \
	'.unmatched.read.requests 0' '.unmatched.write.requests 0'; do
	[ "$(stat_of "${expected% *}")" = "${expected#* }" ] ||
		fail "${expected% *} is $(stat_of "${expected% *}"), not ${expected#* }"
done
del
# without its maps: a message, and del still works
add halves "$disk/a" "$disk/b"
rm -r "/sys/fs/bpf/ublkpol/$id"
for verb in stats show; do
	refused 1 'its maps in /sys/fs/bpf/ublkpol are gone' "$ublkpol" $verb -n "$id"
done
del

# the kernel keeps the number until it has released everything else
add halves "$disk/a" "$disk/b" -- -n "$id"
del
# nothing else on the backends has changed
cmp -n $(((4 << 20) - (40 << 10))) a.before "$disk/a"
cmp -i 4M a.before "$disk/a"
cmp -n $((4 << 20)) b.before "$disk/b"
cmp -i $(((4 << 20) + (24 << 10))) b.before "$disk/b"
