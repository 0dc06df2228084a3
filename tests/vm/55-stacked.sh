#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Policy devices on policy devices, more than a kernel stack has room for: each is
# driven from within the one above
. "$(dirname "$0")/lib.sh"

depth=24
null_blk nullb_a 16
dev=$block_device
for ((i = 0; i < depth; i++)); do
	[ $((i % 8)) -ne 7 ] || dm "linear$i" "0 32768 linear $dev 0"
	[ $((i % 8)) -ne 7 ] || dev=$block_device
	add whole "$dev" -- -d 32
	ids+=("$id")
done

random_file data 16
limited 120 dd if=data of="$dev" bs=64k oflag=direct conv=fsync status=none ||
	fail "writing through $depth devices"
cmp data /dev/nullb_a || fail "the backend holds something else"
limited 120 dd if="$dev" bs=64k iflag=direct status=none | cmp - data ||
	fail "reading through $depth devices"
limited 120 fio --name=test --filename="$dev" --direct=1 --ioengine=libaio --iodepth=32 \
	--iodepth_batch_submit=16 --rw=randrw --bsrange=4k-64k --blockalign=4k --io_size=8M \
	--size=16M --verify=crc32c --fsync=64 --aux-path=. --output=fio.out ||
	fail "batches: $(cat fio.out)"

for ((i = depth - 1; i >= 0; i--)); do
	"$ublkpol" del -n "${ids[i]}"
	[ $((i % 8)) -ne 7 ] || dmsetup remove --noudevsync "linear$i"
done
