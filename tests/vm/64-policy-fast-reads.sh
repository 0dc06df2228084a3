#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# policies/fast-reads.ublkpol: small reads come from the fast disk, large ones
# from the other, writes reach both
. "$(dirname "$0")/lib.sh"

# reads BACKEND: how many it has served
reads()
{
	stat_of ".backends[] | select(.name == \"$1\") | .read.requests"
}

random_file "$disk/fast" 32
cp "$disk/fast" "$disk/slow"
added "$("$ublkpol" add "$BUILD/small/fast-reads.bpf.o" --backend fast="$disk/fast" \
	--backend slow="$disk/slow")"
fast=$(reads fast)
slow=$(reads slow)
dd if="$dev" of=/dev/null bs=64K count=20 iflag=direct status=none
[ "$(reads fast)" -eq $((fast + 20)) ] || fail "small reads did not come from the fast disk"
[ "$(reads slow)" -eq "$slow" ] || fail "small reads came from the slow disk"
dd if="$dev" of=/dev/null bs=256K count=20 iflag=direct status=none
[ "$(reads fast)" -eq $((fast + 20)) ] || fail "large reads came from the fast disk"
[ "$(reads slow)" -ge $((slow + 20)) ] || fail "large reads did not come from the slow disk"

run_fio --rw=randwrite --bsrange=512-256k --blockalign=512 --iodepth=16 --size=32M --io_size=16M \
	--verify=crc32c --end_fsync=1 --serialize_overlap=1
del
cmp "$disk/fast" "$disk/slow"

# rules that read one disk by itself read the other one, if that disk is missing
random_file data 8
for there in fast slow; do
	gone=$([ $there = fast ] && echo slow || echo fast)
	cp data "$disk/there"
	added "$("$ublkpol" add "$BUILD/small/fast-reads.bpf.o" -b "$there=$disk/there" \
		-b "$gone=missing")"
	for size in 4K 1M; do
		dd if="$dev" of=read bs=$size iflag=direct status=none
		cmp read data || fail "wrong bytes without $gone, in reads of $size"
	done
	del
done
