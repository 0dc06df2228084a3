// SPDX-License-Identifier: GPL-2.0-only
/*
 * by-hand OBJECT BACKEND0 BACKEND1 BAD_BACKEND [ring]: run a hand-written program on
 * a ublk device and check what each of its regions does. The third backend fails
 * everything. "ring" keeps block devices on the ring engine. Prints one line per
 * check; exit status 0 if all are right.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <bpf/bpf.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/ioprio.h>

#include "queue.h"
#include "regions.h"
#include "test_program.h"
#include "ublk_control.h"

#define QUEUE_DEPTH 16
#define IO_BYTES    8192U
#define ZEROED	    65536U
#define NR_BACKENDS 3

struct by_hand {
	struct ublk_control control;
	struct ublksrv_ctrl_dev_info info;
	int backends[NR_BACKENDS];
	int prog_fd, complete_fd;
	int record_fd;
	int char_fd;
	int disk_fd;
	struct queue queue;
	struct queue_counters counters;
};

static void start_device(struct by_hand *t, bool ring)
{
	struct ublk_params params = {
		.len = sizeof(params),
		.types = UBLK_PARAM_TYPE_BASIC | UBLK_PARAM_TYPE_DISCARD,
		.basic = {
			.attrs = UBLK_ATTR_VOLATILE_CACHE | UBLK_ATTR_FUA,
			.logical_bs_shift = 9,
			.physical_bs_shift = 12,
			.io_min_shift = 9,
			.io_opt_shift = 12,
			.max_sectors = 1024,
			.chunk_sectors = REGION_BYTES / 512,
			.dev_sectors = (__u64)NR_REGIONS * REGION_BYTES / 512,
		},
		.discard = {
			.discard_granularity = 4096,
			.max_discard_sectors = REGION_BYTES / 512,
			.max_write_zeroes_sectors = REGION_BYTES / 512,
			.max_discard_segments = 1,
		},
	};
	struct ublk_bpf_slot slots[NR_BACKENDS] = {
		{ .fd = t->backends[0], .flags = ring ? UBLK_BPF_SLOT_RING : 0 },
		{ .fd = t->backends[1], .flags = ring ? UBLK_BPF_SLOT_RING : 0 },
		{ .fd = t->backends[2], .flags = ring ? UBLK_BPF_SLOT_RING : 0 },
	};
	struct ublk_bpf_attach attach = {
		.prog_fd = t->prog_fd,
		.complete_fd = t->complete_fd,
		.flags = UBLK_BPF_ATTACH_COMPLETE,
		.max_items = 4,
		.nr_slots = NR_BACKENDS,
		.slots = (unsigned long)slots,
	};
	struct ublkpol_error err = {};
	char node[64];

	t->info = (struct ublksrv_ctrl_dev_info){
		.dev_id = -1,
		.nr_hw_queues = 1,
		.queue_depth = QUEUE_DEPTH,
		.max_io_buf_bytes = 1 << 20,
		.flags = UBLK_F_BPF | UBLK_F_CMD_IOCTL_ENCODE | UBLK_F_USER_COPY,
	};
	require(ublk_control_open(&t->control, &err), "open the control device");
	require(ublk_control_add(&t->control, &t->info), "ADD_DEV");
	snprintf(node, sizeof(node), UBLK_CHAR_NODE, t->info.dev_id);
	t->char_fd = open(node, O_RDWR);
	require_fd(t->char_fd, node);
	require(ublk_control_set_params(&t->control, t->info.dev_id, &params), "SET_PARAMS");
	require(ublk_control_attach_bpf(&t->control, t->info.dev_id, &attach), "ATTACH_BPF");
	check(ublk_control_attach_bpf(&t->control, t->info.dev_id, &attach) == -EBUSY,
	      "a second attach is refused");

	t->queue = (struct queue){
		.depth = QUEUE_DEPTH,
		.char_fd = t->char_fd,
		.exit_fd = eventfd(0, 0),
		.counters = &t->counters,
	};
	require(queue_start(&t->queue, &err), "queue thread");
	require(ublk_control_start(&t->control, t->info.dev_id), "START_DEV");
	snprintf(node, sizeof(node), "/dev/ublkb%d", t->info.dev_id);
	t->disk_fd = open(node, O_RDWR | O_DIRECT);
	require_fd(t->disk_fd, node);
}

static void stop_device(struct by_hand *t)
{
	close(t->disk_fd);
	require(ublk_control_stop(&t->control, t->info.dev_id), "STOP_DEV");
	queue_join(&t->queue);
	close(t->char_fd);
	require(ublk_control_del(&t->control, t->info.dev_id), "DEL_DEV");
	ublk_control_close(&t->control);
}

static off_t region_offset(enum region region)
{
	return (off_t)region * REGION_BYTES + 3 * 512;
}

static void *pattern(unsigned char seed)
{
	unsigned char *buffer = aligned_alloc(4096, IO_BYTES);
	unsigned int i;

	for (i = 0; i < IO_BYTES; i++)
		buffer[i] = seed + i / 512 + i;
	return buffer;
}

/* 0 or the errno that the device gave */
static int device_io(struct by_hand *t, bool write, enum region region, void *buffer)
{
	ssize_t n = write ? pwrite(t->disk_fd, buffer, IO_BYTES, region_offset(region))
			  : pread(t->disk_fd, buffer, IO_BYTES, region_offset(region));

	if (n < 0)
		return errno;
	return n == IO_BYTES ? 0 : EPIPE;
}

