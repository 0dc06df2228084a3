#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A program together with each other feature of ublk: it works, or is refused
. "$(dirname "$0")/lib.sh"

truncate -s 8M "$disk/a"
"$kernel_tests/combinations" "$kernel_tests/route.bpf.o" "$disk/a"
