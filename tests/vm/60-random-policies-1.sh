#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The verifier of the patched kernel takes the 1,000 random policies that the compiler
# takes: one half of them by this name, the other by another, to have time enough. Two
# CPUs share the work.
. "$(dirname "$0")/lib.sh"

half=${0##*-}
half=${half%.sh}
mkdir 0 1
find "$BUILD/random" -name '*.bpf.o' | sort -V |
	awk -v half="$half" -v count="$(scaled 1000)" 'NR <= count && NR % 2 == half % 2 {
		print $0, int(NR / 2) % 2 "/" }' |
	xargs -L 1 ln -s
(cd 0 && "$BUILD/load-policies" .) &
first=$!
(cd 1 && "$BUILD/load-policies" .)
wait $first
