# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
title='Instructions per request: two backends, one queue, one CPU'
clock=instructions
cpus=1

plan()
{
	local servers='ublkpol-stripe kublk-stripe-copy kublk-stripe-user_copy kublk-stripe-zc
		kublk-stripe-auto_zc kublk-stripe-batch'
	local workloads='randread/4096/1 randread/4096/16 randread/4096/64
		randwrite/4096/1 randwrite/4096/16 randwrite/4096/64 mix/4096/16
		randread/65536/16 randwrite/65536/16
		read/524288/16 write/524288/16 randread/524288/16 randwrite/524288/16'

	rows null "bare dm-linear dm-halves dm-striped ublkpol-halves $servers" "$workloads"
	rows memory "bare dm-linear dm-halves dm-striped ublkpol-halves $servers" "$workloads"
	rows file "bare ublkpol-halves $servers" "$workloads"
}
