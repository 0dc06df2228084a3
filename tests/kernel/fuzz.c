// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz OBJECT BIO_BACKEND FILE_BACKEND RING_BACKEND WRITE_ONLY_BACKEND BAD_BACKEND
 *	route|complete SQES [SEED]:
 * a program makes helper calls with SQEs around and beyond what is valid: the one
 * that routes, or the one that is asked what becomes of failed items. Each result
 * is compared with test_model.c, each request's effect on data with a copy of the
 * backends in memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <linux/falloc.h>
#include <linux/fs.h>

#include "fuzz.h"
#include "test_device.h"
#include "test_io.h"
#include "test_model.h"
#include "test_program.h"

#define ARRAY_SIZE(a)	 (sizeof(a) / sizeof((a)[0]))
#define NR_BACKENDS	 4 /* that hold data */
#define BACKEND_BYTES	 (2U << 20)
#define BACKEND_SECTORS	 (BACKEND_BYTES / 512)
#define DEVICE_SECTORS	 (1U << 17)
#define PAYLOAD_SECTORS	 64U
#define MAX_ITEMS	 16
#define LONGEST_HOLD_NS	 1000000ULL
#define COMPARE_INTERVAL 4096 /* requests between two comparisons of all data */

/* A block device is open exclusively, so there is one for each slot */
enum backend { BIO, FILE_ON_RING, BDEV_ON_RING, BIO_WRITE_ONLY, BAD };

struct slot {
	enum backend backend;
	int mode; /* of open() */
	unsigned int flags;
};

static const struct slot slots[] = {
	{ BIO, O_RDWR, 0 },
	{ FILE_ON_RING, O_RDWR, 0 },
	{ BDEV_ON_RING, O_RDWR, UBLK_BPF_SLOT_RING },
	{ FILE_ON_RING, O_RDONLY, 0 },
	{ BIO_WRITE_ONLY, O_WRONLY, 0 },
	[FUZZ_BAD_SLOT] = { BAD, O_RDWR, 0 },
};

static const char *const op_names[] = {
	[UBLK_IO_OP_READ] = "read",
	[UBLK_IO_OP_WRITE] = "write",
	[UBLK_IO_OP_FLUSH] = "flush",
	[UBLK_IO_OP_DISCARD] = "discard",
	[UBLK_IO_OP_WRITE_ZEROES] = "write zeroes",
};

struct fuzz {
	struct test_device dev;
	bool completes; /* the calls are those of the complete program */
	struct model_slot model_slots[ARRAY_SIZE(slots)];
	int backends[NR_BACKENDS]; /* O_DIRECT, for comparing */
	unsigned char *copy[NR_BACKENDS];
	unsigned long touched[NR_BACKENDS][BACKEND_SECTORS]; /* by which request, as written */
	struct fuzz_case *todo; /* the program's map */
	struct model_plan plan;
	unsigned char *payload, *expected;
	unsigned int start, sectors;
	unsigned long requests, sqes, submitted;
	unsigned long results[ARRAY_SIZE(op_names)][5]; /* by op: success and the errors */
	unsigned long byte_mutations[sizeof(struct io_uring_sqe)];
	__u64 rng;
};

static __u64 any(struct fuzz *f)
{
	f->rng ^= f->rng >> 12;
	f->rng ^= f->rng << 25;
	f->rng ^= f->rng >> 27;
	return f->rng * 2685821657736338717ULL;
}

static unsigned int below(struct fuzz *f, unsigned int n)
{
	return (unsigned int)(any(f) >> 32) % n;
}

static bool chance(struct fuzz *f, unsigned int percent)
{
	return below(f, 100) < percent;
}

/* --- valid plans --- */

static struct fuzz_call *add_call(struct fuzz *f, unsigned int opcode, int fd, __u64 off,
				  __u64 addr, __u32 len)
{
	struct fuzz_call *call = &f->todo->calls[f->todo->nr_calls++];
	struct io_uring_sqe sqe = {
		.opcode = (__u8)opcode,
		.off = off,
		.addr = addr,
		.len = len,
	};

	memset(call, 0, sizeof(*call));
	memcpy(call->sqe, &sqe, sizeof(sqe));
	call->sqe_len = sizeof(sqe);
	call->fd = fd;
	return call;
}

