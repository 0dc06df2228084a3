# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
title='Instructions per request with the scheduler that each device has by default'
clock=instructions
cpus=1
schedulers=default

plan()
{
	rows null 'bare dm-linear ublkpol-linear loop kublk-copy kublk-auto_zc kublk-batch' \
		'randread/4096/1 randread/4096/16 randwrite/4096/1 randwrite/4096/16'
}
