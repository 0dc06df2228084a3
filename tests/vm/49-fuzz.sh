#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# SQEs with every field wrong in every way: the helper says what the ABI says it
# says, nothing hangs, and only valid plans touch the backends
. "$(dirname "$0")/lib.sh"

null_blk nullb_a 2
null_blk nullb_c 2
truncate -s 2M "$disk/b"
"$kernel_tests/fuzz" "$kernel_tests/fuzz.bpf.o" /dev/nullb_a "$disk/b" /dev/nullb_c \
	"$(repeated 50000 1000000)"