static bool backend_has(struct by_hand *t, int slot, enum region region, unsigned int first,
			unsigned int len, const unsigned char *want)
{
	unsigned char *got = aligned_alloc(4096, IO_BYTES);
	bool same;

	same = pread(t->backends[slot], got, len, region_offset(region) + first) == (ssize_t)len &&
	       !memcmp(got, want + first, len);
	free(got);
	return same;
}

static void check_region(struct by_hand *t, enum region region, const char *name, int write_errno,
			 int read_errno)
{
	unsigned char *out = pattern(region * 16 + 1);
	unsigned char *in = pattern(0);
	int ret;

	ret = device_io(t, true, region, out);
	check(ret == write_errno, "%s: write gives %s", name, strerror(write_errno));
	ret = device_io(t, false, region, in);
	check(ret == read_errno, "%s: read gives %s", name, strerror(read_errno));
	if (region == REGION_HALF_ZERO)
		memset(out, 0, IO_BYTES / 2);
	if (!write_errno && !read_errno) {
		check(!memcmp(in, out, IO_BYTES), "%s: what was written is read", name);
	}
	free(in);
	free(out);
}

static void check_placement(struct by_hand *t)
{
	unsigned char *want;

	want = pattern(REGION_SLOT0 * 16 + 1);
	check(backend_has(t, 0, REGION_SLOT0, 0, IO_BYTES, want), "slot 0: all on backend 0");
	free(want);
	want = pattern(REGION_SLOT1 * 16 + 1);
	check(backend_has(t, 1, REGION_SLOT1, 0, IO_BYTES, want), "slot 1: all on backend 1");
	check(!backend_has(t, 0, REGION_SLOT1, 0, IO_BYTES, want), "slot 1: not on backend 0");
	free(want);
	want = pattern(REGION_MIRROR * 16 + 1);
	check(backend_has(t, 0, REGION_MIRROR, 0, IO_BYTES, want), "mirror: on backend 0");
	check(backend_has(t, 1, REGION_MIRROR, 0, IO_BYTES, want), "mirror: on backend 1");
	free(want);
	want = pattern(REGION_SPLIT * 16 + 1);
	check(backend_has(t, 0, REGION_SPLIT, 0, IO_BYTES / 2, want), "split: first half");
	check(backend_has(t, 1, REGION_SPLIT, IO_BYTES / 2, IO_BYTES / 2, want),
	      "split: second half");
	free(want);
	want = pattern(REGION_HALF_ZERO * 16 + 1);
	check(!backend_has(t, 0, REGION_HALF_ZERO, 0, IO_BYTES / 2, want),
	      "half zero: dropped bytes are not on the backend");
	free(want);
}

