#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The daemon is killed, or stopped, again and again under load, on both engines,
# with and without recovery: no write that was acknowledged is lost, and none that
# was not lands later over one that was
. "$(dirname "$0")/lib.sh"

writes_done()
{
	awk '{ print $5 }' "/sys/block/${dev#/dev/}/stat"
}

writes_went_on()
{
	[ "$(writes_done)" -ge $((writes_before + 40)) ]
}

# some more writes than now
wait_for_writes()
{
	writes_before=$(writes_done)
	within 60 writes_went_on ||
		fail "$backends, $mode: no writes get through: $(cat writer.out)"
}

start_writer()
{
	"$kernel_tests/acknowledged" write "$dev" state 16 >writer.out 2>&1 &
	writer=$!
	wait_for_writes
}

# end_writer STATUS: after it was told to end (0) or met an error (3)
end_writer()
{
	local status=0

	within 60 has_ended "$writer" || fail "$backends, $mode: requests hang"
	wait "$writer" || status=$?
	[ $status -eq "$1" ] ||
		fail "$backends, $mode: writer ended with $status: $(cat writer.out)"
}

verify()
{
	"$kernel_tests/acknowledged" verify "$dev" state ||
		fail "$backends, $mode: lost writes"
}

add_device()
{
	# shellcheck disable=SC2086 # two paths
	add halves $backends -- -q 2 -d 32 -r "$mode"
}

# Requests wait for the next daemon: the writer notices nothing
kill_and_recover()
{
	kill -9 "$pid"
	"$ublkpol" recover -n "$id"
	added "$dev"
	wait_for_writes
}

# Requests fail until the next daemon comes
kill_and_recover_failing()
{
	kill -9 "$pid"
	end_writer 3
	"$ublkpol" recover -n "$id"
	added "$dev"
	verify
	start_writer
}

# The device is lost, its backends are not
lose_device()
{
	"$@"
	[ ! -e "$dev" ] || fail "$dev is still there"
	add_device
	verify
	start_writer
}

kill_daemon()
{
	kill -9 "$pid"
	end_writer 3
	"$ublkpol" del -n "$id"
}

# As long as the device is in use it goes on; then the daemon deletes it and ends
stop_daemon()
{
	kill -TERM "$pid"
	sleep 3
	wait_for_writes
	kill -TERM "$writer"
	end_writer 0
	# it may not have got round to the first one before
	kill -TERM "$pid" 2>/dev/null || true
	within 30 daemon_is_gone || fail "the daemon does not end"
}

delete_device()
{
	"$ublkpol" del -n "$id" --force
	end_writer 3
}

# of each way to die: 4 kills and 3 orderly ends, on 3 pairs of backends
rounds=$(repeated 1 17)

run_rounds()
{
	rm -f state
	add_device
	start_writer
	for ((round = 0; round < rounds; round++)); do
		"$@"
	done
	kill -TERM "$writer"
	end_writer 0
	verify
	del
}

null_blk nullb_a 8 irqmode=2 completion_nsec=1000000
null_blk nullb_b 8 irqmode=2 completion_nsec=1000000
truncate -s 8M "$disk/a" "$disk/b" tmpfs
for backends in "$disk/a $disk/b" "/dev/nullb_a /dev/nullb_b" "tmpfs /dev/nullb_a"; do
	for mode in wait reissue; do
		run_rounds kill_and_recover
	done
	mode=fail
	run_rounds kill_and_recover_failing
	mode=none
	run_rounds lose_device kill_daemon
	for mode in none reissue; do
		run_rounds lose_device stop_daemon
	done
	mode=reissue
	run_rounds lose_device delete_device
done
