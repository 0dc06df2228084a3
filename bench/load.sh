# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# One measurement on $dev, as one line of JSON on standard output

# record DEVICE WORKLOAD BYTES DEPTH RATE RESULT: RESULT is a JSON object
record()
{
	local used=none memory=0

	[ ! -b "$dev" ] || used=$(scheduler_of "$dev")
	if [ -n "$server" ]; then
		memory=$(awk '$1 == "VmRSS:" { print $2 }' "/proc/$server/status")
	fi
	printf '{"backend":"%s","device":"%s","workload":"%s","bytes":%d,"depth":%d,' \
		"$backend" "$1" "$2" "$3" "$4"
	printf '"rate":%d,"scheduler":"%s","setup_us":%d,"server_kib":%d,%s\n' \
		"$5" "$used" "$setup_us" "$memory" "${6#\{}"
}

# With a clock that counts instructions: as few requests as are enough
measure_instructions()
{
	local requests=10000

	[ "$3" -lt 65536 ] || requests=500
	record "$@" "$("$build/ioload" -w "$2" -b "$3" -d "$4" -n $requests \
		-u $((requests / 10)) ${server:+-s "$server"} "$dev")"
}

# User and system time of all threads of the server, in ticks
server_ticks()
{
	[ -z "$server" ] || sed 's/.*) //' "/proc/$server/stat" | awk '{ print $12, $13 }'
}

# Ticks of the machine: all, those without work
machine_ticks()
{
	awk '$1 == "cpu" {
		for (i = 2; i <= 9; i++)
			sum += $i
		print sum, $5 + $6
	}' /proc/stat
}

# With a real clock: fio for $seconds
measure_time()
{
	local job=(--rw="$2") before=(0 0) after=(0 0) machine_before machine_after result

	[ "$2" != mix ] || job=(--rw=randrw --rwmixread=70)
	[ "$5" -eq 0 ] || job+=(--rate=$(($5 * 1000000)) --rate_process=linear)
	# shellcheck disable=SC2207 # numbers
	{
		machine_before=($(machine_ticks))
		[ -z "$server" ] || before=($(server_ticks))
		fio --name=bench "${job[@]}" --filename="$dev" --bs="$3" --iodepth="$4" --direct=1 \
			--ioengine=io_uring --time_based --runtime="$seconds" --size=100% \
			--allow_file_create=0 --aux-path=. \
			--eta=never --output-format=json --output=fio.json
		[ -z "$server" ] || after=($(server_ticks))
		machine_after=($(machine_ticks))
	}
	result=$(jq -c --argjson user $((after[0] - before[0])) \
		--argjson system $((after[1] - before[1])) \
		--argjson busy $((machine_after[0] - machine_before[0] - machine_after[1] +
			machine_before[1])) '
		.jobs[0] | ([.read, .write] | map(select(.total_ios > 0))) as $sides |
		{
			seconds: ([$sides[].runtime] | max | . / 1000),
			requests: ([$sides[].total_ios] | add),
			io_bytes: ([$sides[].io_bytes] | add),
			latency_mean_ns: (([$sides[] | .clat_ns.mean * .total_ios] | add) /
				([$sides[].total_ios] | add) | round),
			latency_p99_ns: ([$sides[].clat_ns.percentile["99.000000"]] | max),
			server_user_ms: ($user * 10), server_system_ms: ($system * 10),
			busy_ms: ($busy * 10)
		}' fio.json)
	record "$@" "$result"
}

measure()
{
	case $clock in
	instructions) measure_instructions "$@" ;;
	real) measure_time "$@" ;;
	esac
}
