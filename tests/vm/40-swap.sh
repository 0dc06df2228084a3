#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The policy of a device is replaced under load: no request fails, each byte
# stays where both policies have it, counters start anew
. "$(dirname "$0")/lib.sh"

# On each of three kinds of backends: a thousand in check-soak
swaps=$(repeated 20 334)

rules_count()
{
	"$ublkpol" stats -n "$id" --json |
		jq -e '[.[0].rules[].read.requests] | min > 0' >/dev/null
}

generation()
{
	"$ublkpol" show -n "$id" --json | jq .policy.generation
}

swap()
{
	"$ublkpol" swap -n "$id" "$policies/$1.bpf.o" "${@:2}"
}

random_file "$disk/a" 40
random_file "$disk/b" 40
null_blk nullb1 40
memory1=$block_device
null_blk nullb2 40
memory2=$block_device

for backends in "$disk/a $disk/b" "$memory1 $memory2" "$disk/a $memory2"; do
	# shellcheck disable=SC2086 # two paths
	add halves $backends -- -q 2
	start_verify
	for ((i = 1; i <= swaps; i++)); do
		policy=quarters
		[ $((i % 2)) -eq 1 ] || policy=halves
		swap $policy
	done
	swap quarters
	[ "$(generation)" -eq $((swaps + 2)) ] || fail "generation $(generation)"
	[ "$("$ublkpol" stats -n "$id" --json | jq '.[0].rules | length')" -eq 4 ] ||
		fail "the statistics are of another policy"
	within 20 rules_count || fail "the new policy serves nothing: $("$ublkpol" stats -n "$id")"
	end_load
	[ "$(find "/run/ublkpol/$id" -name '*.object' | wc -l)" -eq 1 ] ||
		fail "old generations are left: $(ls "/run/ublkpol/$id")"
	[ "$(find "/sys/fs/bpf/ublkpol/$id" -mindepth 1 -maxdepth 1 | wc -l)" -eq 1 ] ||
		fail "old maps are left: $(ls "/sys/fs/bpf/ublkpol/$id")"
	del
	[ ! -e "/sys/fs/bpf/ublkpol/$id" ] || fail "maps are left behind"
done
