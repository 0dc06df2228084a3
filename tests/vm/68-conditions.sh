#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Real requests against each condition that is not about addresses: which rules
# served how many of them, on both engines. Requests that one rule might take for
# those of another come in different numbers.
. "$(dirname "$0")/lib.sh"

# counters: what each rule has served so far but flushes, a line "NAME NUMBER" for each
counters()
{
	"$ublkpol" stats -n "$id" --json | jq -r '.[0].rules[] | "\(.counter) \(
		[.read, .write, .discard, .["write-zeroes"]] | map(.requests) | add)"'
}

# counts "NAME=NUMBER ..." COMMAND...: which rules serve the requests of COMMAND
counts()
{
	local got

	"${@:2}"
	counters >after
	got=$(paste before after | awk '$2 != $4 { printf " %s=%d", $1, $4 - $2 }')
	[ "$got" = " $1" ] || fail "${*:2}:$got, not $1"
	mv after before
}

# read_at MIB BS COUNT [FLAGS [EXTRA_BYTES]], and the same for writes: one after the other
read_at()
{
	dd if="$dev" of=/dev/null bs="$2" count="$3" skip=$((($1 << 20) + ${5:-0})) \
		iflag="${4:-direct},skip_bytes" status=none
}

write_at()
{
	dd if=/dev/zero of="$dev" bs="$2" count="$3" seek=$((($1 << 20) + ${5:-0})) \
		oflag="${4:-direct},seek_bytes" conv="${6:-notrunc}" status=none
}

# as COMMAND... -- FUNCTION ARG...: the function as the COMMAND runs it
as()
{
	local command=()

	while [ "$1" != -- ]; do
		command+=("$1")
		shift
	done
	shift
	"${command[@]}" bash -c "$*"
}

# many OFFSET NUMBER OPTION...: reads of 4 KiB that do not wait for each other
many()
{
	limited 60 fio --name=many --filename="$dev" --direct=1 --ioengine=io_uring --rw=randread \
		--bs=4k --iodepth=8 --offset="$1" --size=1M --number_ios="$2" --aux-path=. \
		--output=fio.out "${@:3}"
}

cpus()
{
	as taskset -c 0 -- read_at 1 4K 1
	as taskset -c 1 -- read_at 1 4K 2
	many 1M 100 --cpus_allowed=0
	many 1M 200 --cpus_allowed=1
}

queues()
{
	local queue

	for queue in 0 1; do
		as taskset -c "$(cat "/sys/block/${dev#/dev/}/mq/$queue/cpu_list")" -- \
			read_at 2 4K $((queue + 1))
	done
}

# All reads are sync; direct writes that are waited for, too, and idle; writeback for an
# fsync is sync alone, and other writeback has no flag
flags()
{
	write_at 3 4K 2 direct,dsync
	write_at 3 4K 3
	read_at 3 4K 4
	write_at 3 4K 1 noatime 0 notrunc,fsync
	write_at 3 4K 1 nocache
}

readahead()
{
	read_at 4 64K 3
	echo 3 >/proc/sys/vm/drop_caches
	read_at 4 64K 16 fullblock
}

# ext4 marks what it reads for itself
metadata()
{
	ls mnt/directory >/dev/null
	dd if=mnt/file of=/dev/null bs=4K count=3 iflag=direct status=none
}

sizes()
{
	read_at 5 4K 1
	write_at 5 12K 2
	read_at 5 4K 4 direct 512
	write_at 5 512 8
	read_at 6 8K 1
	read_at 6 512 2
	write_at 6 64K 4
	read_at 6 12K 16
	write_at 6 68K 5
	write_at 12 8K 1
	write_at 12 12K 64
	read_at 12 8K 32
}

priorities()
{
	read_at 7 4K 1
	as ionice -c 2 -n 4 -- read_at 7 4K 2
	as ionice -c 1 -n 3 -- read_at 7 4K 4
	as ionice -c 1 -n 5 -- read_at 7 4K 5
	as ionice -c 2 -n 3 -- read_at 7 4K 6
	as ionice -c 2 -n 5 -- read_at 7 4K 7
	as ionice -c 3 -- read_at 7 4K 8
}

# from two CPUs at once: no turn is lost
turns()
{
	as taskset -c 0 -- write_at 8 4K 255 &
	as taskset -c 1 -- write_at 8 4K 255
	wait $!
	read_at 8 4K 5
}

# a file system on half of the device, of which nothing is in memory
start_ext4()
{
	mkfs.ext4 -q "$file_system"
	mount "$file_system" mnt
	mkdir mnt/directory
	head -c 64K /dev/urandom >mnt/file
	umount mnt
	mount -o ro "$file_system" mnt
	counters >before
}

# for 1 MiB of readahead in requests of the size that the device takes
readahead_bytes()
{
	stat_of '.rules[] | select(.counter == "ahead") | .read.bytes'
}

run()
{
	export dev
	[[ "$(cat "/sys/block/${dev#/dev/}/queue/scheduler")" = *\[none\]* ]] ||
		echo none >"/sys/block/${dev#/dev/}/queue/scheduler"
	counters >before
	counts 'cpu1=202 rest=101' cpus
	counts 'queue1=2 rest=1' queues
	counts 'durable=2 sync_idle=3 synced=5 rest=1' flags
	counts 'whole_blocks=3 sized=7 small_write=1 rest=129' sizes
	counts 'rt3=4 urgent=11 lowest=8 normal=3 rest=7' priorities
	counts 'third=170 rest=345' turns
	counts 'rest=50' read_at 9 4K 50
	"$ublkpol" set -n "$id" maybe=100%
	counts 'maybe=50' read_at 9 4K 50
	"$ublkpol" set -n "$id" maybe=50%
	read_at 9 4K 200
	counters >after
	chance=$(paste before after | awk '$1 == "maybe" { print $4 - $2 }')
	{ [ "$chance" -gt 50 ] && [ "$chance" -lt 150 ]; } || fail "$chance of 200 had a chance"
	mv after before
	readahead
	[ "$(readahead_bytes)" -eq $((1 << 20)) ] || fail "readahead: $(readahead_bytes) bytes"
	dm fs "0 32768 linear $dev 32768"
	file_system=$block_device
	start_ext4
	counts 'inodes=2 data=3' metadata
	umount mnt
	dmsetup remove fs
}

export -f read_at write_at
mkdir mnt
truncate -s 32M "$disk/a" "$disk/b"
add conditions "$disk/a" -- -q 2
run
del
add conditions "$(losetup --find --show "$disk/b")" -- -q 2
run
del
