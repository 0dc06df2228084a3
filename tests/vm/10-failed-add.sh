#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# An "add" that fails, at whatever point, says why and leaves nothing behind
. "$(dirname "$0")/lib.sh"

halves=$policies/halves.bpf.o

state()
{
	find /dev -name 'ublk[bc]*'
	pgrep -x ublkpol || true
	find /run/ublkpol -mindepth 1 2>/dev/null || true
	ls /sys/class/ublk-char
	cat /sys/class/block/*/holders/* 2>/dev/null || true
}

# leaves_nothing STATUS TEXT COMMAND...: the command is refused
leaves_nothing()
{
	refused "$@"
	[ "$(state)" = "$before" ] || fail "left behind by $*: $(state)"
}

random_file a 4
random_file b 4
: >empty
before=$(state)

leaves_nothing 2 'NAME=PATH' "$ublkpol" add "$halves" --backend fd0
leaves_nothing 2 'usage|policy' "$ublkpol" add
leaves_nothing 4 'fd1' "$ublkpol" add "$halves" --backend fd0=a
leaves_nothing 4 'fd7' "$ublkpol" add "$halves" --backend fd0=a --backend fd1=b --backend fd7=a
leaves_nothing 4 'included.inc:2: ' "$ublkpol" add "$policies/includes.bpf.o" --backend fd0=a
leaves_nothing 4 'nothing.*No such file' "$ublkpol" add "$halves" \
	--backend fd0=a --backend fd1=nothing
leaves_nothing 4 'empty' "$ublkpol" add "$halves" --backend fd0=a --backend fd1=empty
leaves_nothing 4 'No such file' "$ublkpol" add nothing.bpf.o --backend fd0=a --backend fd1=b
leaves_nothing 4 'a is no compiled policy' "$ublkpol" add a --backend fd0=a --backend fd1=b
leaves_nothing 5 '77' "$ublkpol" del -n 77

# a number and backends that are taken
cp a c
cp b d
add halves a b -- -n 5
before=$(state)
leaves_nothing 1 'exists|in use|taken' "$ublkpol" add "$halves" --backend fd0=c --backend fd1=d -n 5
leaves_nothing 4 'locked' "$ublkpol" add "$halves" --backend fd0=c --backend fd1=b
# a disk that somebody else holds
null_blk nullb1 8
dm holder "0 16384 linear $block_device 0"
before=$(state)
leaves_nothing 4 'busy' "$ublkpol" add "$halves" --backend fd0=c --backend fd1=/dev/nullb1
dmsetup remove holder
# one that may not be written
blockdev --setro /dev/nullb1
leaves_nothing 4 'nullb1 is read-only' "$ublkpol" add "$halves" --backend fd0=c \
	--backend fd1=/dev/nullb1
del
before=$(state)
# what a device had open may be closed a moment after it is gone
flock b sh -c 'touch locked && sleep 0.5' &
within 10 test -e locked || fail "flock has not locked"
add halves a b
wait $!
del
before=$(state)

# Runs out of file descriptors at every point there is: 3 are not enough to
# begin, and with enough of them it succeeds
steps=0
for limit in $(seq 3 200); do
	(ulimit -n "$limit" && limited 20 "$ublkpol" add "$halves" --backend fd0=a \
		--backend fd1=b -q 2) >output 2>&1 && break
	[ -s output ] || fail "no message with $limit file descriptors"
	[ "$(state)" = "$before" ] || fail "left behind with $limit descriptors: $(state)"
	steps=$((steps + 1))
done
[ $steps -gt 5 ] || fail "failed only $steps times"
[ "$limit" -lt 200 ] || fail "never succeeded: $(cat output)"
"$ublkpol" del -a
[ "$(state)" = "$before" ] || fail "left behind by del -a: $(state)"
