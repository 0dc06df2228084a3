#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A device offers discards and write-zeroes if all backends take them, and not
# otherwise; what it offers works
. "$(dirname "$0")/lib.sh"

offers()
{
	cat "/sys/block/${dev#/dev/}/queue/$1"
}

random_file "$disk/a" 16
random_file "$disk/b" 16
add halves "$disk/a" "$disk/b"
[ "$(offers discard_max_bytes)" -gt 0 ] || fail "files on ext4 can be discarded"
[ "$(offers write_zeroes_max_bytes)" -gt 0 ] || fail "files on ext4 can be zeroed"
shown=$("$ublkpol" show -n "$id" --json | jq .limits.max_discard)
[ "$shown" -eq "$(offers discard_max_bytes)" ] ||
	fail "show and the kernel disagree"

cp "$disk/a" a.before
blocks=$(stat -c %b "$disk/a")
blkdiscard -o 1M -l 4M "$dev"
[ "$(stat -c %b "$disk/a")" -lt "$blocks" ] || fail "the file is as large as before"
cmp -n 4M -i 1M:0 "$disk/a" /dev/zero || fail "the range was not discarded"
# over the boundary of the two backends
blkdiscard -z -o 7M -l 2M "$dev"
cmp -n 1M -i 7M:0 "$disk/a" /dev/zero || fail "the first half was not zeroed"
cmp -n 1M -i 8M:0 "$disk/b" /dev/zero || fail "the second half was not zeroed"
cmp -n 1M a.before "$disk/a"
cmp -n 2M -i 5M:5M a.before "$disk/a"
[ "$(stat_of '.rules[0].discard.bytes')" -eq $((4 << 20)) ] || fail "$("$ublkpol" stats -n "$id")"
del

null_blk nullb1 16
add halves "$disk/a" "$block_device"
[ "$(offers discard_max_bytes)" -eq 0 ] || fail "a backend without discards was ignored"
[ "$(offers write_zeroes_max_bytes)" -eq 0 ] || fail "a backend without write-zeroes was ignored"
# The kernel writes the zeroes itself
blkdiscard -z -o 7M -l 2M "$dev"
cmp -n 2M -i 7M:0 "$dev" /dev/zero
del

null_blk nullb2 16 discard=1
add halves "$disk/a" "$block_device"
[ "$(offers discard_max_bytes)" -gt 0 ] || fail "all backends take discards"
[ "$(offers write_zeroes_max_bytes)" -eq 0 ] || fail "a backend without write-zeroes was ignored"
blkdiscard "$dev"
del

add halves "$disk/a" "$disk/b" -- --no-discard
[ "$(offers discard_max_bytes)" -eq 0 ] || fail "discards are offered against the user's will"
! blkdiscard "$dev" 2>/dev/null || fail "a discard succeeded"
del
