#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# More I/O than the device has tags, in batches, from many tasks, on both engines:
# who waits for a tag must not keep from the backends what would free one
. "$(dirname "$0")/lib.sh"

null_blk nullb_a 16 irqmode=2 completion_nsec=200000
null_blk nullb_b 16 irqmode=2 completion_nsec=200000
truncate -s 16M "$disk/a" "$disk/b"
for backends in "/dev/nullb_a /dev/nullb_b" "$disk/a $disk/b"; do
	for queues in 1 2; do
		# shellcheck disable=SC2086 # two paths
		add halves $backends -- -q $queues -d 4
		for engine in libaio io_uring; do
			limited 60 fio --name=test --filename="$dev" --direct=1 --ioengine=$engine \
				--iodepth=32 --iodepth_batch_submit=16 \
				--iodepth_batch_complete_min=1 --iodepth_batch_complete_max=16 \
				--numjobs=8 --rw=randrw --bs=4k --io_size=1M --aux-path=. \
				--output=fio.out ||
				fail "$engine on $backends, $queues queues: $(cat fio.out)"
		done
		del
	done
done
