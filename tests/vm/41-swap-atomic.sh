#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Each request sees the old policy or the new one as a whole: a write over the
# boundary has its two parts where one of them puts both. Who looks at the device
# meanwhile gets an answer. And a swap that is killed leaves state files that tell what
# the kernel has.
. "$(dirname "$0")/lib.sh"

half=$((4 << 20))
part=$((32 << 10))

# where PART: which backend has part 0 or 1 of the write
where()
{
	local at=$((half - part + $1 * part)) found=

	cmp -s -n $part -i "0:$at" stamp "$disk/a" && found=a
	cmp -s -n $part -i "0:$at" stamp "$disk/b" && found=${found}b
	echo "$found"
}

swap_for_ever()
{
	while [ ! -e stop ]; do
		"$ublkpol" swap -n "$id" "$policies/crossed.bpf.o" || exit 1
		"$ublkpol" swap -n "$id" "$policies/halves.bpf.o" || exit 1
	done
}

settled()
{
	"$ublkpol" list >/dev/null
	[ ! -e "/run/ublkpol/$id/next" ]
}

random_file "$disk/a" 8
random_file "$disk/b" 8
add halves "$disk/a" "$disk/b"
swap_for_ever &
swapper=$!

declare -A seen=()
for ((n = 0; n < 50; n++)); do
	yes "write $n" | head -c $part >stamp || true
	cat stamp stamp >both
	dd if=both of="$dev" bs=$((2 * part)) count=1 oflag=direct,seek_bytes \
		seek=$((half - part)) conv=notrunc status=none
	parts="$(where 0) $(where 1)"
	case $parts in
	"a b" | "b a") seen[$parts]=1 ;;
	*) fail "write $n is on '$parts'" ;;
	esac
	"$ublkpol" stats -n "$id" >answer || fail "no stats of a device that is swapped"
	"$ublkpol" show -n "$id" >answer || fail "a device that is swapped is not shown"
done
touch stop
wait $swapper || fail "a swap failed"
[ ${#seen[@]} -eq 2 ] || fail "all writes saw one policy"

# killed at any point; the next command tidies up, and the counters it reads are
# those of the program in use
finished=0
for ((n = 0; n < 16; n++)); do
	policy=quarters
	[ $((n % 2)) -eq 0 ] || policy=halves
	"$ublkpol" swap -n "$id" "$policies/$policy.bpf.o" &
	swapper=$!
	sleep "0.$((RANDOM % 3))$((RANDOM % 10))"
	kill -9 $swapper 2>/dev/null || true
	wait $swapper 2>/dev/null && finished=$((finished + 1))
	within 10 settled || fail "the swap is not settled: $(ls "/run/ublkpol/$id")"
	before=$(stat_of '[.rules[].read.requests] | add')
	dd if="$dev" of=/dev/null bs=64K count=4 iflag=direct status=none
	[ "$(stat_of '[.rules[].read.requests] | add')" -gt "$before" ] ||
		fail "the state names another policy than the kernel has"
done
[ $finished -lt 16 ] || fail "no swap was killed"
del
