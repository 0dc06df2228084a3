#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The policy of a device is replaced under load: no request fails, each byte
# stays where both policies have it, counters start anew
. "$(dirname "$0")/lib.sh"

# On each of three kinds of backends: a thousand in check-soak
swaps=$(repeated 20 334)

start_verify()
{
	fio --name=verify --filename="$dev" --direct=1 --ioengine=io_uring --rw=randrw \
		--bsrange=4k-128k --blockalign=4k --iodepth=16 --verify=crc32c \
		--verify_backlog=64 --serialize_overlap=1 --time_based --runtime=3600 \
		--fsync=32 --aux-path=. --output=verify.out >verify.err 2>&1 &
	load=$!
	within 20 load_runs || fail "no load: $(cat verify.err)"
}

load_runs()
{
	[ "$(awk '{ print $1 + $5 }' "/sys/block/${dev#/dev/}/stat")" -gt 200 ]
}

# the load has seen no error so far; ends it, it verifies what it wrote
stop_verify()
{
	kill -0 "$load" || fail "the load ended: $(cat verify.err verify.out)"
	kill -INT "$load"
	# Its status is that of the signal, what counts is in its report
	wait "$load" || true
	grep -q 'err= 0' verify.out || fail "the load saw an error: $(cat verify.out)"
}

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
	stop_verify
	[ "$(find "/run/ublkpol/$id" -name '*.object' | wc -l)" -eq 1 ] ||
		fail "old generations are left: $(ls "/run/ublkpol/$id")"
	[ "$(find "/sys/fs/bpf/ublkpol/$id" -mindepth 1 -maxdepth 1 | wc -l)" -eq 1 ] ||
		fail "old maps are left: $(ls "/sys/fs/bpf/ublkpol/$id")"
	del
	[ ! -e "/sys/fs/bpf/ublkpol/$id" ] || fail "maps are left behind"
done