static __u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (__u64)ts.tv_sec * 1000000000ULL + (__u64)ts.tv_nsec;
}

static void check_hold(struct by_hand *t)
{
	__u64 began = now_ns();

	check_region(t, REGION_HOLD, "hold", 0, 0);
	check(now_ns() - began >= 2 * REGION_HOLD_NS, "hold: a write and a read were held");
}

static struct by_hand_record record(const struct by_hand *t)
{
	struct by_hand_record r;
	__u32 key = 0;

	require(bpf_map_lookup_elem(t->record_fd, &key, &r), "read the program's record");
	return r;
}

/* One write with a priority, on a CPU, that has to be durable: the program sees all of that */
static void check_context(struct by_hand *t)
{
	const unsigned int ioprio = IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 3);
	unsigned char *bytes = pattern(REGION_SLOT0 * 16 + 1);
	struct iovec iov = { .iov_base = bytes, .iov_len = IO_BYTES };
	struct by_hand_record r;
	cpu_set_t all, one;

	CPU_ZERO(&one);
	CPU_SET((int)sysconf(_SC_NPROCESSORS_ONLN) - 1, &one);
	require(sched_getaffinity(0, sizeof(all), &all), "sched_getaffinity");
	require(sched_setaffinity(0, sizeof(one), &one), "sched_setaffinity");
	require(syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, ioprio), "ioprio_set");
	check(pwritev2(t->disk_fd, &iov, 1, region_offset(REGION_SLOT0), RWF_DSYNC) == IO_BYTES,
	      "context: a durable write");
	r = record(t);
	check(r.start_sector == (__u64)region_offset(REGION_SLOT0) / 512 &&
		      r.nr_sectors == IO_BYTES / 512,
	      "context: where");
	check(r.op == UBLK_IO_OP_WRITE, "context: op");
	check(r.flags & UBLK_IO_F_FUA && r.flags & UBLK_IO_F_SYNC, "context: flags");
	check(r.dev_id == t->info.dev_id && r.q_id == 0 && r.tag < QUEUE_DEPTH,
	      "context: device, queue, tag");
	check(r.ioprio == ioprio, "context: I/O priority");
	check(CPU_ISSET(r.cpu, &one), "context: CPU");
	require(syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, 0), "ioprio_set");
	require(sched_setaffinity(0, sizeof(all), &all), "sched_setaffinity");
	free(bytes);
}

static void check_complete(struct by_hand *t)
{
	struct by_hand_record before = record(t), r;
	unsigned char *want = pattern(REGION_RETRY * 16 + 1);
	__u64 began = now_ns();

	check_region(t, REGION_RETRY, "retry", 0, 0);
	r = record(t);
	check(backend_has(t, 0, REGION_RETRY, 0, IO_BYTES, want), "retry: on backend 0");
	check(now_ns() - began >= 2 * REGION_HOLD_NS, "retry: both waited for the second attempt");
	check(r.nr_failures - before.nr_failures == 4 && r.attempt == 2,
	      "retry: two attempts of each failed");
	check(r.item_slot == 2 && r.item_result == -EIO && r.item_opcode == IORING_OP_READ,
	      "retry: what failed");
	check(r.item_off == (__u64)region_offset(REGION_RETRY) && !r.item_addr &&
		      r.item_len == IO_BYTES,
	      "retry: where it failed");
	check_region(t, REGION_SETTLE, "settle", 0, 0);
	check_region(t, REGION_STANDS, "stands", ENOSPC, ENOSPC);
	check(record(t).nr_failures - r.nr_failures == 3, "settle, stands: three failures");
	free(want);
}

enum zeroing {
	ZEROING_DISCARD,
	ZEROING_UNMAP,
	ZEROING_KEEP,
	NR_ZEROINGS,
};

