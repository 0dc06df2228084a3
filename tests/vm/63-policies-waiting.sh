#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The policies of policies/ that hold requests: a slow disk is no faster than it
# says, and nothing goes over its limit (67-rates.sh measures)
. "$(dirname "$0")/lib.sh"

small=$BUILD/small

now_ms()
{
	echo $(($(date +%s%N) / 1000000))
}

# takes_at_least MS COMMAND...
takes_at_least()
{
	local least=$1 begin end
	shift

	begin=$(now_ms)
	"$@"
	end=$(now_ms)
	[ $((end - begin)) -ge "$least" ] || fail "$* took $((end - begin)) ms, not $least"
}

random_file "$disk/disk" 64
added "$("$ublkpol" add "$small/slow-disk.bpf.o" --backend disk="$disk/disk")"
takes_at_least 200 dd if="$dev" of=/dev/null bs=4K count=10 iflag=direct status=none
takes_at_least 50 dd if=/dev/zero of="$dev" bs=4K count=1 oflag=direct conv=fsync status=none
# and what it reads is right
dd if=/dev/zero of="$disk/disk" bs=4K count=1 conv=notrunc status=none
cmp -n $((2 << 20)) "$dev" "$disk/disk"
del

# 8 MiB at 20 MiB/s, less the burst that a pause allows
added "$("$ublkpol" add "$small/bandwidth.bpf.o" --backend disk="$disk/disk")"
takes_at_least 370 ionice -c 3 dd if="$dev" of=/dev/null bs=128K count=64 iflag=direct \
	status=none
# 300 requests at 1000 a second
takes_at_least 280 dd if="$dev" of=/dev/null bs=4K count=300 skip=12000 iflag=direct status=none
del
