#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A program together with each other feature of ublk: it works, or is refused, and
# the kernel's log has the name of what is refused; on both engines
. "$(dirname "$0")/lib.sh"

truncate -s 8M "$disk/a"
"$kernel_tests/combinations" "$kernel_tests/route.bpf.o" "$disk/a"
# bios that take a while: some are in flight when a server goes away
null_blk nullb1 8 irqmode=2 completion_nsec=2000000
"$kernel_tests/combinations" "$kernel_tests/route.bpf.o" "$block_device"
for feature in NEED_GET_DATA UNPRIVILEGED_DEV ZONED BATCH_IO INTEGRITY SHMEM_ZC; do
	dmesg | grep -qF "UBLK_F_BPF doesn't go with UBLK_F_$feature" ||
		fail "the kernel's log does not name $feature"
done
