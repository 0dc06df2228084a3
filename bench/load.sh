# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Measurements on $dev, each as one line of JSON on standard output

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
# them, above all when there are reads and writes.
nr_runs()
{
	case $1,$2,$schedulers,$4 in
	kublk-*,default,?*[0-9] | kublk-*,mix,none,?*[0-9]) echo 9 ;;
	kublk-*,none,?*[0-9]) echo 5 ;;
	loop,* | *-copy,*) echo 3 ;;
	*) echo $(($3 >= 65536 ? 3 : 1)) ;;
	esac
}

# give_cpus DEPTH: who runs where and when, which else is luck; sets $start, which starts a
# load. With two CPUs, load and server, or the kernel's workers in the place of a server, are
# on the same CPU or not, and a wake-up of another CPU takes 2,000 instructions more. With
# one, for a table with a $nice, a load with several requests in flight goes first, as one
# with a CPU of its own would; with one request, that would only add task switches.
give_cpus()
{
	start=()
	# shellcheck disable=SC2154 # of the table
	if [ "$cpus" -gt 1 ]; then
		start=(taskset 1)
		echo 2 >/sys/devices/virtual/workqueue/cpumask
		[ -z "$server" ] || taskset -a -p 2 "$server" >/dev/null
	elif [ "$nice" -ne 0 ] && [ "$1" -gt 1 ]; then
		start=(nice -n "$nice")
	fi
}

measure_instructions()
{
	local requests runs start command

	requests=$(nr_requests "$@")
	runs=$(nr_runs "$@")
	give_cpus "$4"
	command=("${start[@]}" "$build/ioload" -w "$2" -b "$3" -d "$4" -n "$requests"
		-u $((requests / 10)) ${server:+-s "$server"} "$dev")
	while [ $((runs--)) -gt 0 ]; do
		record "$@" "${command[*]}" "$("${command[@]}")"
	done
}

# A clock that counts instructions, but fio, whose own has milliseconds: what
# others have measured with it
measure_fio_instructions()
{
	local start command requests=20000 runs=$fio_runs

	[ "$3" -lt 65536 ] || requests=2000
	# see nr_runs
	[ "$schedulers,$cpus" != default,1 ] || runs=15
	give_cpus "$4"
	command=("${start[@]}" fio --name=bench --rw="$2" --filename="$dev" --bs="$3"
		--iodepth="$4" --direct=1 --ioengine=io_uring --size=100% --allow_file_create=0
		--number_ios="$requests" --norandommap)
	while [ $((runs--)) -gt 0 ]; do
		"${command[@]}" --aux-path=. --eta=never --output-format=json --output=fio.json
		record "$@" "${command[*]}" "$(jq -c '
			.jobs[0] | [.read, .write | select(.total_ios > 0)] | {
				requests: map(.total_ios) | add,
				ns: (map(.runtime) | max * 1000000)
			}' fio.json)"
	done
}

# With a real clock: for $runtime ms
measure_time()
{
	local limit=() command

	[ "$5" -eq 0 ] || limit=(-r "$5")
	command=("$build/ioload" -w "$2" -b "$3" -d "$4" -t "$runtime" "${limit[@]}"
		${server:+-s "$server"} "$dev")
	record "$@" "${command[*]}" "$("${command[@]}")"
}

# measure DEVICE WORKLOAD/BYTES/DEPTH[/RATE]...
measure()
{
	local device=$1 workload fields

	shift
	for workload; do
		IFS=/ read -ra fields <<<"$workload/0"
		# shellcheck disable=SC2154 # of the table
		case $clock,$load in
		real,*) measure_time "$device" "${fields[@]:0:4}" ;;
		*,ioload) measure_instructions "$device" "${fields[@]:0:4}" ;;
		*,fio) measure_fio_instructions "$device" "${fields[@]:0:4}" ;;
		esac
	done
}
