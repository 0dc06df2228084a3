// SPDX-License-Identifier: GPL-2.0-only
/*
 * plans OBJECT DISK FILE SHORT_FILE FULL_FILE BAD_DISK: what becomes of a plan
 * and its request. SHORT_FILE ends within its second sector, FULL_FILE is on a
 * file system that has room for one more page, BAD_DISK fails all I/O.
 *
 * fuzz.bpf.c makes the helper calls that a test puts down.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <linux/io_uring.h>

#include "fuzz.h"
#include "test_device.h"
#include "test_io.h"
#include "test_program.h"

#define DEVICE_BYTES (1U << 20)
#define MAX_ITEMS    4
#define PART	     4096U
#define WHOLE	     (2 * PART) /* the payload of a request here */
#define SHORT_BYTES  700

enum slot { DISK, FILE_SLOT, SHORT_FILE, FULL_FILE, BAD_DISK, NR_SLOTS };

struct plans {
	struct test_device dev;
	struct fuzz_case *todo;
	unsigned char *out, *in, *zeroes;
};

static void start_plan(struct plans *p, unsigned int op)
{
	p->todo->op = op;
	p->todo->nr_calls = 0;
	p->todo->runs = 0;
	p->todo->ret = UBLK_BPF_SUBMIT;
}

static void queue(struct plans *p, unsigned int opcode, int fd, __u64 off, __u64 addr, __u32 len)
{
	struct fuzz_call *call = &p->todo->calls[p->todo->nr_calls++];
	const struct io_uring_sqe sqe = {
		.opcode = (__u8)opcode,
		.off = off,
		.addr = addr,
		.len = len,
	};

	memset(call, 0, sizeof(*call));
	memcpy(call->sqe, &sqe, sizeof(sqe));
	call->sqe_len = sizeof(sqe);
	call->fd = fd;
}

static void queue_write(struct plans *p, int fd, __u64 off, __u64 addr, __u32 len)
{
	queue(p, IORING_OP_WRITE, fd, off, addr, len);
}

static void queue_read(struct plans *p, int fd, __u64 off, __u64 addr, __u32 len)
{
	queue(p, IORING_OP_READ, fd, off, addr, len);
}

/* Send the request that the plan is for; 0 or its errno */
static int run(struct plans *p)
{
	ssize_t n;

	if (p->todo->op == UBLK_IO_OP_READ) {
		memset(p->in, 0xee, WHOLE);
		n = pread(p->dev.disk_fd, p->in, WHOLE, 65536);
	} else {
		n = pwrite(p->dev.disk_fd, p->out, WHOLE, 65536);
	}
	return n < 0 ? errno : n == WHOLE ? 0 : EPIPE;
}

static void expect(struct plans *p, int expected, const char *what)
{
	int error = run(p);

	check(error == expected, "%s: %s%s%s", what, strerror(expected),
	      error == expected ? "" : ", but it gave ", error == expected ? "" : strerror(error));
}

/* A new pattern to write, so that nothing of an earlier test can pass for it */
static void new_pattern(struct plans *p)
{
	static unsigned int seed = 100;
	unsigned char *bytes = random_bytes(WHOLE, seed++);

	memcpy(p->out, bytes, WHOLE);
	free(bytes);
}

static bool slot_holds(struct plans *p, enum slot slot, __u64 off, unsigned int addr, size_t len)
{
	return holds(p->dev.slots[slot].fd, (long long)off, p->out + addr, len);
}

/* --- parts and copies --- */

static void check_disjoint(struct plans *p)
{
	new_pattern(p);
	start_plan(p, UBLK_IO_OP_WRITE);
	queue_write(p, DISK, 8192, 0, PART);
	queue_write(p, FILE_SLOT, 4096, PART, PART);
	expect(p, 0, "disjoint parts: write");
	check(slot_holds(p, DISK, 8192, 0, PART) && slot_holds(p, FILE_SLOT, 4096, PART, PART),
	      "disjoint parts: each is on its backend");
	check(!slot_holds(p, FILE_SLOT, 8192, 0, PART) && !slot_holds(p, DISK, 4096, PART, PART),
	      "disjoint parts: and only there");
	start_plan(p, UBLK_IO_OP_READ);
	queue_read(p, DISK, 8192, 0, PART);
	queue_read(p, FILE_SLOT, 4096, PART, PART);
	expect(p, 0, "disjoint parts: read");
	check(!memcmp(p->in, p->out, WHOLE), "disjoint parts: they are put together");
	/* the other way round, and one of 512 bytes */
	start_plan(p, UBLK_IO_OP_READ);
	queue_read(p, FILE_SLOT, 4096, 0, PART);
	queue_read(p, DISK, 8192, PART, PART - 512);
	queue(p, IORING_OP_NOP, UBLK_BPF_FD_ZERO, 0, WHOLE - 512, 512);
	expect(p, 0, "disjoint parts: read in another order");
	check(!memcmp(p->in, p->out + PART, PART) && !memcmp(p->in + PART, p->out, PART - 512) &&
		      !memcmp(p->in + WHOLE - 512, p->zeroes, 512),
	      "disjoint parts: each where its SQE put it");
}

