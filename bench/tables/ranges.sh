# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
title='Instructions per request with many ranges, on two backends in turn'
clock=instructions
cpus=1

plan()
{
	local n devices=bare

	for n in 1 10 100 1000 10000 100000; do
		devices+=" dm-ranges-$n ublkpol-ranges-$n"
	done
	rows null "$devices" 'randread/4096/1 randread/4096/16'
}
