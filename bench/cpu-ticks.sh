# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only

# cpu_ticks PID: user and system time of all threads of a process, in clock ticks. The
# kernel knows the sum exactly, but samples the shares: of the process it would charge
# the user mode of the thread that set things up to those that work now.
cpu_ticks()
{
	local all user

	all=$(sed 's/.*) //' "/proc/$1/stat" | awk '{ print $12 + $13 }')
	user=$({ sed 's/.*) //' "/proc/$1"/task/*/stat 2>/dev/null || true; } |
		awk '{ user += $12 } END { print user }')
	echo "$user $((all - user))"
}
