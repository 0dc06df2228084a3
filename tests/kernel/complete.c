// SPDX-License-Identifier: GPL-2.0-only
/*
 * complete OBJECT BAD ENGINE GOOD ENGINE: what complete.bpf.c makes of a backend
 * that fails everything and one that works, each driven by "bio" or "ring".
 * Both have NR_COMPLETE_REGIONS * COMPLETE_REGION_BYTES. Exit status 0 if all
 * checks hold.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <bpf/bpf.h>
#include <linux/falloc.h>
#include <linux/types.h>

#include "complete_regions.h"
#include "test_device.h"
#include "test_io.h"
#include "test_program.h"

#define FIRST 1536U /* where a request begins in its region */
#define BYTES 8192U
#define DEPTH 16
#define KILLS 5

/* complete.bpf.c's variables, in their order */
struct program_counters {
	__u32 nr_runs, last_attempt, nr_wrong;
};

struct test {
	struct test_device dev;
	int bad, good;
	int route_fd, complete_fd;
	int counters_fd;
};

static struct program_counters counters(const struct test *t)
{
	struct program_counters c;
	__u32 key = 0;

	require(bpf_map_lookup_elem(t->counters_fd, &key, &c), "read the program's counters");
	return c;
}

static long long region_offset(enum complete_region region)
{
	return (long long)region * COMPLETE_REGION_BYTES + FIRST;
}

/* 0 or the errno that the device gave */
static int device_io(struct test *t, bool write, enum complete_region region, void *buffer)
{
	ssize_t n = write ? pwrite(t->dev.disk_fd, buffer, BYTES, region_offset(region))
			  : pread(t->dev.disk_fd, buffer, BYTES, region_offset(region));

	if (n < 0)
		return errno;
	return n == BYTES ? 0 : EPIPE;
}

/* One write gives @write_errno, one read @read_errno, after @runs runs of the program each */
static void check_region(struct test *t, enum complete_region region, const char *name,
			 int write_errno, int read_errno, unsigned int runs)
{
	unsigned int before = counters(t).nr_runs;
	char *out = random_bytes(BYTES, region);
	char *in = zero_bytes(BYTES);
	int ret;

	ret = device_io(t, true, region, out);
	check(ret == write_errno, "%s: a write should give '%s', gave '%s'", name,
	      strerror(write_errno), strerror(ret));
	if (!write_errno && region != COMPLETE_SETTLE && region != COMPLETE_ZERO)
		check(holds(t->good, region_offset(region), out, BYTES),
		      "%s: the good backend has what was written", name);
	ret = device_io(t, false, region, in);
	check(ret == read_errno, "%s: a read should give '%s', gave '%s'", name,
	      strerror(read_errno), strerror(ret));
	if (region == COMPLETE_ZERO)
		memset(out, 0, BYTES);
	if (!read_errno)
		check(!memcmp(in, out, BYTES), "%s: the right bytes are read", name);
	check(counters(t).nr_runs - before == 2 * runs,
	      "%s: the program should run %u times, ran %u", name, 2 * runs,
	      counters(t).nr_runs - before);
	free(in);
	free(out);
}

static __u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (__u64)ts.tv_sec * 1000000000ULL + (__u64)ts.tv_nsec;
}

/* Two SQEs of the write fail at the same time, and each asks to be held */
static void check_hold(struct test *t)
{
	unsigned int before = counters(t).nr_runs;
	char *out = random_bytes(BYTES, COMPLETE_HOLD);
	char *in = zero_bytes(BYTES);
	__u64 began = now_ns();

	check(!device_io(t, true, COMPLETE_HOLD, out), "hold: a write works");
	check(!device_io(t, false, COMPLETE_HOLD, in), "hold: a read works");
	check(!memcmp(in, out, BYTES), "hold: the right bytes are read");
	check(now_ns() - began >= 2 * COMPLETE_HOLD_NS, "hold: both were held");
	check(counters(t).nr_runs - before == 3, "hold: the program ran 3 times");
	free(in);
	free(out);
}

