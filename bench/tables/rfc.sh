# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the RFC of 2023 measured: 512 KiB, 16 requests in flight, files on a
# disk, the CPU time of the server at the same bandwidth; and then without a cap
title='The experiment of the RFC: 512 KiB, one queue, two CPUs, with a real clock'
clock=real
cpus=2
disk=1G
seconds=2
rounds=2

plan()
{
	rows disk 'bare kublk-copy kublk-zc kublk-auto_zc kublk-batch loop ublkpol-linear' \
		'write/524288/16/150 read/524288/16/150 write/524288/16 read/524288/16'
}