static void add_fallocate(struct fuzz *f, int slot, unsigned int first, unsigned int nr)
{
	bool hole = f->plan.op == UBLK_IO_OP_DISCARD || (!f->plan.nounmap && chance(f, 50));
	__u64 first_byte = first * 512ULL;
	struct fuzz_call *call;

	call = add_call(f, IORING_OP_FALLOCATE, slot, below(f, BACKEND_SECTORS - nr + 1) * 512ULL,
			nr * 512ULL,
			FALLOC_FL_KEEP_SIZE | (hole ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE));
	memcpy(call->sqe + offsetof(struct io_uring_sqe, user_data), &first_byte,
	       sizeof(first_byte));
}

static void add_part(struct fuzz *f, unsigned int first, unsigned int nr)
{
	bool read = f->plan.op == UBLK_IO_OP_READ;
	int slot = (int)below(f, FUZZ_BAD_SLOT);

	while (!(read ? f->model_slots[slot].readable : f->model_slots[slot].writable))
		slot = (int)below(f, FUZZ_BAD_SLOT);
	if (chance(f, 20))
		add_call(f, IORING_OP_NOP, read ? UBLK_BPF_FD_ZERO : UBLK_BPF_FD_DROP, 0,
			 first * 512ULL, nr * 512);
	else if (f->plan.op == UBLK_IO_OP_DISCARD || f->plan.op == UBLK_IO_OP_WRITE_ZEROES)
		add_fallocate(f, slot, first, nr);
	else
		add_call(f, read ? IORING_OP_READ : IORING_OP_WRITE, slot,
			 below(f, BACKEND_SECTORS - nr + 1) * 512ULL, first * 512ULL, nr * 512);
}

static void plan_payload(struct fuzz *f)
{
	unsigned int at = f->todo->begin / 512, nr;

	while (at < f->sectors && f->todo->nr_calls < MAX_ITEMS - 2) {
		nr = f->todo->nr_calls == MAX_ITEMS - 3 ? f->sectors - at
							: 1 + below(f, f->sectors - at);
		add_part(f, at, nr);
		/* a mirror, of all or of some of it */
		if (f->plan.op != UBLK_IO_OP_READ && chance(f, 30))
			add_part(f, at, 1 + below(f, nr));
		at += nr;
	}
}

static void plan_flush(struct fuzz *f)
{
	unsigned int nr = below(f, 4);

	while (nr--) {
		struct fuzz_call *call = add_call(f, IORING_OP_FSYNC, (int)below(f, 3), 0, 0, 0);

		if (chance(f, 50))
			call->sqe[offsetof(struct io_uring_sqe, fsync_flags)] =
				IORING_FSYNC_DATASYNC;
	}
}

/* The plan has an item before the one that fails */
static void skip_begin(struct fuzz *f)
{
	f->todo->begin = below(f, f->sectors) * 512;
	f->plan.begin = f->plan.covered = f->todo->begin;
	f->plan.max_items -= f->todo->begin > 0;
}

static void make_plan(struct fuzz *f)
{
	unsigned int dice = below(f, 100);
	unsigned int op = dice < 36   ? UBLK_IO_OP_READ
			  : dice < 72 ? UBLK_IO_OP_WRITE
			  : dice < 80 ? UBLK_IO_OP_FLUSH
			  : dice < 88 ? UBLK_IO_OP_DISCARD
				      : UBLK_IO_OP_WRITE_ZEROES;

	f->plan = (struct model_plan){
		.op = op,
		.nounmap = op == UBLK_IO_OP_WRITE_ZEROES && chance(f, 50),
		.max_items = MAX_ITEMS,
		.slots = f->model_slots,
		.nr_slots = ARRAY_SIZE(slots),
	};
	f->todo->op = f->plan.op;
	f->todo->nr_calls = 0;
	f->todo->ret = UBLK_BPF_SUBMIT;
	f->todo->begin = 0;
	f->sectors = 0;
	f->start = 0;
	if (chance(f, 10))
		add_call(f, IORING_OP_TIMEOUT, UBLK_BPF_FD_HOLD, 1 + below(f, LONGEST_HOLD_NS), 0,
			 0);
	if (f->plan.op == UBLK_IO_OP_FLUSH) {
		plan_flush(f);
	} else {
		f->sectors = 1 + below(f, PAYLOAD_SECTORS);
		f->start = below(f, DEVICE_SECTORS - f->sectors + 1);
		if (f->completes && chance(f, 50))
			skip_begin(f);
		plan_payload(f);
	}
	f->plan.payload = f->sectors * 512ULL;
}

