# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
title='Instructions per request of all CPUs: one and two queues, two CPUs'
clock=instructions
cpus=2

plan()
{
	local devices='ublkpol-linear loop kublk-copy kublk-user_copy kublk-zc kublk-auto_zc
		kublk-batch'
	local workloads='randread/4096/1 randread/4096/16 randwrite/4096/1 randwrite/4096/16
		read/524288/16 write/524288/16'

	for queues in 1 2; do
		rows null "bare dm-linear $devices" "$workloads"
		rows file "bare $devices" "$workloads"
	done
}
