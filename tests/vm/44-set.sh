#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Parameters and sets of a live device: each request sees all old or all new
# values; counters go on; what was set survives the daemon
. "$(dirname "$0")/lib.sh"

part=$((64 << 10))

# where PART: which backend has part 0 or 1 of the write
where()
{
	local at=$(($1 * part)) found=

	cmp -s -n $part -i "0:$at" stamp "$disk/a" && found=a
	cmp -s -n $part -i "0:$at" stamp "$disk/b" && found=${found}b
	echo "$found"
}

set_for_ever()
{
	while [ ! -e stop ]; do
		"$ublkpol" set -n "$id" hot=64KiB-128KiB || exit 1
		"$ublkpol" set -n "$id" hot=0-64KiB || exit 1
	done
}

# set_refused TEXT VALUE...
set_refused()
{
	refused 4 "$1" "$ublkpol" set -n "$id" "${@:2}"
}

value_of()
{
	"$ublkpol" show -n "$id" --json | jq -r ".params[] | select(.name == \"$1\") | .value"
}

read_4k()
{
	dd if="$dev" of=/dev/null bs=4K count=1 skip=64 iflag=direct status=none 2>read.err
}

random_file "$disk/a" 8
random_file "$disk/b" 8
add live "$disk/a" "$disk/b" -- --recovery wait
set_for_ever &
setter=$!
declare -A seen=()
for ((n = 0; n < 30; n++)); do
	yes "write $n" | head -c $part >stamp || true
	cat stamp stamp >both
	dd if=both of="$dev" bs=$((2 * part)) count=1 oflag=direct conv=notrunc status=none
	parts="$(where 0) $(where 1)"
	case $parts in
	"a b" | "b a") seen[$parts]=1 ;;
	*) fail "write $n is on '$parts'" ;;
	esac
done
touch stop
wait $setter || fail "a set failed"
[ ${#seen[@]} -eq 2 ] || fail "all writes saw one value"
[ "$(stat_of '[.rules[].write.requests] | add')" -ge 60 ] || fail "the counters started anew"

# a parameter, and two changes at once; what is wrong changes nothing
read_4k || fail "a read of 4 KiB failed: $(cat read.err)"
"$ublkpol" set -n "$id" small=64KiB hot=1MiB-2MiB,3MiB-4MiB
! read_4k || fail "the parameter has no effect"
[ "$(value_of small)" = 64KiB ] || fail "small is $(value_of small)"
set_refused "no parameter and no set 'smal'" smal=4KiB
set_refused 'write it like 64KiB' small=many
set_refused "set 'hot', line 1" hot=5MiB-1MiB
set_refused 'no parameter' small=4KiB other=1
[ "$(value_of small)" = 64KiB ] || fail "small is $(value_of small)"
! read_4k || fail "a refused command had an effect"

# many ranges from a file, but no more in one request than a plan can hold
awk 'BEGIN { for (n = 0; n < 16384; n += 256) print n "-" n + 128 }' >ranges
"$ublkpol" set -n "$id" small=4KiB hot=@ranges
dd if=/dev/zero of="$dev" bs=4K count=1 oflag=direct status=none
before=$(stat_of '.backends[0].write.requests')
dd if=/dev/zero of="$dev" bs=2K count=1 seek=8 oflag=direct status=none
[ "$(stat_of '.backends[0].write.requests')" -gt "$before" ] || fail "the set has no effect"

# trace shows a read that the first rule refuses
"$ublkpol" trace -n "$id" -c 1 --json >trace.out &
tracer=$!
sleep 1
dd if="$dev" of=/dev/null bs=2K count=1 skip=100 iflag=direct status=none 2>/dev/null || true
wait $tracer || fail "no trace: $(cat trace.out)"
[ "$(jq -r '.op' trace.out)" = read ] || fail "another trace: $(cat trace.out)"

kill_daemon waiting
recover
[ "$(value_of hot | head -n 2 | tail -n 1)" = 256-384 ] || fail "the set did not survive"

# and ends with the device
"$ublkpol" trace -n "$id" >trace.out 2>&1 &
tracer=$!
sleep 2
del
wait $tracer || fail "the trace fails when the device is deleted: $(cat trace.out)"
