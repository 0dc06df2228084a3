# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
title='With a real clock: one queue, one CPU'
clock=real
cpus=1
runtime=500ms
rounds=1

plan()
{
	local small='randread/4096/1 randread/4096/16 randwrite/4096/1 randwrite/4096/16'

	rows null 'bare dm-linear ublkpol-linear loop kublk-copy kublk-auto_zc kublk-batch' \
		"$small"
	rows file 'bare ublkpol-linear loop kublk-copy kublk-user_copy kublk-zc kublk-auto_zc
		kublk-batch' \
		"$small randread/65536/16 randwrite/65536/16 write/524288/16 read/524288/16"
}