/* --- mutations --- */

static __u64 interesting(struct fuzz *f)
{
	static const __u64 values[] = {
		0,
		1,
		511,
		512,
		513,
		4096,
		BACKEND_BYTES - 512,
		BACKEND_BYTES,
		BACKEND_BYTES + 512,
		INT_MAX,
		INT_MAX - 511,
		0x80000000ULL,
		UINT_MAX,
		0xfffffe00ULL,
		1ULL << 32,
		(1ULL << 32) + 512,
		1ULL << 62,
		LLONG_MAX,
		LLONG_MAX - 511,
		LLONG_MAX - 1023,
		1ULL << 63,
		ULLONG_MAX,
		ULLONG_MAX - 511,
		UBLK_BPF_MAX_HOLD_NS,
		UBLK_BPF_MAX_HOLD_NS + 1,
	};

	return chance(f, 70) ? values[below(f, ARRAY_SIZE(values))] : any(f) >> below(f, 64);
}

/* Write @size bytes of a value over a field of the SQE */
static void overwrite(struct fuzz *f, struct fuzz_call *call, size_t at, size_t size, __u64 value)
{
	size_t i;

	memcpy(call->sqe + at, &value, size);
	for (i = at; i < at + size && i < sizeof(struct io_uring_sqe); i++)
		f->byte_mutations[i]++;
}

static void mutate_field(struct fuzz *f, struct fuzz_call *call)
{
	static const struct {
		unsigned int at, size;
	} fields[] = {
#define FIELD(name) \
	{ offsetof(struct io_uring_sqe, name), sizeof(((struct io_uring_sqe *)0)->name) }
		FIELD(opcode),	  FIELD(flags),	      FIELD(ioprio),	  FIELD(fd),
		FIELD(off),	  FIELD(off),	      FIELD(addr),	  FIELD(addr),
		FIELD(len),	  FIELD(len),	      FIELD(fsync_flags), FIELD(user_data),
		FIELD(buf_index), FIELD(personality), FIELD(file_index),  FIELD(addr3),
#undef FIELD
	};
	unsigned int i = below(f, ARRAY_SIZE(fields));
	__u64 value = 0;

	memcpy(&value, call->sqe + fields[i].at, fields[i].size);
	switch (below(f, 4)) {
	case 0:
		value ^= 1ULL << below(f, fields[i].size * 8);
		break;
	case 1:
		value += (chance(f, 50) ? 1 : -1) * (chance(f, 50) ? 512 : 1);
		break;
	default:
		value = interesting(f);
	}
	overwrite(f, call, fields[i].at, fields[i].size, value);
}

static void mutate_call(struct fuzz *f, struct fuzz_call *call)
{
	static const int fds[] = { -4, -3, -2, -1, 0,  1,    2,	      3,
				   4,  5,  6,  63, 64, 1000, INT_MAX, INT_MIN };
	static const unsigned int opcodes[] = { IORING_OP_NOP,	     IORING_OP_READ,
						IORING_OP_WRITE,     IORING_OP_FSYNC,
						IORING_OP_FALLOCATE, IORING_OP_TIMEOUT };
	static const unsigned int lens[] = { 1, 8, 63, 65, 127, 128 };

	switch (below(f, 8)) {
	case 0:
		call->fd = chance(f, 90) ? fds[below(f, ARRAY_SIZE(fds))] : (int)any(f);
		break;
	case 1:
		call->sqe_len = lens[below(f, ARRAY_SIZE(lens))];
		break;
	case 2:
		overwrite(f, call, offsetof(struct io_uring_sqe, opcode), 1,
			  chance(f, 80) ? opcodes[below(f, ARRAY_SIZE(opcodes))] : any(f));
		break;
	case 3: /* any byte, also behind the SQE */
		overwrite(f, call, below(f, FUZZ_SQE_BYTES), 1, any(f));
		break;
	default:
		mutate_field(f, call);
	}
}

