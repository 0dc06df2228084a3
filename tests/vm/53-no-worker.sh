#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# There is no task to be had when a request needs the first worker of the server's
# io_uring: it waits, and does not fail
. "$(dirname "$0")/lib.sh"

limit=/proc/sys/kernel/threads-max
max=$(<$limit)
trap 'echo $max >$limit' EXIT

random_file "$disk/file" 4
sync -f "$disk/file"
add whole "$disk/file"
# From the limit on, only what the shell does itself
mkfifo go never
exec {go}<>go {never}<>never
(
	read -r -u "$go"
	exec dd if=/dev/zero of="$dev" bs=64k count=1 oflag=direct conv=notrunc,fsync status=none
) 2>dd.err &
writer=$!
echo 20 >$limit
echo >&"$go"
read -r -t 3 -u "$never" || true
ended=0
kill -0 $writer || ended=1
echo "$max" >$limit
[ $ended = 0 ] || fail "the flush did not wait: $(cat dd.err)"
wait $writer || fail "the flush failed: $(cat dd.err)"
del