static void check_same_bytes(struct plans *p)
{
	new_pattern(p);
	start_plan(p, UBLK_IO_OP_WRITE);
	queue_write(p, DISK, 0, 0, WHOLE);
	queue_write(p, FILE_SLOT, 0, 0, WHOLE);
	queue_write(p, DISK, 65536, 512, PART);
	expect(p, 0, "same bytes: write three times");
	check(slot_holds(p, DISK, 0, 0, WHOLE) && slot_holds(p, FILE_SLOT, 0, 0, WHOLE) &&
		      slot_holds(p, DISK, 65536, 512, PART),
	      "same bytes: all copies are there");
	start_plan(p, UBLK_IO_OP_WRITE);
	new_pattern(p);
	queue_write(p, DISK, 0, 0, PART);
	queue(p, IORING_OP_NOP, UBLK_BPF_FD_DROP, 0, PART, PART);
	expect(p, 0, "dropped bytes: write");
	check(slot_holds(p, DISK, 0, 0, PART) && !slot_holds(p, DISK, PART, PART, PART),
	      "dropped bytes: not on the backend");
}

/* --- results --- */

static void check_errors(struct plans *p)
{
	int error;

	new_pattern(p);
	start_plan(p, UBLK_IO_OP_WRITE);
	queue_write(p, BAD_DISK, 0, 0, WHOLE);
	queue_write(p, DISK, 0, 0, WHOLE);
	queue_write(p, FILE_SLOT, 0, 0, WHOLE);
	expect(p, EIO, "an error: the first copy fails");
	check(slot_holds(p, DISK, 0, 0, WHOLE) && slot_holds(p, FILE_SLOT, 0, 0, WHOLE),
	      "an error: the other copies are complete when the request ends");
	start_plan(p, UBLK_IO_OP_WRITE);
	queue_write(p, DISK, 0, 0, WHOLE);
	queue_write(p, BAD_DISK, 0, 0, PART);
	expect(p, EIO, "an error: the last copy fails");
	start_plan(p, UBLK_IO_OP_READ);
	queue_read(p, DISK, 0, 0, PART);
	queue_read(p, BAD_DISK, 0, PART, PART);
	expect(p, EIO, "an error: a part of a read fails");

	start_plan(p, UBLK_IO_OP_WRITE);
	queue_write(p, FULL_FILE, 1 << 20, 0, WHOLE);
	queue_write(p, BAD_DISK, 0, 0, WHOLE);
	error = run(p);
	check(error == EIO || error == ENOSPC, "two errors: one of them (%s)", strerror(error));
}

static void check_short(struct plans *p)
{
	struct stat before, after;
	int full = p->dev.slots[FULL_FILE].fd;

	start_plan(p, UBLK_IO_OP_READ);
	queue_read(p, SHORT_FILE, 0, 0, WHOLE);
	expect(p, 0, "short read: across the end of a file");
	check(holds(p->dev.slots[SHORT_FILE].fd, 0, p->in, 512) &&
		      !memcmp(p->in + SHORT_BYTES, p->zeroes, WHOLE - SHORT_BYTES),
	      "short read: what is behind the end is zeroes");
	start_plan(p, UBLK_IO_OP_READ);
	queue_read(p, SHORT_FILE, 1 << 20, 0, PART);
	queue_read(p, SHORT_FILE, 512, PART, PART);
	expect(p, 0, "short read: behind the end of a file");
	check(!memcmp(p->in, p->zeroes, PART) && !memcmp(p->in + PART + SHORT_BYTES - 512,
							 p->zeroes, PART - (SHORT_BYTES - 512)),
	      "short read: all of it is zeroes");

	require(ftruncate(full, 0) ? -errno : 0, "make room");
	/* room for one page: the kernel writes that, and has to tell of the other */
	require(fstat(full, &before) ? -errno : 0, "fstat");
	new_pattern(p);
	start_plan(p, UBLK_IO_OP_WRITE);
	queue_write(p, FULL_FILE, 0, 0, WHOLE);
	expect(p, ENOSPC, "short write: a file system that becomes full");
	require(fstat(full, &after) ? -errno : 0, "fstat");
	check(after.st_blocks > before.st_blocks, "short write: a part was written");
}

/* --- plans that are refused --- */

/* Nothing of a plan is submitted unless all of it is */
static void refused(struct plans *p, const char *what)
{
	unsigned char *before = zero_bytes(WHOLE);

	require(pread(p->dev.slots[DISK].fd, before, WHOLE, 0) == WHOLE ? 0 : -EIO, "read");
	new_pattern(p);
	expect(p, EIO, what);
	check(holds(p->dev.slots[DISK].fd, 0, before, WHOLE), "%s: nothing is written", what);
	free(before);
}