/* A plan that is spoilt anyhow takes many more calls for the price of one request */
static void add_mutants(struct fuzz *f)
{
	struct fuzz_case *todo = f->todo;
	unsigned int nr = todo->nr_calls;

	while (todo->nr_calls < FUZZ_CALLS) {
		todo->calls[todo->nr_calls] = todo->calls[below(f, nr)];
		mutate_call(f, &todo->calls[todo->nr_calls++]);
	}
}

/* Leave a call out, make it twice or move it */
static void mutate_order(struct fuzz *f)
{
	struct fuzz_case *todo = f->todo;
	unsigned int i = below(f, todo->nr_calls), j = below(f, todo->nr_calls);
	struct fuzz_call call = todo->calls[i];

	switch (below(f, 4)) {
	case 0:
		todo->calls[i] = todo->calls[--todo->nr_calls];
		break;
	case 1:
		todo->calls[i] = todo->calls[j];
		todo->calls[j] = call;
		break;
	case 2: /* more than the plan takes */
		while (todo->nr_calls < FUZZ_CALLS)
			todo->calls[todo->nr_calls++] = call;
		break;
	default:
		if (todo->nr_calls < FUZZ_CALLS)
			todo->calls[todo->nr_calls++] = call;
	}
}

static void mutate(struct fuzz *f)
{
	static const int rets[] = { UBLK_BPF_REDIRECT, UBLK_BPF_REDIRECT, 2,	 3,
				    INT_MAX,	       INT_MIN,		  -1,	 -EIO,
				    -ENOSPC,	       -ETIMEDOUT,	  -4095, -4096 };
	unsigned int nr = chance(f, 40) ? 0 : 1 + below(f, 3);

	while (nr-- && f->todo->nr_calls) {
		if (chance(f, 15))
			mutate_order(f);
		else
			mutate_call(f, &f->todo->calls[below(f, f->todo->nr_calls)]);
	}
	if (chance(f, 30) && f->todo->nr_calls)
		add_mutants(f);
	if (chance(f, 10))
		f->todo->ret = rets[below(f, ARRAY_SIZE(rets))];
}

/* --- what a plan does --- */

static bool beyond_end(const struct model_item *item)
{
	return item->off > BACKEND_BYTES || item->len > BACKEND_BYTES - item->off;
}

static bool changes_data(const struct model_item *item)
{
	return item->kind == MODEL_WRITE || item->kind == MODEL_DISCARD ||
	       item->kind == MODEL_WRITE_ZEROES;
}

/* A plan that would take long or change a file beyond the copy is not submitted */
static bool too_much(const struct fuzz *f)
{
	unsigned int i;

	for (i = 0; i < f->plan.nr_items; i++)
		if (changes_data(&f->plan.items[i]) && beyond_end(&f->plan.items[i]) &&
		    slots[f->plan.items[i].slot].backend == FILE_ON_RING)
			return true;
	return f->plan.hold_ns > LONGEST_HOLD_NS;
}

/*
 * Block devices end where they end. Through the ring a read is filled with
 * zeroes there, and fallocate() stops.
 */
static bool fails(const struct fuzz *f)
{
	enum backend backend;
	unsigned int i;

	for (i = 0; i < f->plan.nr_items; i++) {
		const struct model_item *item = &f->plan.items[i];

		if (item->kind == MODEL_ZERO || item->kind == MODEL_DROP)
			continue;
		if (slots[item->slot].backend == BAD ||
		    (item->kind == MODEL_WRITE && beyond_end(item)))
			return true;
		backend = slots[item->slot].backend;
		if ((item->kind == MODEL_READ || changes_data(item)) && beyond_end(item) &&
		    (backend == BIO || backend == BIO_WRITE_ONLY))
			return true;
		if (changes_data(item) && item->off >= BACKEND_BYTES)
			return true;
	}
	return false;
}

