#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A leg that has failed a write is not read again: not after a swap to a policy
# with other slots, not by a new daemon, only when it is another file
. "$(dirname "$0")/lib.sh"

failed_legs()
{
	"$ublkpol" show -n "$id" --json |
		jq -r '[.mirrors[].legs[] | select(.failed) | .backend] | join(" ")'
}

# reads the whole device: the failed leg would give other bytes, or errors
check()
{
	[ "$(failed_legs)" = fd1 ] || fail "failed legs $1: '$(failed_legs)'"
	dd if="$dev" of=read bs=1M iflag=direct status=none
	cmp read expected || fail "the stale leg was read $1"
}

is_waiting()
{
	"$ublkpol" list --json | jq -e ".[] | select(.id == $id) | .state == \"waiting\"" >/dev/null
}

# Both legs begin alike; the second one refuses writes to its first MiB
random_file "$disk/a" 8
null_blk nullb1 8
dd if="$disk/a" of="$block_device" bs=1M oflag=direct status=none
dm leg "0 16384 linear $block_device 0"
add mirror-a "$disk/a" "$block_device" -- --recovery wait
[ -z "$(failed_legs)" ] || fail "a leg has failed already: $(failed_legs)"

dmsetup suspend leg
dmsetup reload leg <<<"0 2048 error
2048 14336 linear /dev/nullb1 2048"
dmsetup resume leg
head -c 64K /dev/urandom >new
dd if=new of="$dev" bs=64K count=1 oflag=direct conv=notrunc status=none
# and can be read again, with what it missed missing
dmsetup suspend leg
dmsetup reload leg <<<"0 16384 linear /dev/nullb1 0"
dmsetup resume leg
cp "$disk/a" expected
cmp -n 65536 new expected
check "after the write"

"$ublkpol" swap -n "$id" "$policies/mirror-b.bpf.o"
check "after a swap"
"$ublkpol" swap -n "$id" "$policies/mirror-a.bpf.o"
check "after a swap back"
kill -9 "$pid"
within 20 is_waiting || fail "not waiting: $("$ublkpol" list)"
timeout 60 "$ublkpol" recover -n "$id"
pid=$("$ublkpol" list --json | jq ".[] | select(.id == $id) | .pid")
check "by a new daemon"
"$ublkpol" stats -n "$id" | grep -q 'fd1: failed a write' || fail "stats does not tell"

# another file, which the user has copied
cp expected "$disk/copy"
"$ublkpol" swap -n "$id" "$policies/mirror-a.bpf.o" -b fd1="$disk/copy"
[ -z "$(failed_legs)" ] || fail "a new file has failed already: $(failed_legs)"
del
dmsetup remove leg
