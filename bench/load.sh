# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Measurements on $dev, each as one line of JSON on standard output

# shellcheck source=bench/cpu-counters.sh
. "$bench/cpu-counters.sh"

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
	if [ "$3" -ge 524288 ]; then
		echo 300
	elif [ "$3" -ge 65536 ]; then
		echo 1000
	elif [ "$1" = loop ] && [ "$4" -gt 1 ]; then
		echo 40000
	else
		echo 5000
	fi
}

# How often to measure, for the mean: few large requests are little beside what the
# kernel does at its own times, and who wakes up whom is luck at depth 1, too. Requests in
# flight go to a server one by one or several at a time, and remain so for thousands of
# them, above all with a scheduler, or when there are reads and writes.
nr_runs()
{
	case $1,$2,$schedulers,$4 in
	kublk-*,default,?*[0-9]) echo 9 ;;
	kublk-*,mix,none,?*[0-9]) echo 9 ;;
	kublk-*,none,?*[0-9]) echo 5 ;;
	loop,* | *-copy,*) echo 3 ;;
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
	# Else load and server, or the kernel's worker in the place of a server, are on the
	# same CPU or not, as it happens, and a wake-up of another CPU takes 2,000 instructions
	# more
	# shellcheck disable=SC2154 # of the table
	if [ "$cpus" -gt 1 ]; then
		command=(taskset 1 "${command[@]}")
		echo 2 >/sys/devices/virtual/workqueue/cpumask
		[ -z "$server" ] || taskset -a -p 2 "$server" >/dev/null
	fi
	while [ $((runs--)) -gt 0 ]; do
		record "$@" "${command[*]}" "$("${command[@]}")"
	done
}

# fio_options WORKLOAD BYTES DEPTH RATE: sets $options
fio_options()
{
	options=(rw="$1")
	[ "$1" != mix ] || options=(rw=randrw rwmixread=70)
	options+=(filename="$dev" bs="$2" iodepth="$3" direct=1 ioengine=io_uring size=100%
		allow_file_create=0)
	[ "$4" -eq 0 ] || options+=(rate=$(($4 * 1000000)) rate_process=linear)
}

run_fio()
{
	fio --aux-path=. --eta=never --output-format=json --output=fio.json "$@"
}

# A clock that counts instructions, but fio, whose own has milliseconds: what
# others have measured with it
measure_fio_instructions()
{
	local options command requests=20000 runs=1

	[ "$3" -lt 65536 ] || requests=2000
	# see nr_runs
	[ "$schedulers,$cpus" = none,1 ] || runs=15
	fio_options "${@:2}"
	command=(--name=bench "${options[@]/#/--}" --number_ios="$requests" --norandommap)
	while [ $((runs--)) -gt 0 ]; do
		run_fio "${command[@]}"
		record "$@" "fio ${command[*]}" "$(jq -c '
			.jobs[0] | [.read, .write | select(.total_ios > 0)] | {
				requests: map(.total_ios) | add,
				ns: (map(.runtime) | max * 1000000)
			}' fio.json)"
	done
}

# time_result JOB: of that job in fio.json, and of what it noted before and after
time_result()
{
	local before after

	{
		read -ra before
		read -ra after
	} < <(cpu_counters "$1.prerun.txt" "$1.postrun.txt")
	jq -c --argjson job "$1" --argjson user $((after[0] - before[0])) \
		--argjson system $((after[1] - before[1])) \
		--argjson busy $((after[2] - before[2])) \
		--argjson switches $((after[3] - before[3])) '
		.jobs[$job] | ([.read, .write] | map(select(.total_ios > 0))) as $sides |
		{
			seconds: ([$sides[].runtime] | max | . / 1000),
			requests: ([$sides[].total_ios] | add),
			io_bytes: ([$sides[].io_bytes] | add),
			latency_mean_ns: (([$sides[] | .clat_ns.mean * .total_ios] | add) /
				([$sides[].total_ios] | add) | round),
			latency_p99_ns: ([$sides[].clat_ns.percentile["99.000000"]] | max),
			server_user_ms: ($user * 10), server_system_ms: ($system * 10),
			busy_ms: ($busy * 10), switches: $switches
		}' fio.json
}

# With a real clock: fio for $runtime. One process has all workloads of a device as jobs,
# one after the other: it takes seconds to start here, which is no work of the device.
measure_time()
{
	local device=$1 workload fields options commands=() counters job

	shift
	counters=$(cpu_counters_command "$server")
	for workload; do
		IFS=/ read -ra fields <<<"$workload/0"
		fio_options "${fields[@]:0:4}"
		options+=(time_based runtime="$runtime")
		printf '%s\n' "[${#commands[@]}]" stonewall "${options[@]}" \
			exec_prerun="$counters" exec_postrun="$counters"
		commands+=("fio --name=bench ${options[*]/#/--}")
	done >fio.jobs
	run_fio fio.jobs
	job=0
	for workload; do
		IFS=/ read -ra fields <<<"$workload/0"
		record "$device" "${fields[@]:0:4}" "${commands[job]}" "$(time_result $job)"
		job=$((job + 1))
	done
}

# measure DEVICE WORKLOAD/BYTES/DEPTH[/RATE]...
measure()
{
	local device=$1 workload fields

	# shellcheck disable=SC2154 # of the table
	if [ "$clock" = real ]; then
		measure_time "$@"
		return
	fi
	shift
	for workload; do
		IFS=/ read -ra fields <<<"$workload/0"
		case $load in
		ioload) measure_instructions "$device" "${fields[@]:0:4}" ;;
		fio) measure_fio_instructions "$device" "${fields[@]:0:4}" ;;
		esac
	done
}