static void expect_read(struct fuzz *f)
{
	unsigned int i;

	memset(f->expected, 0, f->plan.begin);
	for (i = 0; i < f->plan.nr_items; i++) {
		const struct model_item *item = &f->plan.items[i];
		size_t there = 0;

		if (item->kind == MODEL_READ && item->off < BACKEND_BYTES)
			there = item->len < BACKEND_BYTES - item->off ? item->len
								      : BACKEND_BYTES - item->off;
		if (there)
			memcpy(f->expected + item->addr,
			       f->copy[slots[item->slot].backend] + item->off, there);
		memset(f->expected + item->addr + there, 0, item->len - there);
	}
}

/* How much of an item's range the backend has */
static size_t on_backend(const struct model_item *item)
{
	if (item->off >= BACKEND_BYTES || slots[item->slot].backend == BAD)
		return 0;
	return item->len < BACKEND_BYTES - item->off ? item->len : BACKEND_BYTES - item->off;
}

/*
 * What was discarded, written twice, or written by a request that failed, is
 * whatever it is now
 */
static void learn(struct fuzz *f, const struct model_item *item)
{
	enum backend b = slots[item->slot].backend;
	size_t len = on_backend(item);

	if (!len)
		return;
	require(pread(f->backends[b], f->expected, len, (off_t)item->off) == (ssize_t)len ? 0
											  : -EIO,
		"read the backend");
	memcpy(f->copy[b] + item->off, f->expected, len);
}

static void apply_changes(struct fuzz *f, bool failed)
{
	bool twice = failed || f->plan.op == UBLK_IO_OP_DISCARD;
	unsigned int i;
	size_t sector, len;

	for (i = 0; i < f->plan.nr_items; i++) {
		const struct model_item *item = &f->plan.items[i];
		enum backend b;

		if (!changes_data(item))
			continue;
		b = slots[item->slot].backend;
		len = on_backend(item);
		if (!len)
			continue;
		if (item->kind == MODEL_WRITE)
			memcpy(f->copy[b] + item->off, f->payload + item->addr, len);
		else
			memset(f->copy[b] + item->off, 0, len);
		for (sector = item->off / 512; sector < (item->off + len) / 512; sector++) {
			twice |= f->touched[b][sector] == f->requests;
			f->touched[b][sector] = f->requests;
		}
	}
	for (i = 0; twice && i < f->plan.nr_items; i++)
		if (changes_data(&f->plan.items[i]))
			learn(f, &f->plan.items[i]);
}

static bool compare_backends(struct fuzz *f)
{
	int i;

	for (i = 0; i < NR_BACKENDS; i++)
		if (!holds(f->backends[i], 0, f->copy[i], BACKEND_BYTES))
			return false;
	return true;
}

/* --- one request --- */

/* 0 or the errno that the device gave */
static int send(struct fuzz *f)
{
	struct iovec iov = { f->payload, f->sectors * 512ULL };
	off_t off = (off_t)f->start * 512;
	const __u64 range[2] = { (__u64)off, iov.iov_len };
	const int mode = FALLOC_FL_KEEP_SIZE |
			 (f->plan.nounmap ? FALLOC_FL_ZERO_RANGE : FALLOC_FL_PUNCH_HOLE);
	ssize_t n;

	switch (f->plan.op) {
	case UBLK_IO_OP_READ:
		memset(f->payload, 0xee, iov.iov_len);
		n = preadv(f->dev.disk_fd, &iov, 1, off);
		break;
	case UBLK_IO_OP_WRITE:
		for (n = 0; n < (ssize_t)iov.iov_len; n += 8)
			*(__u64 *)(f->payload + n) = any(f);
		n = pwritev2(f->dev.disk_fd, &iov, 1, off, chance(f, 20) ? RWF_DSYNC : 0);
		break;
	case UBLK_IO_OP_DISCARD:
		return ioctl(f->dev.disk_fd, BLKDISCARD, range) ? errno : 0;
	case UBLK_IO_OP_WRITE_ZEROES:
		return fallocate(f->dev.disk_fd, mode, off, (off_t)iov.iov_len) ? errno : 0;
	default:
		return fdatasync(f->dev.disk_fd) ? errno : 0;
	}
	return n < 0 ? errno : n == (ssize_t)iov.iov_len ? 0 : EPIPE;
}

