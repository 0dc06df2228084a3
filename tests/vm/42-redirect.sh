#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Requests that a program redirects reach the server on ublk's ordinary path,
# with USER_COPY and with AUTO_BUF_REG; the others stay in the kernel
. "$(dirname "$0")/lib.sh"

truncate -s 8M "$disk/a" "$disk/b"
"$kernel_tests/redirect" "$kernel_tests/route.bpf.o" "$disk/a" "$disk/b"

null_blk nullb_a 8
"$kernel_tests/redirect" "$kernel_tests/route.bpf.o" /dev/nullb_a "$disk/b"
