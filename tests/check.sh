# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# check NAME COMMAND...: a test of a suite. It passes when the command prints nothing and
# succeeds.
check()
{
	local name="${0##*/}: $1" output
	shift

	if output=$("$@" 2>&1) && [ -z "$output" ]; then
		echo "PASS $name"
	else
		head -n 60 <<<"$output"
		echo "FAIL $name"
	fi
}
