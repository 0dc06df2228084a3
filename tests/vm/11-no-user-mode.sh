#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# While I/O runs, no thread of the daemon enters user mode: the kernel's own
# tracer sees no system call of its return, and the count that "ublkpol stats"
# shows stands still. (Its user time would say less: the kernel samples it, and
# scales the samples to a run time that grows.)
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

random_file "$disk/a" 64
random_file "$disk/b" 64
random_file c 64
for backends in "$disk/a $disk/b" "$disk/a c"; do
	# shellcheck disable=SC2086 # two paths
	add halves $backends -- -q 2
	run_fio --rw=randread --bs=4k --iodepth=8 --size=1M

	echo >$tracing/trace
	ls /proc/"$pid"/task >$tracing/set_event_pid
	echo 1 >$tracing/events/raw_syscalls/sys_exit/enable
	returns=$(user_returns)
	requests=$(requests)

	run_fio --rw=randrw --bsrange=512-256k --blockalign=512 --iodepth=32 --numjobs=2 \
		--size=64M --io_size=64M --fsync=50

	requests=$(($(requests) - requests))
	[ $requests -gt 1000 ] || fail "only $requests requests"
	[ "$(user_returns)" -eq "$returns" ] || fail "user_returns moved"
	! grep sys_exit $tracing/trace || fail "the daemon returned from system calls"

	# the tracer would have seen it
	del
	echo 0 >$tracing/events/raw_syscalls/sys_exit/enable
	grep -q sys_exit $tracing/trace || fail "the tracer does not work"
	echo >$tracing/set_event_pid
done