/* -1: any errno */
static int expected_errno(const struct fuzz *f)
{
	int ret = f->todo->ret;

	switch (ret) {
	case UBLK_BPF_SUBMIT:
		return !model_submittable(&f->plan) ? EIO : fails(f) ? -1 : 0;
	case UBLK_BPF_SETTLE:
		return f->completes && f->plan.op != UBLK_IO_OP_READ ? 0 : EIO;
	case -EIO:
	case -ENOSPC:
	case -ETIMEDOUT:
		return -ret;
	case -1:
	case -4095:
		return -1;
	default:
		return EIO;
	}
}

static void show(const struct fuzz *f)
{
	const unsigned int *words;
	unsigned int i, w;

	printf("     %s of %u sectors at %u, program returns %d\n", op_names[f->plan.op],
	       f->sectors, f->start, f->todo->ret);
	for (i = 0; i < f->todo->nr_calls; i++) {
		const struct fuzz_call *call = &f->todo->calls[i];

		words = (const unsigned int *)call->sqe;
		printf("     fd %d, %u bytes, gave %lld:", call->fd, call->sqe_len,
		       (long long)call->result);
		for (w = 0; w < 16; w++)
			printf(" %08x", words[w]);
		printf("\n");
	}
}

/* The model's opinion on the calls, before the kernel's */
static void ask_model(struct fuzz *f, unsigned int *errors)
{
	unsigned int i;

	for (i = 0; i < f->todo->nr_calls; i++)
		errors[i] = model_queue(&f->plan, f->todo->calls[i].sqe, f->todo->calls[i].sqe_len,
					f->todo->calls[i].fd);
	if (f->todo->ret == UBLK_BPF_SUBMIT && too_much(f))
		f->todo->ret = -ENOSPC;
}

static bool check_calls(struct fuzz *f, const unsigned int *errors)
{
	static const int kinds[] = { 0, -EINVAL, -EBADF, -E2BIG, -EOPNOTSUPP };
	unsigned int i, k;

	for (i = 0; i < f->todo->nr_calls; i++) {
		long result = (long)f->todo->calls[i].result;

		if (!model_error(errors[i], result)) {
			printf("     call %u gave %ld, allowed is the set %#x\n", i, result,
			       errors[i]);
			return false;
		}
		for (k = 0; k < ARRAY_SIZE(kinds); k++)
			f->results[f->plan.op][k] += result == kinds[k];
	}
	f->sqes += f->todo->nr_calls;
	return true;
}

static bool check_context(const struct fuzz *f)
{
	if (f->todo->runs && f->todo->start_sector == f->start && f->todo->nr_sectors == f->sectors)
		return true;
	printf("     the program ran %u times, saw %u sectors at %llu\n", f->todo->runs,
	       f->todo->nr_sectors, (unsigned long long)f->todo->start_sector);
	return false;
}

static bool check_effect(struct fuzz *f, int error)
{
	int expected = expected_errno(f);

	if (expected < 0 ? !error : error != expected) {
		printf("     the request gave %d, expected %d\n", error, expected);
		return false;
	}
	if (f->todo->ret != UBLK_BPF_SUBMIT || !model_submittable(&f->plan))
		return true;
	f->submitted++;
	apply_changes(f, error);
	if (f->plan.op != UBLK_IO_OP_READ || error)
		return true;
	expect_read(f);
	if (!memcmp(f->payload, f->expected, f->sectors * 512ULL))
		return true;
	printf("     read something else\n");
	return false;
}

static bool one_request(struct fuzz *f)
{
	unsigned long redirected = f->dev.counters->redirected;
	unsigned int errors[FUZZ_CALLS];
	int error;

	f->requests++;
	make_plan(f);
	mutate(f);
	ask_model(f, errors);
	f->todo->runs = 0;
	error = send(f);
	redirected = f->dev.counters->redirected - redirected;
	if (check_context(f) && check_calls(f, errors) && check_effect(f, error) &&
	    redirected == (!f->completes && f->todo->ret == UBLK_BPF_REDIRECT) &&
	    (f->requests % COMPARE_INTERVAL || compare_backends(f)))
		return true;
	show(f);
	return false;
}

/* --- set-up and report --- */

