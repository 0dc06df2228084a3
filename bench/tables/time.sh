# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
title='With a real clock: one and two queues, two CPUs'
clock=real
cpus=2
seconds=1
rounds=3

plan()
{
	local devices='ublkpol-linear loop kublk-copy kublk-auto_zc kublk-batch'
	local workloads='randread/4096/1 randread/4096/16 randread/4096/64 randwrite/4096/16
		mix/4096/16 randread/65536/16 write/524288/16 read/524288/16'

	for queues in 1 2; do
		rows null "bare dm-linear $devices" "$workloads"
		rows file "bare $devices" "$workloads"
	done
}
