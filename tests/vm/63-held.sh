#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Requests that a policy holds end long before their time when it is replaced, when the
# device is deleted and when its daemon dies, on both engines; none is lost
. "$(dirname "$0")/lib.sh"

held=$policies/held.bpf.o

# add_held BACKEND [OPTION...]
add_held()
{
	added "$("$ublkpol" add "$held" --backend "fd0=$1" "${@:2}")"
}

# write_held BLOCK: 4 KiB of the file "new" that have to wait; sets $writer
write_held()
{
	dd if=new of="$dev" bs=4K count=1 skip="$1" seek="$1" oflag=direct conv=notrunc \
		status=none 2>dd.err &
	writer=$!
	within 5 write_in_flight || fail "nothing is written"
	! has_ended "$writer" || fail "the write was not held: $(cat dd.err)"
}

# ends WHAT BLOCK [MAY_FAIL]: the write of the block, in much less than its 60 s
ends()
{
	local status=0

	within 10 has_ended "$writer" || fail "$backend, $1: the write is still held"
	wait "$writer" || status=$?
	if [ $status -eq 0 ]; then
		cmp -s -n 4096 -i $(($2 * 4096)) new "$backend" || fail "$backend, $1: it is lost"
	elif [ $# -eq 2 ]; then
		fail "$backend, $1: the write ended with $status: $(cat dd.err)"
	fi
}

head -c 64K /dev/urandom >new
truncate -s 8M "$disk/a"
null_blk nullb1 8
for backend in "$disk/a" "$block_device"; do
	add_held "$backend"
	write_held 0
	limited 10 "$ublkpol" swap -n "$id" "$policies/whole.bpf.o"
	ends swap 0
	limited 10 "$ublkpol" swap -n "$id" "$held"
	write_held 1
	limited 10 "$ublkpol" del -n "$id" --force
	ends del 1 fails

	add_held "$backend"
	write_held 2
	kill -9 "$pid"
	ends death 2 fails
	"$ublkpol" del -n "$id"

	# Through a ring it is issued again, and held by the new daemon's policy; a bio that
	# was submitted then needs no daemon
	add_held "$backend" --recovery reissue
	write_held 3
	kill_daemon waiting
	recover
	limited 10 "$ublkpol" swap -n "$id" "$policies/whole.bpf.o"
	ends recovery 3
	del
done