static int zero_device(struct by_hand *t, enum zeroing zeroing, off_t at)
{
	__u64 range[2] = { (__u64)at, ZEROED };

	if (zeroing == ZEROING_DISCARD)
		return ioctl(t->disk_fd, BLKDISCARD, range) < 0 ? errno : 0;
	return fallocate(t->disk_fd,
			 FALLOC_FL_KEEP_SIZE | (zeroing == ZEROING_UNMAP ? FALLOC_FL_PUNCH_HOLE
									 : FALLOC_FL_ZERO_RANGE),
			 at, ZEROED) < 0
		       ? errno
		       : 0;
}

/* Bytes from @first on, of both backends' @slots, read as zeroes; all others as written */
static void check_zeroing(struct by_hand *t, enum region region, const char *name,
			  unsigned int slots, unsigned int first)
{
	static const char *const names[] = { "discard", "unmapping zeroes", "zeroes" };
	const off_t at = (off_t)region * REGION_BYTES + ZEROED;
	unsigned char *want = aligned_alloc(4096, ZEROED), *got = aligned_alloc(4096, ZEROED);
	unsigned int slot;
	enum zeroing i;

	for (i = 0; i < NR_ZEROINGS; i++) {
		memset(want, 0x5a, ZEROED);
		for (slot = 0; slot < 2; slot++)
			check(pwrite(t->backends[slot], want, ZEROED, at) == ZEROED,
			      "%s: fill backend %u", name, slot);
		check(!zero_device(t, i, at), "%s: %s works", name, names[i]);
		for (slot = 0; slot < 2; slot++) {
			memset(want, 0x5a, ZEROED);
			if (slots & 1U << slot)
				memset(want + first, 0, ZEROED - first);
			check(pread(t->backends[slot], got, ZEROED, at) == ZEROED &&
				      !memcmp(got, want, ZEROED),
			      "%s: %s leaves what it should on backend %u", name, names[i], slot);
		}
	}
	free(want);
	free(got);
}

static void check_zeroings(struct by_hand *t)
{
	check_zeroing(t, REGION_SLOT0, "slot 0", 1, 0);
	check_zeroing(t, REGION_MIRROR, "mirror", 3, 0);
	check_zeroing(t, REGION_HALF_ZERO, "half dropped", 1, ZEROED / 2);
	/* of a discard, the block layer would say that it worked */
	check(zero_device(t, ZEROING_UNMAP, REGION_SLOT1 * (off_t)REGION_BYTES) == EOPNOTSUPP,
	      "slot 1: the program refuses to zero");
}

static int attach_flipped(struct by_hand *t, __u32 flags, __u32 slot_flags)
{
	struct ublk_bpf_slot slots[NR_BACKENDS] = {
		{ .fd = slot_flags ? 1 : t->backends[1], .flags = slot_flags },
		{ .fd = slot_flags ? 0 : t->backends[0], .flags = slot_flags },
		{ .fd = slot_flags ? 2 : t->backends[2], .flags = slot_flags },
	};
	struct ublk_bpf_attach attach = {
		.prog_fd = t->prog_fd,
		.complete_fd = t->complete_fd,
		.flags = flags | UBLK_BPF_ATTACH_COMPLETE,
		.max_items = 8,
		.nr_slots = NR_BACKENDS,
		.slots = (unsigned long)slots,
	};

	return ublk_control_attach_bpf(&t->control, t->info.dev_id, &attach);
}

static void check_flipped(struct by_hand *t, enum region region, int slot, const char *name)
{
	unsigned char *want = pattern(region * 16 + 1);

	check_region(t, region, name, 0, 0);
	check(backend_has(t, slot, region, 0, IO_BYTES, want), name);
	free(want);
}

