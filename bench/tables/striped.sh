# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
title='Instructions per request: two backends, one queue, one CPU'
clock=instructions
cpus=1

plan()
{
	local servers='ublkpol-stripe kublk-stripe-copy kublk-stripe-user_copy kublk-stripe-zc
		kublk-stripe-auto_zc kublk-stripe-batch'

	rows null "bare dm-linear dm-halves dm-striped ublkpol-halves $servers" "$every_workload"
	rows memory "bare dm-linear dm-halves dm-striped ublkpol-halves $servers" "$every_workload"
	rows file "bare ublkpol-halves $servers" "$every_workload"
}
