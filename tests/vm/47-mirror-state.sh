#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A leg that has failed a write is not read again: not after a swap to a policy
# with other slots, not by a new daemon, only when it is another file; with and
# without "degrade". What a leg cannot read comes from the other one.
. "$(dirname "$0")/lib.sh"

good="0 16384 linear /dev/nullb1 0"
bad_first_mib="0 2048 error
2048 14336 linear /dev/nullb1 2048"
no_reads="0 16384 flakey /dev/nullb1 0 0 1 1 error_reads"

# reads the whole device: a stale leg would give other bytes, or errors
read_all()
{
	dd if="$dev" of=read bs=1M iflag=direct status=none || fail "a read failed $1"
	cmp read expected || fail "wrong bytes $1"
}

# check LEG WHEN: LEG has failed, and is not read
check()
{
	[ "$(legs failed)" = "$1" ] || fail "failed legs $2: '$(legs failed)'"
	read_all "$2"
}

new_daemon()
{
	kill_daemon waiting
	recover
}

swap_is_settled()
{
	"$ublkpol" list >/dev/null
	[ ! -e "/run/ublkpol/$id/next" ]
}

write_new()
{
	head -c 64K /dev/urandom >new
	dd if=new of="$dev" bs=64K count=1 oflag=direct conv=notrunc status=none
}

# Both legs begin alike; the second one refuses writes to its first MiB
random_file "$disk/a" 8
cp "$disk/a" "$disk/copy"
null_blk nullb1 8
dd if="$disk/a" of="$block_device" bs=1M oflag=direct status=none
dm leg "$good"
leg=$block_device
add mirror-a "$disk/a" "$leg" -- --recovery wait
[ -z "$(legs failed)" ] || fail "a leg has failed already: $(legs failed)"

dm_becomes leg "$bad_first_mib"
write_new
# and can be read again, with what it missed missing
dm_becomes leg "$good"
cp "$disk/a" expected
cmp -n 65536 new expected
check fd1 "after the write"

"$ublkpol" swap -n "$id" "$policies/mirror-b.bpf.o"
check fd1 "after a swap"
"$ublkpol" swap -n "$id" "$policies/mirror-a.bpf.o"
check fd1 "after a swap back"
new_daemon
check fd1 "by a new daemon"
"$ublkpol" stats -n "$id" | grep -q 'fd1: failed a write' || fail "stats does not tell"

# in no mirror for a while: with a warning where a policy reads what is old
"$ublkpol" swap -n "$id" "$policies/whole.bpf.o" -b fd0="$disk/a" 2>errors
[ ! -s errors ] || fail "a warning about the good leg: $(cat errors)"
"$ublkpol" swap -n "$id" "$policies/halves.bpf.o" -b fd1="$leg" 2>errors
[ ! -s errors ] || fail "a warning about what was not kept: $(cat errors)"
"$ublkpol" swap -n "$id" "$policies/mirror-a.bpf.o"
[ -z "$(legs failed)" ] || fail "a leg that was dropped meanwhile has failed: $(legs failed)"
dm_becomes leg "$bad_first_mib"
write_new
dm_becomes leg "$good"
cp "$disk/a" expected
check fd1 "after another write"
"$ublkpol" swap -n "$id" "$policies/halves.bpf.o" 2>errors
grep -q 'backend fd1 has missed writes' errors || fail "no warning: $(cat errors)"
"$ublkpol" show -n "$id" | grep -q "fd1 = $leg (.*has missed writes)" ||
	fail "show does not tell: $("$ublkpol" show -n "$id")"
"$ublkpol" swap -n "$id" "$policies/mirror-a.bpf.o" 2>errors
[ ! -s errors ] || fail "a warning about a mirror: $(cat errors)"
check fd1 "after a policy without mirrors"

# the swap dies in the kernel, which waits for a write that fails then
dm_becomes leg "$good"
"$ublkpol" swap -n "$id" "$policies/mirror-a.bpf.o" -b fd1="$disk/copy"
"$ublkpol" swap -n "$id" "$policies/mirror-a.bpf.o" -b fd1="$leg"
[ -z "$(legs failed)" ] || fail "a new file has failed already: $(legs failed)"
dmsetup suspend leg
write_new &
writer=$!
within 20 write_in_flight || fail "no write is in flight"
"$ublkpol" swap -n "$id" "$policies/mirror-b.bpf.o" &
swapper=$!
within 20 swap_is_noted || fail "no swap is going on"
sleep 1
kill -9 $swapper
dmsetup reload leg <<<"$bad_first_mib"
dmsetup resume leg
wait $writer
wait $swapper || true
dm_becomes leg "$good"
cp "$disk/a" expected
within 20 swap_is_settled || fail "the swap is not settled: $(ls "/run/ublkpol/$id")"
check fd1 "after a swap that died"

# another file, which the user has copied
cp expected "$disk/copy"
"$ublkpol" swap -n "$id" "$policies/mirror-a.bpf.o" -b fd1="$disk/copy"
[ -z "$(legs failed)" ] || fail "a new file has failed already: $(legs failed)"
del

# Reads come from the first leg, and from the second one as long as it fails them
dd if=expected of="$leg" bs=1M oflag=direct status=none
add mirror-strict "$leg" "$disk/a" -- --recovery wait
dm_becomes leg "$no_reads"
read_all "with a leg that cannot read"
[ "$(stat_of '.mirrors[0].legs[0].read_errors')" -ge 8 ] || fail "$("$ublkpol" stats -n "$id")"
[ -z "$(legs failed)" ] || fail "a read made a failed leg of $(legs failed)"
dm_becomes leg "$good"
served=$(stat_of '.backends[0].read.bytes')
read_all "when it can read again"
[ "$(stat_of '.backends[0].read.bytes')" -eq $((served + (8 << 20))) ] ||
	fail "the first leg is not read any more"

# Without degrade the write fails, although the second leg has it
dm_becomes leg "$bad_first_mib"
! write_new 2>error || fail "a write succeeded without a leg"
grep -q 'Input/output error' error || fail "$(cat error)"
[ "$(stat_of '.mirrors[0].legs[0].write_errors')" -eq 1 ] || fail "$("$ublkpol" stats -n "$id")"
dm_becomes leg "$good"
cp "$disk/a" expected
cmp -n 65536 new expected
check fd0 "after a write that failed"
new_daemon
check fd0 "by a new daemon, after a write that failed"
[ "$(stat_of '.mirrors[0].legs[0].failed')" = true ] || fail "stats does not tell"
del
dmsetup remove leg
