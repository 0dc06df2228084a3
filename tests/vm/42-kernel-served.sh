#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A request that a program has routed is none of the server's business
. "$(dirname "$0")/lib.sh"

null_blk nullb_a 8 irqmode=2 completion_nsec=1000000000
"$kernel_tests/kernel_served" "$kernel_tests/route.bpf.o" /dev/nullb_a
