#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# 10,000 random requests against the model: two halves on files of ext4
. "$(dirname "$0")/lib.sh"

random_file "$disk/a" 40 1024
random_file "$disk/b" 40 1024
add halves "$disk/a" "$disk/b" -- -q 2
"$BUILD/random-io" halves "$dev" "$(scaled 10000)" 1 "$disk/a" "$disk/b"
del
