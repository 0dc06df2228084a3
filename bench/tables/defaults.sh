# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Here servers and the kernel's workers would preempt the load for each request, or for
# several, and either lasts for thousands of them: the load goes first
title='Instructions per request with the scheduler that each device has by default: 4 KiB;'
title+=' the backend has none'
clock=instructions
cpus=1
schedulers=default
nice=-15

plan()
{
	rows null 'bare dm-linear ublkpol-linear loop kublk-copy kublk-auto_zc kublk-batch' \
		'randread/4096/1 randread/4096/16 randwrite/4096/1 randwrite/4096/16'
}
