# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the RFC of 2023 measured: 512 KiB, 16 requests in flight, files on a
# disk, the CPU time of the server at the same bandwidth; and then without a cap.
# The share of user mode is counted in ticks of 10 ms, which takes a longer round; a
# bandwidth wants more of them.
title='The experiment of the RFC: 512 KiB, one queue, two CPUs, with a real clock'
clock=real
cpus=2
disk=1G

plan()
{
	local devices='bare loop kublk-copy kublk-user_copy kublk-zc kublk-auto_zc kublk-batch
		ublkpol-linear'

	rounds=3 runtime=2000
	rows disk "$devices" 'write/524288/16/150 read/524288/16/150'
	rounds=7 runtime=500
	rows disk "$devices" 'write/524288/16 read/524288/16'
}