static void check_refused(struct plans *p)
{
	unsigned int i;

	start_plan(p, UBLK_IO_OP_WRITE);
	refused(p, "an empty plan");
	start_plan(p, UBLK_IO_OP_WRITE);
	queue_write(p, DISK, 0, 0, PART);
	refused(p, "a plan that ends before the payload");
	start_plan(p, UBLK_IO_OP_WRITE);
	queue_write(p, DISK, 512, 512, WHOLE - 512);
	refused(p, "a plan that begins after the payload");
	start_plan(p, UBLK_IO_OP_WRITE);
	queue_write(p, DISK, 0, 0, PART);
	queue_write(p, DISK, PART + 512, PART + 512, PART - 512);
	refused(p, "a plan with a gap");
	start_plan(p, UBLK_IO_OP_WRITE);
	queue_write(p, DISK, 0, 0, WHOLE + 512);
	refused(p, "a plan that is longer than the payload");
	start_plan(p, UBLK_IO_OP_WRITE);
	queue_write(p, DISK, 0, 0, WHOLE);
	queue_write(p, NR_SLOTS, 0, 0, WHOLE);
	refused(p, "a plan that a bad SQE poisons at its end");
	start_plan(p, UBLK_IO_OP_WRITE);
	queue_write(p, -1, 0, 0, WHOLE);
	queue_write(p, DISK, 0, 0, WHOLE);
	refused(p, "a plan that a bad SQE poisons at its start");
	start_plan(p, UBLK_IO_OP_WRITE);
	for (i = 0; i <= MAX_ITEMS; i++)
		queue_write(p, DISK, 0, 0, WHOLE);
	refused(p, "a plan with more items than the attach promised");

	start_plan(p, UBLK_IO_OP_READ);
	queue_read(p, DISK, 0, 0, WHOLE);
	queue_read(p, FILE_SLOT, 0, 0, WHOLE);
	expect(p, EIO, "a read of the same bytes twice");
	start_plan(p, UBLK_IO_OP_READ);
	queue_read(p, DISK, 0, 0, PART + 512);
	queue_read(p, FILE_SLOT, 0, PART, PART);
	expect(p, EIO, "a read of parts that overlap");
	start_plan(p, UBLK_IO_OP_READ);
	queue_read(p, DISK, 0, 0, PART);
	expect(p, EIO, "a read that leaves bytes of the payload alone");
	check(p->in[WHOLE - 1] == 0xee, "a read that fails brings no stale bytes");
}

static void check_returns(struct plans *p)
{
	start_plan(p, UBLK_IO_OP_WRITE);
	queue_write(p, DISK, 0, 0, WHOLE);
	p->todo->ret = -ENOSPC;
	new_pattern(p);
	expect(p, ENOSPC, "an errno in place of a good plan");
	check(!slot_holds(p, DISK, 0, 0, WHOLE), "an errno in place of a good plan: not written");
	start_plan(p, UBLK_IO_OP_WRITE);
	queue_write(p, -1, 0, 0, WHOLE);
	p->todo->ret = -ETIMEDOUT;
	expect(p, ETIMEDOUT, "an errno after a bad SQE");
	start_plan(p, UBLK_IO_OP_WRITE);
	queue_write(p, DISK, 0, 0, WHOLE);
	p->todo->ret = -4096;
	expect(p, EIO, "a return value that is no errno");
	check(!slot_holds(p, DISK, 0, 0, WHOLE), "a return value that is no errno: not written");
}

int main(int argc, char **argv)
{
	static struct plans p;
	struct bpf_object *object;
	int i;

	if (argc != 2 + NR_SLOTS) {
		fprintf(stderr, "usage: plans OBJECT DISK FILE SHORT_FILE FULL_FILE BAD_DISK\n");
		return 2;
	}
	object = programs_open(argv[1]);
	programs_load(object);
	p.todo = mmap(NULL, (sizeof(*p.todo) + 4095) & ~4095UL, PROT_READ | PROT_WRITE, MAP_SHARED,
		      map_fd(object, "cases"), 0);
	require(p.todo == MAP_FAILED ? -errno : 0, "map the cases");
	p.out = zero_bytes(WHOLE);
	p.in = zero_bytes(WHOLE);
	p.zeroes = zero_bytes(WHOLE);
	p.dev = (struct test_device){
		.flags = UBLK_F_USER_COPY | UBLK_F_NO_AUTO_PART_SCAN,
		.sectors = DEVICE_BYTES / 512,
		.prog_fd = program_fd(object, "fuzz"),
		.max_items = MAX_ITEMS,
		.nr_slots = NR_SLOTS,
	};
	for (i = 0; i < NR_SLOTS; i++)
		p.dev.slots[i].fd = require_fd(
			open(argv[2 + i],
			     O_RDWR | O_EXCL | (i == DISK || i == FILE_SLOT ? O_DIRECT : 0)),
			argv[2 + i]);
	test_device_start(&p.dev);
	check_disjoint(&p);
	check_same_bytes(&p);
	check_errors(&p);
	check_short(&p);
	check_refused(&p);
	check_returns(&p);
	test_device_remove(&p.dev);
	return check_result();
}
