#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A task whose plug holds a request of a disk while it flushes one to a policy device
# with a backend on the same disk: that has one tag, which the request in the plug has
. "$(dirname "$0")/lib.sh"

# batches FILE FILE: two requests at a time, in one plug
batches()
{
	limited 60 fio --name=test --filename="$1:$2" --file_service_type=roundrobin --direct=1 \
		--ioengine=io_uring --iodepth=2 --iodepth_batch_submit=2 \
		--iodepth_batch_complete_min=2 --rw=randread --bs=4k --number_ios=2000 \
		--size=16M --aux-path=. --output=fio.out ||
		fail "$1 and $2: $(cat fio.out)"
}

for irqmode in 0 2; do
	null_blk "nullb_$irqmode" 64 irqmode=$irqmode hw_queue_depth=1 submit_queues=1
	shared=$block_device
	dm "first" "0 65536 linear $shared 0"
	first=$block_device
	dm "second" "0 65536 linear $shared 65536"
	second=$block_device
	add whole "$first"
	batches "$dev" "$second"
	batches "$second" "$dev"

	# the other request is of a policy device's own
	lower=$id
	add mirror-a "$dev" "$second"
	limited 60 fio --name=test --filename="$dev" --direct=1 --ioengine=io_uring --iodepth=8 \
		--iodepth_batch_submit=4 --rw=randrw --bs=4k --number_ios=2000 --size=16M \
		--aux-path=. --output=fio.out || fail "mirror: $(cat fio.out)"
	del
	"$ublkpol" del -n "$lower"
	dmsetup remove first
	dmsetup remove second
done
