#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DISCARD and WRITE_ZEROES end up on the right backends, on both engines; what a
# backend cannot do is an error and not silently something else
. "$(dirname "$0")/lib.sh"

truncate -s 2200M "$disk/a" "$disk/b"
"$kernel_tests/discard" "$kernel_tests/discard.bpf.o" "$disk/a" "$disk/b"
rm "$disk/a" "$disk/b"

truncate -s 2200M "$disk/c" "$disk/d"
loop_c=$(losetup --find --show "$disk/c")
loop_d=$(losetup --find --show "$disk/d")
"$kernel_tests/discard" "$kernel_tests/discard.bpf.o" "$loop_c" "$loop_d"
"$kernel_tests/discard" "$kernel_tests/discard.bpf.o" "$loop_c" "$loop_d" ring
losetup -d "$loop_c" "$loop_d"
rm "$disk/c" "$disk/d"
