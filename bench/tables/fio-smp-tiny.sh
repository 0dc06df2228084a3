# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The same on a kernel like the one that others measured on, see kernel/config-tiny
# shellcheck source=bench/tables/fio-smp.sh
. "$(dirname "${BASH_SOURCE[0]}")/fio-smp.sh"
title='Instructions per request of fio on a kernel after tinyconfig: one queue, two CPUs'
kernel=$build/kernel-tiny
# what a CPU frees, the other one may get: dm-linear varies by 2 %
fio_runs=7
