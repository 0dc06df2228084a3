# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
title='Instructions per request: 4 KiB, one queue, one CPU'
clock=instructions
cpus=1

plan()
{
	local workloads='randread/4096/1 randread/4096/16 randwrite/4096/1 randwrite/4096/16'

	rows null 'bare dm-linear ublkpol-linear loop kublk-copy kublk-auto_zc kublk-batch' \
		"$workloads"
	rows file 'bare ublkpol-linear loop kublk-copy kublk-auto_zc kublk-batch' "$workloads"
}
