#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The limits of a device are those that its backends and its policy need: it takes no
# request that they could not serve, and serves what it takes
. "$(dirname "$0")/lib.sh"

# has ATTRIBUTE VALUE: of the device's queue
has()
{
	local value

	value=$(cat "/sys/block/${dev#/dev/}/queue/$1")
	[ "$value" = "$2" ] || fail "$policy on ${backends[*]}: $1 is $value, not $2"
}

# serves BLOCK MAX_KIB: what it is written in requests of all sizes, it has
serves()
{
	start_load --rw=randrw --bsrange="$1-$2k" --blockalign="$1" --iodepth=8 --verify=crc32c \
		--verify_backlog=16 --serialize_overlap=1
	end_load
	! dd if="$dev" of=/dev/null bs=$(($1 / 2)) skip=1 count=1 iflag=direct status=none \
		2>/dev/null || fail "half a block can be read"
	has write_cache 'write back'
	has fua 1
	has stable_writes 1
	grep -qF '[none]' "/sys/block/${dev#/dev/}/queue/scheduler" || fail "another scheduler"
}

# on POLICY BACKEND...: a device
on()
{
	policy=$1
	backends=("${@:2}")
	add "$@"
}

random_file "$disk/a" 16
random_file "$disk/b" 16
null_blk nullb1 16
small=$block_device
null_blk nullb2 16 blocksize=4096
large=$block_device
null_blk nullb3 16 blocksize=4096 max_sectors=64
large_and_short=$block_device

on halves "$disk/a" "$disk/b"
has logical_block_size 512
has chunk_sectors 0
most=$(cat "/sys/block/${dev#/dev/}/queue/max_hw_sectors_kb")
serves 512 "$most"
del

# The largest block of the backends is that of the device
for other in "$disk/a" "$small"; do
	on halves "$other" "$large"
	has logical_block_size 4096
	has physical_block_size 4096
	has max_hw_sectors_kb "$most"
	serves 4096 "$most"
	del
done

# What is too large for a backend is split below
on halves "$large" "$large_and_short"
has logical_block_size 4096
has max_hw_sectors_kb "$most"
serves 4096 "$most"
del

# A policy may want larger blocks than its backends
on large-blocks "$disk/a" "$small"
has logical_block_size 4096
serves 4096 "$most"
del

# A request of a stripe has no more parts than a plan
on stripe "$disk/a" "$large" "$disk/b"
has logical_block_size 4096
serves 4096 "$(cat "/sys/block/${dev#/dev/}/queue/max_hw_sectors_kb")"
del

# Memory that a backend cannot take is not offered to it
truncate -s 16M "$disk/image"
losetup --direct-io=on --sector-size 4096 /dev/loop0 "$disk/image"
on halves "$disk/a" /dev/loop0
has logical_block_size 4096
has dma_alignment "$(cat /sys/block/loop0/queue/dma_alignment)"
del
losetup -d /dev/loop0
