#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The policies of policies/ that refuse requests: a read-only image, bad blocks,
# a tenant who goes astray
. "$(dirname "$0")/lib.sh"

small=$BUILD/small

# fails_to COMMAND...: with an error of I/O
fails_to()
{
	local output

	if output=$("$@" 2>&1); then
		fail "succeeded: $*"
	fi
	grep -qE 'Input/output error|Read-only file system' <<<"$output" ||
		fail "not an I/O error: $output"
}

read_at()
{
	dd if="$dev" of=/dev/null bs=4K count=1 skip=$(($1)) iflag=direct,skip_bytes status=none
}

write_at()
{
	dd if=/dev/urandom of="$dev" bs=4K count=1 seek=$(($1)) iflag=fullblock \
		oflag=direct,seek_bytes status=none
}

# an image that nobody can change
random_file "$disk/image" 16
cp "$disk/image" before
added "$("$ublkpol" add "$small/readonly-image.bpf.o" --backend image="$disk/image")"
cmp "$dev" before
fails_to write_at 0
fails_to write_at '8 << 20'
read_at 0
del
cmp "$disk/image" before

# bad blocks: reads fail, writes do not, and neighbours are not affected
random_file "$disk/disk" 32
added "$("$ublkpol" add "$small/fault-injection.bpf.o" --backend disk="$disk/disk")"
for bad in '64 << 10' '1 << 20' '1036 << 10' '8 << 20'; do
	fails_to read_at "$bad"
done
good=0
for _ in $(seq 20); do
	read_at '60 << 10' 2>/dev/null && good=$((good + 1))
	write_at '64 << 10' 2>/dev/null && good=$((good + 1))
	read_at '1032 << 10' 2>/dev/null && good=$((good + 1))
done
# one in a hundred fails: of 60, more than 15 never do
[ $good -gt 45 ] || fail "only $good of 60 good requests succeeded"

# one in a hundred: of 3,000, fewer than 2 or more than 150 never fail
fio --name=chance --filename="$dev" --direct=1 --ioengine=io_uring --rw=randread --bs=4k \
	--iodepth=16 --offset=16M --number_ios=3000 --continue_on_error=all --aux-path=. \
	--output-format=json --output=chance.json >/dev/null 2>&1 || true
errors=$(jq '.jobs[0].total_err' chance.json)
{ [ "$errors" -ge 2 ] && [ "$errors" -le 150 ]; } ||
	fail "$errors of 3000 requests failed"

# every hundredth write takes two seconds
"$ublkpol" set -n "$id" failing=0%
begin=$(date +%s%N)
dd if=/dev/zero of="$dev" bs=4K count=100 seek=4096 oflag=direct status=none
took=$((($(date +%s%N) - begin) / 1000000))
[ $took -ge 2000 ] || fail "100 writes took only $took ms"
hiccups=$(stat_of '.rules[] | select(.counter == "hiccup") | .write.requests')
[ "$hiccups" -eq 1 ] || fail "$hiccups of some 120 writes took long"
del

# the end of the device belongs to nobody
truncate -s 16M "$disk/ssd"
truncate -s 44M "$disk/big"
added "$("$ublkpol" add "$small/tenants.bpf.o" --backend ssd="$disk/ssd" \
	--backend disk="$disk/big")"
write_at '15 << 20'
fails_to write_at '61 << 20'
fails_to read_at '62 << 20'
read_at '59 << 20'
del