/* Each replacement changes the places of the two backends */
static void check_replace(struct by_hand *t)
{
	check(attach_flipped(t, UBLK_BPF_ATTACH_REPLACE, UBLK_BPF_SLOT_KEEP | UBLK_BPF_SLOT_RING) ==
		      -EINVAL,
	      "replace: a kept slot takes no other flag");
	check(attach_flipped(t, 0, UBLK_BPF_SLOT_KEEP) == -EBUSY,
	      "replace: a live device's program is not attached over");
	check(!attach_flipped(t, UBLK_BPF_ATTACH_REPLACE, UBLK_BPF_SLOT_KEEP),
	      "replace: with kept slots");
	check_flipped(t, REGION_SLOT0, 1, "replaced: slot 0 is backend 1");
	check(!attach_flipped(t, UBLK_BPF_ATTACH_REPLACE, 0), "replace: with open files");
	check_flipped(t, REGION_SLOT1, 0, "replaced again: slot 1 is backend 0");
	check(fdatasync(t->disk_fd) && errno == EIO,
	      "replaced: that the bad backend could not be flushed is told once");
	check(!fdatasync(t->disk_fd), "replaced: flush");
}

static void check_detach(struct by_hand *t)
{
	__u64 redirected = t->counters.redirected;

	check(!ublk_control_detach_bpf(&t->control, t->info.dev_id), "detach");
	check(ublk_control_detach_bpf(&t->control, t->info.dev_id) == -EINVAL, "detach once");
	check(attach_flipped(t, UBLK_BPF_ATTACH_REPLACE, 0) == -EINVAL,
	      "detached: there is nothing to replace");
	check_region(t, REGION_SLOT0, "detached", EIO, EIO);
	check(t->counters.redirected == redirected + 2, "detached: requests reach the server");
	check(attach_flipped(t, 0, UBLK_BPF_SLOT_KEEP) == -EINVAL,
	      "detached: there are no slots to keep");
	check(!attach_flipped(t, 0, 0), "attach again");
	check_flipped(t, REGION_SLOT0, 1, "attached again: slot 0 is backend 1");
}

int main(int argc, char **argv)
{
	struct bpf_object *object;
	struct by_hand t = {};
	int i;

	if (argc < 2 + NR_BACKENDS) {
		fprintf(stderr, "usage: by-hand OBJECT BACKEND0 BACKEND1 BAD_BACKEND [ring]\n");
		return 2;
	}
	for (i = 0; i < NR_BACKENDS; i++)
		t.backends[i] =
			require_fd(open(argv[2 + i], O_RDWR | O_DIRECT | O_EXCL), argv[2 + i]);
	object = programs_open(argv[1]);
	programs_load(object);
	t.prog_fd = program_fd(object, "by_hand");
	t.complete_fd = program_fd(object, "by_hand_failed");
	t.record_fd = map_fd(object, ".bss");
	start_device(&t, argc > 2 + NR_BACKENDS);

	check_context(&t);
	check_region(&t, REGION_SLOT0, "slot 0", 0, 0);
	check_region(&t, REGION_SLOT1, "slot 1", 0, 0);
	check_region(&t, REGION_MIRROR, "mirror", 0, 0);
	check_region(&t, REGION_SPLIT, "split", 0, 0);
	check_region(&t, REGION_HALF_ZERO, "half zero", 0, 0);
	check_placement(&t);
	check_region(&t, REGION_ERROR, "error", ENOSPC, ENOSPC);
	check_region(&t, REGION_GAP, "gap", EIO, EIO);
	check_region(&t, REGION_NO_SLOT, "no such slot", EIO, EIO);
	check_region(&t, REGION_ODD_RETURN, "odd return value", EIO, EIO);
	check_region(&t, REGION_TWICE, "same bytes twice", 0, EIO);
	check_region(&t, REGION_EMPTY, "empty plan", EIO, EIO);
	check_hold(&t);
	check_complete(&t);
	check_zeroings(&t);
	check(!fdatasync(t.disk_fd), "flush");
	check_replace(&t);
	check(t.counters.user_returns <= 1, "the server's thread did not return to user mode");
	check_region(&t, REGION_REDIRECT, "redirect", EIO, EIO);
	check(t.counters.redirected == 2, "redirected requests reached the server");
	check_detach(&t);

	stop_device(&t);
	return check_result();
}
