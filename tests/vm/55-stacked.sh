#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Policy devices on policy devices, more than a kernel stack has room for: each is
# driven from within the one above, and ends the request of the one above, in the
# task that submits (irqmode 0) or in a softirq
. "$(dirname "$0")/lib.sh"

depth=24

stack_up()
{
	local i

	ids=()
	for ((i = 0; i < depth; i++)); do
		if [ $((i % 8)) -eq 7 ]; then
			dm "linear$i" "0 32768 linear $dev 0"
			dev=$block_device
		fi
		add whole "$dev" -- -d 32
		ids+=("$id")
	done
}

take_down()
{
	local i

	for ((i = depth - 1; i >= 0; i--)); do
		"$ublkpol" del -n "${ids[i]}"
		[ $((i % 8)) -ne 7 ] || dmsetup remove --noudevsync "linear$i"
	done
}

random_file data 16
for irqmode in 0 1; do
	null_blk "nullb_$irqmode" 16 irqmode=$irqmode
	dev=$block_device
	stack_up
	limited 60 dd if=data of="$dev" bs=64k oflag=direct conv=fsync status=none ||
		fail "irqmode $irqmode: writing through $depth devices"
	cmp data "/dev/nullb_$irqmode" || fail "irqmode $irqmode: the backend holds something else"
	limited 60 dd if="$dev" bs=64k iflag=direct status=none | cmp - data ||
		fail "irqmode $irqmode: reading through $depth devices"
	limited 60 fio --name=test --filename="$dev" --direct=1 --ioengine=libaio --iodepth=32 \
		--iodepth_batch_submit=16 --rw=randrw --bsrange=4k-64k --blockalign=4k \
		--io_size=4M --size=16M --verify=crc32c --fsync=64 --aux-path=. --output=fio.out ||
		fail "irqmode $irqmode: batches: $(cat fio.out)"
	take_down
done
