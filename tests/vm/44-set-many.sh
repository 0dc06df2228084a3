#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A set of 100,000 ranges from a file, on a device under load: requests go where it
# says. A file with an error in it changes nothing.
. "$(dirname "$0")/lib.sh"

ranges=100000

# stamp SECTOR: 12 KiB that are new, from there on
stamp()
{
	yes "stamp $RANDOM$RANDOM $1" | head -c 12K >stamp || true
	dd if=stamp of="$dev" bs=12K count=1 seek=$(($1 * 512)) oflag=direct,seek_bytes \
		conv=notrunc status=none
}

# is_on FILE SECTOR FIRST BYTES: that part of the stamp at SECTOR
is_on()
{
	cmp -s -n "$4" -i "$3:$(($2 * 512 + $3))" stamp "$1"
}

# Of each 12 KiB the first 4 are hot, up to the last range
check()
{
	local n at

	for n in 0 1 2 12345 $((ranges / 2)) $((ranges - 1)); do
		at=$((24 * n))
		stamp $at
		is_on "$disk/a" $at 0 4096 || fail "range $n is not hot $1"
		is_on "$disk/b" $at 4096 8192 || fail "what follows range $n is hot $1"
		! is_on "$disk/b" $at 0 4096 || fail "range $n is elsewhere, too, $1"
	done
	at=$((24 * ranges))
	stamp $at
	is_on "$disk/b" $at 0 12288 || fail "what lies behind the last range is hot $1"
}

# set_refused TEXT FILE
set_refused()
{
	refused 4 "$1" "$ublkpol" set -n "$id" "hot=@$2"
}

truncate -s 1280M "$disk/a" "$disk/b"
add many-ranges "$disk/a" "$disk/b" -- -q 2 --no-discard
# In 64 MiB where check() does not look, a third of which will be hot
start_load --rw=randwrite --bsrange=4k-64k --iodepth=8 --rate_iops=200 --offset=1100M --size=64M

awk -v n=$ranges 'BEGIN { for (i = 0; i < n; i++) print 24 * i "-" 24 * i + 8 }' >list
"$ublkpol" set -n "$id" hot=@list
check "after the set"

sed '54321s/.*/7-3/' list >reversed
set_refused "set 'hot', line 54321" reversed
head -n 7804 list | sed '$s/.*/12-many/' >odd
set_refused "set 'hot', line $(wc -l <odd)" odd
set_refused 'missing: No such file' missing
check "after sets with errors"

load_goes_on
end_load
del
