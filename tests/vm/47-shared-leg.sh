#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Two mirrors with a leg in common: each fails one of the legs of the second one,
# which keeps the leg that only the other one had failed. A policy that has nothing
# but stale legs for a mirror is refused.
. "$(dirname "$0")/lib.sh"

# table DISK FIRST LENGTH: sectors that refuse writes
table()
{
	[ "$2" -eq 0 ] || echo "0 $2 linear $1 0"
	echo "$2 $3 error"
	echo "$(($2 + $3)) $((16384 - $2 - $3)) linear $1 $(($2 + $3))"
}

# what each mirror has failed
failed_legs()
{
	"$ublkpol" show -n "$id" --json |
		jq -r '[.mirrors[] | [.legs[] | select(.failed) | .backend] | "(\(join(" ")))"] |
			join(" ")'
}

# check LEGS WHEN
check()
{
	[ "$(failed_legs)" = "$1" ] || fail "failed legs $2: '$(failed_legs)'"
	dd if="$dev" of=read bs=1M iflag=direct status=none || fail "a read failed $2"
	cmp read expected || fail "wrong bytes $2"
}

# write_failing NAME DISK MIB: 64 KiB there, which the leg NAME misses
write_failing()
{
	dm_becomes "$1" "$(table "$2" $(($3 * 2048)) 2048)"
	head -c 64K /dev/urandom >new
	dd if=new of="$dev" bs=64K count=1 seek=$(($3 * 16)) oflag=direct conv=notrunc status=none
	dd if=new of=expected bs=64K count=1 seek=$(($3 * 16)) conv=notrunc status=none
	dm_becomes "$1" "0 16384 linear $2 0"
}

random_file expected 8
cp expected "$disk/first"
for name in nullb1 nullb2; do
	null_blk $name 8
	dd if=expected of="$block_device" bs=1M oflag=direct status=none
done
dm second "0 16384 linear /dev/nullb1 0"
second=$block_device
dm third "0 16384 linear /dev/nullb2 0"
third=$block_device
add mirrors-share "$disk/first" "$second" "$third" -- --recovery wait
check "() ()" "at first"

write_failing second /dev/nullb1 1
check "(fd1) ()" "after a write to the first mirror"
write_failing third /dev/nullb2 5
check "(fd1) (fd2)" "after a write to the second mirror"

kill_daemon waiting
recover
check "(fd1) (fd2)" "by a new daemon"
"$ublkpol" swap -n "$id" "$policies/mirrors-share.bpf.o" 2>errors
check "(fd1) (fd2)" "after a swap"
grep -q 'backend fd1 has missed writes of another mirror' errors ||
	fail "no warning: $(cat errors)"

# the rules, and so the mirrors, in another order
"$ublkpol" swap -n "$id" "$policies/mirrors-share-crossed.bpf.o"
check "(fd2) (fd1)" "after a swap to another order"
"$ublkpol" swap -n "$id" "$policies/mirrors-share.bpf.o"
check "(fd1) (fd2)" "after a swap back"

refused 4 'no good leg.*fd0 fd1' "$ublkpol" swap -n "$id" "$policies/mirror-a.bpf.o" \
	-b fd0="$second" -b fd1="$third"
check "(fd1) (fd2)" "after a swap that was refused"
write_failing third /dev/nullb2 6
check "(fd1) (fd2)" "after another write"
del
dmsetup remove second
dmsetup remove third
