# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
title='With a real clock: two backends with one queue, and two queues, two CPUs'
clock=real
cpus=2
rounds=5

plan()
{
	local servers='ublkpol-stripe kublk-stripe-copy kublk-stripe-user_copy kublk-stripe-zc
		kublk-stripe-auto_zc kublk-stripe-batch'
	local one='ublkpol-linear loop kublk-copy kublk-auto_zc kublk-batch'
	local small='randread/4096/1 randread/4096/16 randwrite/4096/1 randwrite/4096/16'
	local large='randread/65536/16 randwrite/65536/16 read/524288/16 write/524288/16'

	rows null "bare dm-halves dm-striped ublkpol-halves $servers" "$small $large"
	rows file "bare ublkpol-halves $servers" "$small $large"
	queues=2
	rows null "bare dm-linear $one" "$small $large"
	rows file "bare $one" "$small $large"
}
