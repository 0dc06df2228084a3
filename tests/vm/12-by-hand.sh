#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A hand-written program that plans in every way the kernel ABI knows, on both engines:
# files and block devices, and block devices kept on the ring
. "$(dirname "$0")/lib.sh"

truncate -s 16M "$disk/a" "$disk/b"
"$kernel_tests/by_hand" "$kernel_tests/by_hand.bpf.o" "$disk/a" "$disk/b"

null_blk nullb_a 16
null_blk nullb_b 16
"$kernel_tests/by_hand" "$kernel_tests/by_hand.bpf.o" /dev/nullb_a /dev/nullb_b
null_blk nullb_c 16
null_blk nullb_d 16
"$kernel_tests/by_hand" "$kernel_tests/by_hand.bpf.o" /dev/nullb_c /dev/nullb_d ring