static void open_backends(struct fuzz *f, char **paths)
{
	unsigned int i;

	for (i = 0; i < NR_BACKENDS; i++) {
		f->backends[i] = require_fd(open(paths[i], O_RDWR | O_DIRECT), paths[i]);
		f->copy[i] = random_bytes(BACKEND_BYTES, i + 1);
		require(transfer(f->backends[i], true, 0, f->copy[i], BACKEND_BYTES, 8), "%s",
			paths[i]);
	}
	for (i = 0; i < ARRAY_SIZE(slots); i++) {
		const char *path = paths[slots[i].backend];

		f->dev.slots[i].fd =
			require_fd(open(path, slots[i].mode | O_DIRECT | O_EXCL), path);
		f->dev.slots[i].flags = slots[i].flags;
		f->model_slots[i].readable = slots[i].mode != O_WRONLY;
		f->model_slots[i].writable = slots[i].mode != O_RDONLY;
	}
	f->dev.nr_slots = ARRAY_SIZE(slots);
}

static void set_up(struct fuzz *f, const char *path)
{
	struct bpf_object *object = programs_open(path);
	size_t size = (sizeof(*f->todo) + 4095) & ~4095UL;

	programs_load(object);
	f->dev.prog_fd = program_fd(object, f->completes ? "fail" : "fuzz");
	if (f->completes)
		f->dev.complete_fd = program_fd(object, "fuzz_complete");
	f->todo = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd(object, "cases"), 0);
	require(f->todo == MAP_FAILED ? -errno : 0, "map the cases");
	f->dev.flags = UBLK_F_USER_COPY | UBLK_F_NO_AUTO_PART_SCAN;
	f->dev.sectors = DEVICE_SECTORS;
	f->dev.attrs = UBLK_ATTR_VOLATILE_CACHE | UBLK_ATTR_FUA;
	f->dev.discard = (struct ublk_param_discard){
		.discard_granularity = 512,
		.max_discard_sectors = PAYLOAD_SECTORS,
		.max_write_zeroes_sectors = PAYLOAD_SECTORS,
		.max_discard_segments = 1,
	};
	f->dev.max_items = MAX_ITEMS;
	f->payload = zero_bytes(BACKEND_BYTES);
	f->expected = zero_bytes(BACKEND_BYTES);
	test_device_start(&f->dev);
}

static void report(const struct fuzz *f)
{
	bool all_bytes = true;
	unsigned int op, i;

	printf("     %lu SQEs in %lu requests, %lu plans submitted\n", f->sqes, f->requests,
	       f->submitted);
	printf("     %-12s %10s %10s %10s %10s %10s\n", "", "accepted", "EINVAL", "EBADF", "E2BIG",
	       "EOPNOTSUPP");
	for (op = 0; op < ARRAY_SIZE(op_names); op++)
		if (op_names[op])
			printf("     %-12s %10lu %10lu %10lu %10lu %10lu\n", op_names[op],
			       f->results[op][0], f->results[op][1], f->results[op][2],
			       f->results[op][3], f->results[op][4]);
	for (i = 0; i < sizeof(struct io_uring_sqe); i++)
		all_bytes &= f->byte_mutations[i] > 0;
	check(all_bytes, "every byte of the SQE was changed");
	check(f->submitted > f->requests / 5, "many plans were valid");
}

int main(int argc, char **argv)
{
	static struct fuzz f;
	unsigned long sqes;
	bool ok = true;

	if (argc != 9 && argc != 10) {
		fprintf(stderr, "usage: fuzz OBJECT BIO_BACKEND FILE_BACKEND RING_BACKEND "
				"WRITE_ONLY_BACKEND BAD_BACKEND route|complete SQES [SEED]\n");
		return 2;
	}
	f.completes = !strcmp(argv[7], "complete");
	sqes = strtoul(argv[8], NULL, 0);
	f.rng = argc > 9 ? strtoull(argv[9], NULL, 0) : 1;
	open_backends(&f, argv + 2);
	set_up(&f, argv[1]);
	while (ok && f.sqes < sqes)
		ok = one_request(&f);
	check(ok, "the kernel and the model agree");
	check(compare_backends(&f), "the backends hold what valid plans wrote");
	report(&f);
	test_device_remove(&f.dev);
	return check_result();
}
