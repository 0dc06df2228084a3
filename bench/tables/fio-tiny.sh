# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The same on a kernel like the one that others measured on, see kernel/config-tiny
# shellcheck source=bench/tables/fio.sh
. "$(dirname "${BASH_SOURCE[0]}")/fio.sh"
title='Instructions per request of fio on a kernel after tinyconfig: one queue, one CPU'
kernel=$build/kernel-tiny
