# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
title='Instructions per request: every mode of the peers, one queue, one CPU'
clock=instructions
cpus=1

plan()
{
	local devices='ublkpol-linear loop kublk-copy kublk-user_copy kublk-zc kublk-auto_zc
		kublk-batch'

	rows null "bare dm-linear $devices" "$every_workload"
	rows memory "bare dm-linear $devices" "$every_workload"
	rows file "bare $devices" "$every_workload"
}
