# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For the scripts here, whose argument is the compiler: results, and a folder that
# goes away, $work

ublkpolc=$1
failures=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

result() { # STATUS NAME
	if [ "$1" -eq 0 ]; then
		echo "PASS $ublkpolc: $2"
	else
		echo "FAIL $ublkpolc: $2"
		failures=$((failures + 1))
	fi
}

expect_status() { # STATUS COMMAND...
	local expected=$1 status
	shift
	"$@" >"$work/out" 2>"$work/err"
	status=$?
	[ $status -eq "$expected" ] && return
	cat "$work/out" "$work/err"
	echo "exit status $status, expected $expected: $*"
	return 1
}
