# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the VM tests share. A test runs in an empty directory on tmpfs; $disk is
# an empty one on ext4, for real files. $SLOWNESS says how many times slower than
# the plain kernel the guest is (the debug kernel is): time limits are multiplied
# by it, and what only gains from being repeated is done less often (scaled).
set -eEuo pipefail

# shellcheck disable=SC2034 # for the tests
disk=/mnt/disk/test
policies=$BUILD/tests/vm/policies
ublkpol=$BUILD/ublkpol
# shellcheck disable=SC2034
kernel_tests=$BUILD/tests/kernel

fail()
{
	echo "FAILED: $*" >&2
	exit 1
}

trap 'echo "failed in line $LINENO: $BASH_COMMAND" >&2' ERR

# random_file FILE MIB [EXTRA_BYTES]: content of its own, of a period that is
# no multiple of a sector
random_file()
{
	head -c 1000003 /dev/urandom >random.block
	while cat random.block; do :; done 2>/dev/null | head -c $(($2 * 1048576 + ${3:-0})) >"$1" ||
		true
	[ "$(stat -c %s "$1")" -eq $(($2 * 1048576 + ${3:-0})) ]
}

# null_blk NAME MIB [ATTRIBUTE=VALUE...]: a memory-backed disk; sets $block_device
null_blk()
{
	local dir=/sys/kernel/config/nullb/$1 attribute

	mkdir "$dir"
	for attribute in memory_backed=1 size="$2" "${@:3}"; do
		echo "${attribute#*=}" >"$dir/${attribute%%=*}"
	done
	echo 1 >"$dir/power"
	block_device=/dev/$1
	[ -b "$block_device" ] || fail "no $block_device"
}

# dm NAME TABLE: sets $block_device; without udev there is no /dev/mapper/NAME
dm()
{
	dmsetup create --noudevsync "$1" <<<"$2"
	block_device=/dev/dm-$(dmsetup info -c --noheadings -o minor "$1" | tr -d ' ')
	[ -b "$block_device" ] || fail "no $block_device"
}

# dm_becomes NAME TABLE: what it does from now on
dm_becomes()
{
	dmsetup suspend "$1"
	dmsetup reload "$1" <<<"$2"
	dmsetup resume "$1"
}

# add POLICY PATH... [-- OPTION...]: a device whose fd0, fd1 ... are the PATHs;
# sets $dev, $id and $pid
add()
{
	local args=("$policies/$1.bpf.o") i=0
	shift

	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		args+=(--backend "fd$i=$1")
		i=$((i + 1))
		shift
	done
	added "$("$ublkpol" add "${args[@]}" "${@:2}")"
}

