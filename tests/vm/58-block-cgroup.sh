#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Config: CONFIG_BLK_CGROUP
# Who is charged for the I/O of a backend: the submitter's block cgroup for what is
# driven by bios, the server's for what goes through its ring
. "$(dirname "$0")/lib.sh"

cgroups=$PWD/cgroups
bytes=$((2 * 32 * 65536))

# submit: reads and writes of so many bytes, by a task of the cgroup "submitter"
submit()
{
	bash -c 'echo $$ >"$1" && dd if=/dev/zero of="$2" bs=64k count=32 oflag=direct &&
		dd if="$2" of=/dev/null bs=64k count=32 iflag=direct' bash \
		"$cgroups/submitter/cgroup.procs" "$dev" 2>dd.err
}

# charged CGROUP DEVICE: bytes read and written until now
charged()
{
	awk -v device="$(cat "/sys/class/block/${2#/dev/}/dev")" '
		$1 == device {
			for (i = 2; i <= NF; i++)
				if (split($i, pair, "=") && pair[1] ~ /^[rw]bytes$/)
					sum += pair[2]
		}
		END { print sum + 0 }' "$cgroups/$1/io.stat"
}

# is_charged CGROUP OTHER_CGROUP DEVICE: for what "submit" makes of it
is_charged()
{
	local before other

	before=$(charged "$1" "$3")
	other=$(charged "$2" "$3")
	submit
	[ $(($(charged "$1" "$3") - before)) -eq $bytes ] ||
		fail "$3: $1 was charged $(($(charged "$1" "$3") - before)) of $bytes bytes"
	[ "$(charged "$2" "$3")" -eq "$other" ] || fail "$3: $2 was charged, too"
}

mkdir "$cgroups"
mount -t cgroup2 cgroups "$cgroups"
echo +io >"$cgroups/cgroup.subtree_control"
mkdir "$cgroups/server" "$cgroups/submitter"

null_blk nullb1 64
add whole "$block_device"
echo "$pid" >"$cgroups/server/cgroup.procs"
is_charged submitter server "$block_device"
is_charged submitter server "$dev"
del

random_file "$disk/file" 64
sync -f "$disk/file"
add whole "$disk/file"
echo "$pid" >"$cgroups/server/cgroup.procs"
is_charged server submitter "$(findmnt -nro SOURCE "${disk%/*}")"
is_charged submitter server "$dev"
del

rmdir "$cgroups/server" "$cgroups/submitter"
umount "$cgroups"
