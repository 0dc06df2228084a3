# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The load that others measure with, for comparison with their figures
title='Instructions per request of fio, its own included: one queue, one CPU'
clock=instructions
cpus=1
load=fio

plan()
{
	local peers='kublk-copy kublk-auto_zc kublk-batch'

	rows null "bare dm-linear ublkpol-linear loop kublk-auto_zc kublk-batch" \
		'randread/4096/1 randread/4096/16'
	rows null "bare dm-linear ublkpol-linear loop $peers" 'read/524288/16 write/524288/16'
	schedulers=default
	rows null "bare $peers" 'randread/4096/1 randread/4096/16'
}
