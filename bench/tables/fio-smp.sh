# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
title='Instructions per request of fio, its own included: one queue, two CPUs'
clock=instructions
cpus=2
load=fio

plan()
{
	rows null 'bare dm-linear ublkpol-linear loop' randread/4096/16
	schedulers=default
	rows null 'bare kublk-copy kublk-auto_zc kublk-batch' randread/4096/16
}