static void check_zeroes(struct test *t)
{
	const off_t at = COMPLETE_MIRROR * COMPLETE_REGION_BYTES + 65536;
	unsigned int before = counters(t).nr_runs;
	char *bytes = random_bytes(65536, 1), *zeroes = zero_bytes(65536);

	require(transfer(t->good, true, at, bytes, 65536, 4), "write to the good backend");
	check(!fallocate(t->dev.disk_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, 65536),
	      "write-zeroes works");
	check(holds(t->good, at, zeroes, 65536), "write-zeroes: on the good backend");
	check(counters(t).nr_runs - before == 1, "write-zeroes: the program ran once");
	free(bytes);
	free(zeroes);
}

static int write_and_read(struct test *t, unsigned int seed)
{
	const long long at = COMPLETE_MIRROR * COMPLETE_REGION_BYTES;
	char *out = random_bytes(COMPLETE_REGION_BYTES, seed);
	char *in = zero_bytes(COMPLETE_REGION_BYTES);
	int ret;

	ret = transfer(t->dev.disk_fd, true, at, out, COMPLETE_REGION_BYTES, DEPTH);
	if (!ret)
		ret = transfer(t->dev.disk_fd, false, at, in, COMPLETE_REGION_BYTES, DEPTH);
	if (!ret && memcmp(in, out, COMPLETE_REGION_BYTES))
		ret = -EILSEQ;
	free(in);
	free(out);
	return ret;
}

static void check_many(struct test *t)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < 20 && !ret; i++)
		ret = write_and_read(t, i);
	check(!ret, "many requests at once: %s", strerror(-ret));
}

/* Servers die while requests fail and are tried again; the requests survive them */
static void check_kills(struct test *t)
{
	unsigned int i;
	int stop[2];
	int status;
	pid_t load;

	require(pipe(stop), "pipe");
	fflush(stdout);
	load = fork();
	require(load < 0 ? -errno : 0, "fork");
	if (!load) {
		char byte;
		int ret;

		close(stop[1]);
		require(fcntl(stop[0], F_SETFL, O_NONBLOCK), "O_NONBLOCK");
		for (i = 0; read(stop[0], &byte, 1) < 0; i++) {
			ret = write_and_read(t, i);
			require(ret, "I/O while servers die");
		}
		_exit(0);
	}
	close(stop[0]);
	for (i = 0; i < KILLS; i++) {
		usleep(100000 + 37000 * i);
		test_device_kill(&t->dev);
		require(test_device_serve(&t->dev, true), "recover");
	}
	/* the servers have that end of the pipe too, so closing it ends nothing */
	require(write(stop[1], "", 1) == 1 ? 0 : -errno, "stop the I/O");
	close(stop[1]);
	require(waitpid(load, &status, 0) < 0 ? -errno : 0, "wait");
	check(!status, "%d servers killed: no request fails or loses data", KILLS);
}

static int attach(struct test *t, int prog_fd, __u32 flags, int complete_fd)
{
	struct ublk_bpf_attach attach = {
		.prog_fd = prog_fd,
		.flags = flags,
		.max_items = COMPLETE_MAX_ITEMS,
		.nr_slots = t->dev.nr_slots,
		.slots = (unsigned long)t->dev.slots,
		.complete_fd = complete_fd,
	};

	return ublk_command(UBLK_U_CMD_ATTACH_BPF, t->dev.id, &attach, sizeof(attach), 0);
}

static void check_attach(struct test *t)
{
	require(test_device_add(&t->dev), "ADD_DEV");
	check(attach(t, t->complete_fd, 0, 0) == -EINVAL, "attach: a complete program can't route");
	check(attach(t, t->route_fd, UBLK_BPF_ATTACH_COMPLETE, t->route_fd) == -EINVAL,
	      "attach: a routing program can't complete");
	check(attach(t, t->route_fd, 0, t->complete_fd) == -EINVAL,
	      "attach: a complete program needs its flag");
	check(attach(t, t->route_fd, UBLK_BPF_ATTACH_COMPLETE, t->good) == -EINVAL,
	      "attach: a file is no program");
	require(ublk_command(UBLK_U_CMD_DEL_DEV, t->dev.id, NULL, 0, 0), "DEL_DEV");
}

