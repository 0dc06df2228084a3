# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
title='With a real clock: one queue, one CPU'
clock=real
cpus=1
rounds=5

plan()
{
	local devices='ublkpol-linear loop kublk-copy kublk-user_copy kublk-zc kublk-auto_zc
		kublk-batch'
	local workloads='randread/4096/1 randread/4096/16 randread/4096/64
		randwrite/4096/1 randwrite/4096/16 randwrite/4096/64 mix/4096/16
		randread/65536/16 randwrite/65536/16 read/524288/16 write/524288/16'

	rows null "bare dm-linear $devices" "$workloads"
	rows file "bare $devices" "$workloads"
}
