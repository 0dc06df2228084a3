#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The policies of policies/ that place data: random requests through each leave
# the backends as the interpreter says. A GiB of theirs is a MiB here.
. "$(dirname "$0")/lib.sh"

seed=61

# try POLICY REQUESTS NAME=MIB...: backends in the order in which the policy names them
try()
{
	local policy=$1 requests=$2 args=() paths=() backend
	shift 2

	for backend in "$@"; do
		random_file "$disk/${backend%=*}" "${backend#*=}"
		args+=(--backend "${backend%=*}=$disk/${backend%=*}")
		paths+=("$disk/${backend%=*}")
	done
	added "$("$ublkpol" add "$BUILD/small/$policy.bpf.o" "${args[@]}" -q 2)"
	echo "$policy:"
	"$BUILD/random-io" "$BUILD/small/$policy.ublkpol" "$dev" "$(scaled "$requests")" $seed \
		"${paths[@]}"
	seed=$((seed + 1))
	del
	rm "${paths[@]}"
}

try halves 1000 fd0=20 fd1=20
try stripe 1000 fd0=20 fd1=21
try concat 1000 old=20 new=15
try mirror 2000 left=30 right=30
try fast-reads 1000 fast=30 slow=30
try tenants 1000 ssd=16 disk=44
try spread 2000 large=40 small=40
try fast-head 1000 fast=6 slow=96
try hot-ranges 2000 fast=40 slow=40
try migrate-copy 1000 old=30 new=30
