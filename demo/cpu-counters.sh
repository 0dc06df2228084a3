# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only

# cpu_counters_command PID: what fio's exec_prerun and exec_postrun have to run for
# cpu_counters. PID is a server, or empty; threads of it may end meanwhile.
cpu_counters_command()
{
	echo "(cat /proc/stat${1:+ /proc/$1/stat /proc/$1/task/*/stat} || true)"
}

# cpu_counters FILE...: for each "USER SYSTEM BUSY SWITCHES" of what cpu_counters_command
# printed: the time of all threads of the server, that of all work of the machine (tasks,
# kernel threads, interrupts), in clock ticks, and the machine's context switches. The
# kernel knows the server's sum exactly, but samples the shares: of the process it would
# charge the user mode of the thread that set things up to those that work now.
cpu_counters()
{
	awk '
	function finish() { print user + 0, all - user, busy, switches }
	FNR == 1 {
		if (NR > 1)
			finish()
		user = all = busy = nr_lines = 0
	}
	$1 == "cpu" {
		for (i = 2; i <= 9; i++)
			busy += $i
		busy -= $5 + $6
	}
	$1 == "ctxt" { switches = $2 }
	/^[0-9]+ \(/ {
		sub(/.*\) /, "")
		if (nr_lines++)
			user += $12
		else
			all = $12 + $13
	}
	END { finish() }' "$@"
}
