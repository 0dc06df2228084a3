#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Policies of policies/ and of tests/vm/policies: random requests through each
# leave the backends as the interpreter says. A GiB of policies/ is a MiB here.
. "$(dirname "$0")/lib.sh"

seed=61

# try DIRECTORY/POLICY REQUESTS NAME=MIB...: backends as the policy first names them;
# NAME=OTHER is a copy of another one, as a mirror wants it
try()
{
	local policy=$BUILD/$1 requests=$2 args=() paths=() backend source
	shift 2

	source=$policy.ublkpol
	[ -e "$source" ] || source=$tests/${policy##*/}.ublkpol
	for backend in "$@"; do
		case ${backend#*=} in
		[0-9]*) random_file "$disk/${backend%=*}" "${backend#*=}" ;;
		*) cp "$disk/${backend#*=}" "$disk/${backend%=*}" ;;
		esac
		args+=(--backend "${backend%=*}=$disk/${backend%=*}")
		paths+=("$disk/${backend%=*}")
	done
	added "$("$ublkpol" add "$policy.bpf.o" "${args[@]}" -q 2)"
	echo "${policy##*/}:"
	"$BUILD/random-io" "$source" "$dev" "$(scaled "$requests")" $seed "${paths[@]}"
	seed=$((seed + 1))
	del
	rm "${paths[@]}"
}

tests=$(dirname "$(realpath "$0")")/policies
try small/halves 1000 fd0=20 fd1=20
try small/stripe 1000 fd0=20 fd1=21
try small/concat 1000 old=20 new=15
try small/mirror 1000 left=20 right=left
try small/fast-reads 1000 fast=20 slow=fast
try small/tenants 1000 ssd=16 disk=44
try small/spread 1000 large=30 small=30
try small/fast-head 1000 fast=5 slow=95
try small/hot-ranges 1000 fast=30 slow=30
try small/migrate-copy 1000 old=20 new=old
try small/bad-sectors 1000 fd0=80
try small/bandwidth 1000 disk=20
try tests/vm/policies/crossed 1000 fd1=20 fd0=20
try tests/vm/policies/large-blocks 1000 fd0=20 fd1=20
try tests/vm/policies/quarters 1000 fd0=20 fd1=20
try tests/vm/policies/mirror-b 1000 fd1=20 fd0=fd1