static void check_without(struct test *t)
{
	t->dev.complete_fd = 0;
	test_device_start(&t->dev);
	check_region(t, COMPLETE_MIRROR, "without a complete program", EIO, EIO, 0);
	check(fsync(t->dev.disk_fd) && errno == EIO,
	      "without a complete program: a flush gives EIO");
	test_device_remove(&t->dev);
}

static void check_with(struct test *t)
{
	unsigned int before;

	t->dev.complete_fd = t->complete_fd;
	test_device_start(&t->dev);
	check_region(t, COMPLETE_MIRROR, "mirror", 0, 0, 1);
	check_region(t, COMPLETE_STANDS, "stands", ENOSPC, ENOSPC, 1);
	check_region(t, COMPLETE_FOREVER, "forever", EIO, EIO, UBLK_BPF_MAX_ATTEMPTS);
	check(counters(t).last_attempt == UBLK_BPF_MAX_ATTEMPTS, "forever: attempts are counted");
	check_region(t, COMPLETE_THIRD, "third", 0, 0, 3);
	check_region(t, COMPLETE_HALF, "half", 0, 0, 1);
	check_region(t, COMPLETE_PARTS, "parts", 0, 0, 1);
	check_region(t, COMPLETE_TOO_MANY, "too many", EIO, EIO, 1);
	check_region(t, COMPLETE_SETTLE, "settled", 0, EIO, 1);
	check_region(t, COMPLETE_GAP, "gap", EIO, EIO, 1);
	check_region(t, COMPLETE_OUTSIDE, "outside", EIO, EIO, 1);
	check_region(t, COMPLETE_NOTHING, "nothing", EIO, EIO, 1);
	check_region(t, COMPLETE_ODD, "odd return value", EIO, EIO, 1);
	check_region(t, COMPLETE_ZERO, "zero", 0, 0, 1);
	check_hold(t);
	check_zeroes(t);
	check_many(t);
	before = counters(t).nr_runs;
	check(!fsync(t->dev.disk_fd), "a settled flush");
	check(counters(t).nr_runs - before == 1, "a settled flush: the program ran once");
	check_kills(t);
	check(!counters(t).nr_wrong, "the program's context is right");
	test_device_remove(&t->dev);
}

static __u32 engine(const char *name)
{
	if (!strcmp(name, "ring"))
		return UBLK_BPF_SLOT_RING;
	require(strcmp(name, "bio") ? -EINVAL : 0, "engine %s", name);
	return 0;
}

int main(int argc, char **argv)
{
	struct bpf_object *object;
	struct test t = {
		.dev = {
			.flags = UBLK_F_USER_COPY | UBLK_F_USER_RECOVERY |
				 UBLK_F_USER_RECOVERY_REISSUE,
			.depth = DEPTH,
			.sectors = NR_COMPLETE_REGIONS * COMPLETE_REGION_BYTES / 512,
			.chunk_sectors = COMPLETE_REGION_BYTES / 512,
			.attrs = UBLK_ATTR_VOLATILE_CACHE,
			.discard = {
				.discard_granularity = 4096,
				.max_discard_sectors = COMPLETE_REGION_BYTES / 512,
				.max_write_zeroes_sectors = COMPLETE_REGION_BYTES / 512,
				.max_discard_segments = 1,
			},
			.max_items = COMPLETE_MAX_ITEMS,
			.nr_slots = 2,
		},
	};

	if (argc != 6) {
		fprintf(stderr, "usage: complete OBJECT BAD ENGINE GOOD ENGINE\n");
		return 2;
	}
	t.bad = require_fd(open(argv[2], O_RDWR | O_DIRECT | O_EXCL), argv[2]);
	t.good = require_fd(open(argv[4], O_RDWR | O_DIRECT | O_EXCL), argv[4]);
	t.dev.slots[0] = (struct ublk_bpf_slot){ t.bad, engine(argv[3]) };
	t.dev.slots[1] = (struct ublk_bpf_slot){ t.good, engine(argv[5]) };

	object = programs_open(argv[1]);
	programs_load(object);
	t.route_fd = program_fd(object, "route");
	t.complete_fd = program_fd(object, "complete");
	t.counters_fd = map_fd(object, ".bss");
	t.dev.prog_fd = t.route_fd;

	check_attach(&t);
	check_without(&t);
	check_with(&t);
	return check_result();
}
