# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# One measurement on $dev, as one line of JSON on standard output

# shellcheck source=bench/cpu-ticks.sh
. "$bench/cpu-ticks.sh"

# record DEVICE WORKLOAD BYTES DEPTH RATE COMMAND RESULT: COMMAND made the load,
# RESULT is a JSON object
record()
{
	local used=none memory=0 command

	[ ! -b "$dev" ] || used=$(scheduler_of "$dev")
	if [ -n "$server" ]; then
		memory=$(awk '$1 == "VmRSS:" { print $2 }' "/proc/$server/status")
	fi
	command=${6//"$build"\//}
	printf '{"backend":"%s","queues":%d,"device":"%s","workload":"%s","bytes":%d,' \
		"$backend" "$queues" "$1" "$2" "$3"
	printf '"depth":%d,"rate":%d,"schedulers":"%s","scheduler":"%s","setup_us":%d,' \
		"$4" "$5" "$schedulers" "$used" "$setup_us"
	printf '"server_kib":%d,"made_by":"%s","load":"%s",%s\n' "$memory" "$made_by" \
		"$command" "${7#\{}"
}

# With a clock that counts instructions: as few requests as are enough. How many
# of them a wake-up of loop's worker finds is a matter of luck: that takes more.
nr_requests()
{
	if [ "$3" -ge 65536 ]; then
		echo 300
	elif [ "$1" = loop ] && [ "$4" -gt 1 ]; then
		echo 40000
	else
		echo 5000
	fi
}

# How often to measure, for a median: few large requests are little beside what the
# kernel does at its own times, and who wakes up whom is luck at depth 1, too. Copying
# through user mode costs by far the most and varies the least.
nr_runs()
{
	case $1 in
	*-user_copy) echo 1 ;;
	loop | *-copy) echo 3 ;;
	*) echo $(($3 >= 65536 ? 3 : 1)) ;;
	esac
}

measure_instructions()
{
	local requests runs command

	requests=$(nr_requests "$@")
	runs=$(nr_runs "$@")
	command=("$build/ioload" -w "$2" -b "$3" -d "$4" -n "$requests"
		-u $((requests / 10)) ${server:+-s "$server"} "$dev")
	while [ $((runs--)) -gt 0 ]; do
		record "$@" "${command[*]}" "$("${command[@]}")"
	done
}

# The machine's ticks with work (tasks, kernel threads, interrupts), and its
# context switches
machine_counts()
{
	awk '$1 == "cpu" {
		for (i = 2; i <= 9; i++)
			busy += $i
		busy -= $5 + $6
	}
	$1 == "ctxt" { print busy, $2 }' /proc/stat
}

# fio_job WORKLOAD BYTES DEPTH RATE: sets $command
fio_job()
{
	local rw=(--rw="$1")

	[ "$1" != mix ] || rw=(--rw=randrw --rwmixread=70)
	[ "$4" -eq 0 ] || rw+=(--rate=$(($4 * 1000000)) --rate_process=linear)
	command=(fio --name=bench "${rw[@]}" --filename="$dev" --bs="$2" --iodepth="$3" --direct=1
		--ioengine=io_uring --size=100% --allow_file_create=0 --aux-path=. --eta=never
		--output-format=json --output=fio.json)
}

# A clock that counts instructions, but fio, whose own has milliseconds: what
# others have measured with it
measure_fio_instructions()
{
	local command requests=20000

	[ "$3" -lt 65536 ] || requests=2000
	fio_job "${@:2}"
	command+=(--number_ios=$requests --norandommap)
	"${command[@]}"
	record "$@" "${command[*]}" "$(jq -c '
		.jobs[0] | [.read, .write | select(.total_ios > 0)] | {
			requests: map(.total_ios) | add,
			ns: (map(.runtime) | max * 1000000)
		}' fio.json)"
}

# With a real clock: fio for $runtime
measure_time()
{
	local command before=(0 0) after=(0 0) machine_before machine_after result

	fio_job "${@:2}"
	command+=(--time_based --runtime="$runtime")
	# shellcheck disable=SC2207 # numbers
	{
		machine_before=($(machine_counts))
		[ -z "$server" ] || before=($(cpu_ticks "$server"))
		"${command[@]}"
		[ -z "$server" ] || after=($(cpu_ticks "$server"))
		machine_after=($(machine_counts))
	}
	result=$(jq -c --argjson user $((after[0] - before[0])) \
		--argjson system $((after[1] - before[1])) \
		--argjson busy $((machine_after[0] - machine_before[0])) \
		--argjson switches $((machine_after[1] - machine_before[1])) '
		.jobs[0] | ([.read, .write] | map(select(.total_ios > 0))) as $sides |
		{
			seconds: ([$sides[].runtime] | max | . / 1000),
			requests: ([$sides[].total_ios] | add),
			io_bytes: ([$sides[].io_bytes] | add),
			latency_mean_ns: (([$sides[] | .clat_ns.mean * .total_ios] | add) /
				([$sides[].total_ios] | add) | round),
			latency_p99_ns: ([$sides[].clat_ns.percentile["99.000000"]] | max),
			server_user_ms: ($user * 10), server_system_ms: ($system * 10),
			busy_ms: ($busy * 10), switches: $switches
		}' fio.json)
	record "$@" "${command[*]}" "$result"
}

measure()
{
	case $clock,$load in
	instructions,ioload) measure_instructions "$@" ;;
	instructions,fio) measure_fio_instructions "$@" ;;
	real,*) measure_time "$@" ;;
	esac
}
