# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The backends, and the devices that are compared on them. A device's function
# sets $dev, the block device or file that takes the load, $server, the process
# that serves it (empty: the kernel does), and what "timed" sets.

disk_dir=/mnt/disk
nullb=/sys/kernel/config/nullb
file_mib=256

die()
{
	echo "bench: error: $*" >&2
	exit 1
}

# ---- backends: sets $backends, two alike -----------------------------------

# null_blk NAME ATTRIBUTE=VALUE...: completes in the submitter's own context
null_blk()
{
	local attribute

	mkdir "$nullb/$1"
	for attribute in irqmode=0 submit_queues="$queues" hw_queue_depth=128 "${@:2}"; do
		echo "${attribute#*=}" >"$nullb/$1/${attribute%%=*}"
	done
	echo 1 >"$nullb/$1/power"
	[ -b "/dev/$1" ] || die "no /dev/$1"
	scheduler_none "/dev/$1"
}

# Writes to all of a file or disk, past the page cache: pages left there would
# send direct writes on detours
fill()
{
	dd if=/dev/zero of="$1" bs=1M count=$file_mib oflag=direct status=none
}

# Two files on ext4, written once so that every block is there
ext4_files()
{
	local file

	mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 "$1"
	mkdir -p $disk_dir
	mount "$1" $disk_dir
	backends=($disk_dir/file0 $disk_dir/file1)
	for file in "${backends[@]}"; do
		fill "$file"
	done
	sync -f $disk_dir
}

backends_up()
{
	case $1 in
	null)
		null_blk nb0 size=131072
		null_blk nb1 size=131072
		backends=(/dev/nb0 /dev/nb1) ;;
	memory)
		null_blk nb0 memory_backed=1 size=$file_mib
		null_blk nb1 memory_backed=1 size=$file_mib
		backends=(/dev/nb0 /dev/nb1)
		fill /dev/nb0
		fill /dev/nb1 ;;
	file)
		null_blk nb0 memory_backed=1 size=$((file_mib * 5 / 2))
		ext4_files /dev/nb0 ;;
	disk)
		scheduler_none /dev/vda
		ext4_files /dev/vda ;;
	*) die "no backend is called $1" ;;
	esac
}

backends_down()
{
	! mountpoint -q $disk_dir || umount $disk_dir
	for disk in "$nullb"/nb*; do
		[ ! -d "$disk" ] || rmdir "$disk"
	done
}

# ---- devices ----------------------------------------------------------------

sectors()
{
	blockdev --getsz "$1"
}

# timed COMMAND...: makes the device; sets $made_by and $setup_us, its duration
timed()
{
	local began=${EPOCHREALTIME/./}

	made_by=${*//"$build"\//}
	"$@" || return
	setup_us=$((${EPOCHREALTIME/./} - began))
}

# Reads a table. Without udev there is no /dev/mapper/NAME
dm()
{
	cat >dm.table
	timed dmsetup create --noudevsync bench dm.table
	made_by+=", $(wc -l <dm.table) target(s): $(head -n 2 dm.table | paste -s -d ';')"
	dev=/dev/dm-$(dmsetup info -c --noheadings -o minor bench | tr -d ' ')
}

kublk()
{
	timed "$kublk" add -q "$queues" -d 128 "$@" >kublk.log 2>&1 || {
		cat kublk.log
		die "kublk add $*"
	}
	dev=/dev/ublkb$(sed -n 's/^dev id \([0-9]*\):.*/\1/p' kublk.log)
	server=$(pgrep -x kublk)
}

# policy OBJECT BACKEND...
policy()
{
	local args=() i=0 path

	for path in "${@:2}"; do
		args+=(--backend "fd$i=$path")
		i=$((i + 1))
	done
	timed "$ublkpol" add "$build/$1.bpf.o" "${args[@]}" -q "$queues" -d 128 >policy.log
	dev=$(<policy.log)
	server=$(pgrep -x ublkpol)
}

# Two linear targets, one after the other
dm_halves()
{
	dm < <(printf '0 %s linear %s 0\n%s %s linear %s 0\n' \
		"$(sectors "$1")" "$1" "$(sectors "$1")" "$(sectors "$2")" "$2")
}

# The last word of a kublk device is its mode
kublk_mode()
{
	case $1 in
	*-copy) mode=() ;;
	*-user_copy) mode=(-u) ;;
	*-zc) mode=(-z) ;;
	*-auto_zc) mode=(--auto_zc) ;;
	*-batch) mode=(--auto_zc -b) ;;
	*) die "no mode of kublk: $1" ;;
	esac
}

device_up()
{
	local a=${backends[0]} b=${backends[1]} mode=()

	server='' made_by='' setup_us=0
	case $1 in kublk-*) kublk_mode "$1" ;; esac
	case $1 in
	bare) dev=$a ;;
	dm-linear) dm <<<"0 $(sectors "$a") linear $a 0" ;;
	dm-halves) dm_halves "$a" "$b" ;;
	dm-ranges-*) dm < <("$bench/ranges" "${1##*-}" dm "$a" "$b") ;;
	dm-striped) dm <<<"0 $(($(sectors "$a") * 2)) striped 2 128 $a 0 $b 0" ;;
	loop)
		timed losetup --show --direct-io=on -f "$a" >loop.log
		dev=$(<loop.log) ;;
	kublk-stripe-*) kublk -t stripe "${mode[@]}" "$a" "$b" ;;
	kublk-*) kublk -t loop "${mode[@]}" "$a" ;;
	ublkpol-linear) policy bench/policies/linear "$a" ;;
	ublkpol-halves) policy policies/halves "$a" "$b" ;;
	ublkpol-ranges-1) policy bench/ranges-1 "$a" ;;
	ublkpol-ranges-*) policy "bench/${1#ublkpol-}" "$a" "$b" ;;
	ublkpol-stripe) policy bench/policies/stripe "$a" "$b" ;;
	*) die "no device is called $1" ;;
	esac
	[ -b "$dev" ] || [ "$1,$dev" = "bare,$disk_dir/file0" ] || die "$1: no block device: $dev"
}

device_down()
{
	case $1 in
	dm-*) dmsetup remove bench ;;
	loop) losetup -d "$dev" ;;
	kublk-*) "$kublk" del -n "${dev#/dev/ublkb}" >kublk.log ;;
	ublkpol-*) "$ublkpol" del -n "${dev#/dev/ublkb}" ;;
	esac
}

# ---- schedulers -------------------------------------------------------------

# Prints the scheduler of a block device; dm, which works on bios, has no choice
scheduler_of()
{
	local file=/sys/block/${1#/dev/}/queue/scheduler

	[ -d "${file%/queue/scheduler}" ] || die "no $1 in /sys/block"
	if [ -e "$file" ]; then
		sed -E 's/.*\[(.*)\].*/\1/' "$file"
	else
		echo none
	fi
}

scheduler_none()
{
	[ -b "$1" ] || return 0
	[ "$(scheduler_of "$1")" = none ] || echo none >"/sys/block/${1#/dev/}/queue/scheduler"
	[ "$(scheduler_of "$1")" = none ] || die "$1 does not take the scheduler none"
}
