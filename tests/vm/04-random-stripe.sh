#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# 10,000 random requests against the model: a stripe over three legs of unequal
# size, on tmpfs (where io_uring needs its workers) and on files of ext4
. "$(dirname "$0")/lib.sh"

random_file a 20 512
random_file b 21
random_file "$disk/c" 20 65536
add stripe a b "$disk/c"
"$BUILD/random-io" stripe:65536 "$dev" "$(scaled 10000)" 2 a b "$disk/c"
del
