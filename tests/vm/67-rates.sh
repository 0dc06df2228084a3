#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Clock: instructions
# Limits and delays to 5 %, on both engines; and that other rules do not notice
# them while no more than half of the tags wait
. "$(dirname "$0")/lib.sh"

# The quarters of the policy: 200 iops, 4 MiB/s, 20 ms, and one that nothing holds
iops='iops --offset=0'
rate='rate --offset=16M'
delay='delay --offset=32M'
free='free --offset=48M --iodepth=1 --thinktime=5ms'

# load JOB...: 4 s of random reads, or of what else the JOBs' options say, at once
load()
{
	local jobs=() job words

	for job in "$@"; do
		read -ra words <<<"$job"
		jobs+=(--name="${words[0]}" --filename="$dev" --direct=1 --ioengine=io_uring
			--rw=randread --bs=4k --size=16M --time_based --runtime=4s "${words[@]:1}")
	done
	fio --output-format=json --output=fio.json --aux-path=. --lat_percentiles=1 \
		--percentile_list=50 "${jobs[@]}" >fio.err 2>&1 || {
		cat fio.err fio.json
		return 1
	}
	jq -c '.jobs[] | { jobname } + ((.read, .write) | select(.total_ios > 0) |
		{ iops, bw_bytes, lat_ns })' fio.json
}

# of JOB JQ_PATH: a whole number of the last load, of the reads or writes that there were
of()
{
	jq ".jobs[] | select(.jobname == \"$1\") | (.read, .write) | select(.total_ios > 0) |
		$2 | round" fio.json
}

# is_about WHAT NUMBER EXPECTED: to 5 %
is_about()
{
	if [ $(($2 * 100)) -lt $(($3 * 95)) ] || [ $(($2 * 100)) -gt $(($3 * 105)) ]; then
		fail "$1 is $2, not $3"
	fi
}

limits()
{
	load "$iops --iodepth=16"
	is_about 'the rate of reads' "$(of iops .iops)" 200
	# most of the requests wait before the device takes them up
	load "$iops --iodepth=64 --rw=randwrite"
	is_about 'the rate of many writes' "$(of iops .iops)" 200
	load "$rate --iodepth=16 --bs=64k"
	is_about 'the bandwidth' "$(of rate .bw_bytes)" $((4 << 20))
	"$ublkpol" set -n "$id" rate=8MiB/s
	load "$rate --iodepth=16 --rw=write --bs=8k"
	is_about 'the new bandwidth' "$(of rate .bw_bytes)" $((8 << 20))
}

delays()
{
	local depth

	for depth in 1 16; do
		load "$delay --iodepth=$depth"
		[ "$(of delay .lat_ns.min)" -ge 20000000 ] || fail "a request was not held"
		is_about "the latency at depth $depth" "$(of delay .lat_ns.mean)" 20000000
	done
}

# What waits takes half of the 32 tags; the rule beside it serves a request now and then.
# The median tells whether it waits for others; a few requests find the one CPU of
# the guest busy with a burst of held ones that go on, which takes far less than a hold.
others()
{
	local alone held job

	load "$free"
	alone=$(of free '.lat_ns.percentile["50.000000"]')
	for job in "$iops" "$rate --bs=64k" "$delay"; do
		load "$job --iodepth=16" "$free"
		held=$(of free '.lat_ns.percentile["50.000000"]')
		[ "$held" -le $((alone * 5 / 4)) ] ||
			fail "beside $job, half of the requests take over $held ns, alone $alone"
		held=$(of free .lat_ns.max)
		[ "$held" -lt 5000000 ] || fail "beside $job, a request took $held ns"
	done
}

# What a very low rate has let through is no debt that a higher one has to pay for hours
debts()
{
	"$ublkpol" set -n "$id" rate=1KiB/s
	dd if=/dev/zero of="$dev" bs=1M count=1 seek=16 oflag=direct status=none
	"$ublkpol" set -n "$id" rate=8MiB/s
	dd if="$dev" of=/dev/null bs=4K count=1 skip=4096 iflag=direct status=none
	load "$rate --iodepth=16 --rw=write --bs=8k"
	is_about 'the bandwidth after a low rate' "$(of rate .bw_bytes)" $((8 << 20))
}

run()
{
	added "$("$ublkpol" add "$policies/waiting.bpf.o" --backend fd0="$1" -q 1 -d 32)"
	limits
	delays
	others
}

null_blk waiting 64
run "$block_device"
debts
del
random_file disk 64
run "$PWD/disk"
del
