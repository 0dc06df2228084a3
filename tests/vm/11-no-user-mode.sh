#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# While I/O runs, no thread of the daemon enters user mode: the kernel's own
# tracer sees no system call of its return, and the count that "ublkpol stats"
# shows stands still. (Its user time would say less: the kernel samples it, and
# scales the samples to a run time that grows.) On block devices it does not run at all.
. "$(dirname "$0")/lib.sh"

tracing=/sys/kernel/tracing

user_returns()
{
	stat_of '[.queues[].user_returns] | add'
}

requests()
{
	stat_of '[.rules[] | .read.requests, .write.requests] | add'
}

# Of all threads of the daemon but the workers of its rings, which look now and then
# whether they are needed, and end
task_switches()
{
	{ cat /proc/"$pid"/task/*/status 2>/dev/null || true; } |
		awk '/^Name:/ { worker = $2 ~ /^iou-wrk/ }
			/ctxt_switches/ && !worker { n += $2 }
			END { print n }'
}

random_file "$disk/a" 64
random_file "$disk/b" 64
random_file c 64
null_blk nullb_a 64
null_blk nullb_b 64
for backends in "$disk/a $disk/b" "$disk/a c" "/dev/nullb_a /dev/nullb_b"; do
	# shellcheck disable=SC2086 # two paths
	add halves $backends -- -q 2
	run_fio --rw=randread --bs=4k --iodepth=8 --size=1M

	echo >$tracing/trace
	ls /proc/"$pid"/task >$tracing/set_event_pid
	echo 1 >$tracing/events/raw_syscalls/sys_exit/enable
	returns=$(user_returns)
	requests=$(requests)
	switches=$(task_switches)

	run_fio --rw=randrw --bsrange=512-256k --blockalign=512 --iodepth=32 --numjobs=2 \
		--size=64M --io_size=64M --fsync=50

	requests=$(($(requests) - requests))
	[ $requests -gt 1000 ] || fail "only $requests requests"
	[ "$(user_returns)" -eq "$returns" ] || fail "user_returns moved"
	switches=$(($(task_switches) - switches))
	case $backends in
	/dev/*) [ $switches -eq 0 ] || fail "the daemon ran $switches times" ;;
	*) [ $switches -gt 0 ] || fail "no thread of the daemon submitted I/O on files" ;;
	esac
	! grep sys_exit $tracing/trace || fail "the daemon returned from system calls"

	# the tracer would have seen it
	del
	echo 0 >$tracing/events/raw_syscalls/sys_exit/enable
	grep -q sys_exit $tracing/trace || fail "the tracer does not work"
	echo >$tracing/set_event_pid
done
