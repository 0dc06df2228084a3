# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
title='With a real clock: two queues, two CPUs'
clock=real
cpus=2
queues=2
seconds=2

plan()
{
	local devices='ublkpol-linear loop kublk-copy kublk-auto_zc kublk-batch'
	local workloads='randread/4096/1 randread/4096/16 randread/4096/64 mix/4096/16
		write/524288/16 read/524288/16'

	rows null "bare dm-linear $devices" "$workloads"
	rows file "bare $devices" "$workloads"
}
