# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Bandwidth on a machine that has other things to do: many short rounds, in which
# the devices take turns
title='Large requests with a real clock, in turns: one queue, two CPUs'
clock=real
cpus=2
seconds=1
rounds=15

plan()
{
	rows file 'kublk-copy kublk-auto_zc ublkpol-linear' 'write/524288/16 read/524288/16'
}