# added DEVICE: a device that "ublkpol add" has named; sets $dev, $id and $pid
added()
{
	dev=$1
	[ -b "$dev" ] || fail "'$dev' is no block device"
	id=${dev#/dev/ublkb}
	pid=$("$ublkpol" list --json | jq ".[] | select(.id == $id) | .pid")
}

# has_ended PID: that process
has_ended()
{
	! kill -0 "$1" 2>/dev/null
}

daemon_is_gone()
{
	has_ended "$pid"
}

# del: $dev, with its daemon, whose last files close just before it is gone
del()
{
	"$ublkpol" del -n "$id"
	[ ! -e "$dev" ] || fail "$dev is still there"
	within 10 daemon_is_gone || fail "the daemon still runs"
}

# state_is STATE: of the device
state_is()
{
	[ "$("$ublkpol" list --json | jq -r ".[] | select(.id == $id) | .state")" = "$1" ]
}

# kill_daemon STATE: which the device gets
kill_daemon()
{
	kill -9 "$pid"
	within 20 state_is "$1" || fail "not $1: $("$ublkpol" list)"
}

# shellcheck disable=SC2120 # with no ARG in most tests
# recover ARG...: the device gets a new daemon; sets $pid
recover()
{
	limited 60 "$ublkpol" recover -n "$id" "$@" >recover.out 2>&1 ||
		fail "not recovered: $(cat recover.out)"
	state_is live || fail "not live: $("$ublkpol" list)"
	pid=$("$ublkpol" list --json | jq ".[] | select(.id == $id) | .pid")
}

# refused STATUS TEXT COMMAND...: it says what matches TEXT
refused()
{
	local expected=$1 text=$2 status=0
	shift 2

	limited 60 "$@" >output 2>&1 || status=$?
	[ $status -eq "$expected" ] || fail "status $status, not $expected: $*: $(cat output)"
	grep -qE -- "$text" output || fail "not '$text': $(cat output)"
}

# stat_of JQ_PATH: a number of the device's statistics
stat_of()
{
	"$ublkpol" stats -n "$id" --json | jq ".[0] | $1"
}

# legs FIELD: the names of the mirrors' legs of which it is true: failed, in_sync
legs()
{
	"$ublkpol" show -n "$id" --json |
		jq -r "[.mirrors[].legs[] | select(.$1) | .backend] | join(\" \")"
}

# scaled NUMBER: as much of a repetition as a slow guest does, at least 1
scaled()
{
	echo $(($1 > SLOWNESS ? $1 / SLOWNESS : 1))
}

# repeated NUMBER SOAK_NUMBER: how often to do what only gains from being repeated,
# in make check (scaled) and in make check-soak
repeated()
{
	if [ "$SOAK" = 1 ]; then
		echo "$2"
	else
		scaled "$1"
	fi
}

# limited SECONDS COMMAND...: status 124 when the command has not ended by then
limited()
{
	timeout $(($1 * SLOWNESS)) "${@:2}"
}

# within SECONDS COMMAND...: fails when the command has not succeeded by then
within()
{
	local end=$((SECONDS + $1 * SLOWNESS))
	shift

	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.2
	done
}

# run_fio ARG...: O_DIRECT on $dev
run_fio()
{
	[ -b "$dev" ] || fail "$dev is no block device"
	fio --name=test --filename="$dev" --direct=1 --ioengine=io_uring --output-format=terse \
		--terse-version=5 --output=fio.out --aux-path=. "$@" >fio.err 2>&1 || {
		cat fio.err fio.out
		return 1
	}
}

# requests_done: reads and writes of $dev
requests_done()
{
	awk '{ print $1 + $5 }' "/sys/block/${dev#/dev/}/stat"
}

# write_in_flight: is $dev busy with one?
write_in_flight()
{
	[ "$(awk '{ print $2 }' "/sys/block/${dev#/dev/}/inflight")" -gt 0 ]
}

# swap_is_noted: is one going on, of the device $id?
swap_is_noted()
{
	[ -e "/run/ublkpol/$id/next" ]
}

# load_goes_on: the load does its work at this moment
load_goes_on()
{
	local before

	before=$(requests_done)
	within 60 eval "[ \$(requests_done) -gt $((before + 100)) ]" ||
		fail "the load does not go on: $(cat load.err load.out)"
}

# start_load ARG...: a fio that works on $dev until end_load; sets $load
start_load()
{
	fio --name=load --filename="$dev" --direct=1 --ioengine=io_uring --time_based \
		--runtime=36000 --aux-path=. --output=load.out "$@" >load.err 2>&1 &
	load=$!
	load_goes_on
}

# start_verify: a load that reads what it has written and compares
start_verify()
{
	start_load --rw=randrw --bsrange=4k-128k --blockalign=4k --iodepth=16 --verify=crc32c \
		--verify_backlog=64 --serialize_overlap=1 --fsync=32
}

# end_load: fails if the load has seen an error
end_load()
{
	kill -0 "$load" || fail "the load ended: $(cat load.err load.out)"
	kill -INT "$load"
	# Its status is that of the signal, what counts is in its report
	wait "$load" || true
	grep -q 'err= 0' load.out || fail "the load saw an error: $(cat load.out)"
}
