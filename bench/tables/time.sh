# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
title='With a real clock: one queue, two CPUs'
clock=real
cpus=2
rounds=5

plan()
{
	local devices='ublkpol-linear loop kublk-copy kublk-user_copy kublk-zc kublk-auto_zc
		kublk-batch'

	rows null "bare dm-linear $devices" "$every_workload"
	rows file "bare $devices" "$every_workload"
}
