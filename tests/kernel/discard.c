// SPDX-License-Identifier: GPL-2.0-only
/*
 * discard OBJECT BACKEND0 BACKEND1 [ring]: discards and write-zeroes of a
 * device whose program is discard.bpf.c end up where that puts them. The
 * backends have DISCARD_DEVICE_BYTES. "ring" keeps block devices on the ring
 * engine. Exit status 0 if all checks hold.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <bpf/bpf.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/types.h>

#include "discard_regions.h"
#include "test_device.h"
#include "test_io.h"
#include "test_program.h"

#define FIRST	16384U /* where a request begins in its region */
#define BYTES	65536U
#define AROUND	4096U /* what is looked at before and behind it */
#define CHECKED (BYTES + 2 * AROUND)

/* discard.bpf.c's variables, in their order */
struct program_counters {
	__u32 nr_discards, nr_unmapping, nr_not_unmapping;
};

enum request {
	REQUEST_DISCARD,
	REQUEST_UNMAP, /* write-zeroes that may unmap */
	REQUEST_ZERO, /* write-zeroes that may not */
	NR_REQUESTS,
};

static const char *const request_names[] = { "discard", "unmapping zeroes", "zeroes" };

struct test {
	struct test_device dev;
	int backends[2];
	int counters_fd;
};

static int send_request(struct test *t, enum request request, __u64 off, __u64 len)
{
	__u64 range[2] = { off, len };
	int ret = -1;

	switch (request) {
	case REQUEST_DISCARD:
		ret = ioctl(t->dev.disk_fd, BLKDISCARD, range);
		break;
	case REQUEST_UNMAP:
		ret = fallocate(t->dev.disk_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				(off_t)off, (off_t)len);
		break;
	case REQUEST_ZERO:
		ret = fallocate(t->dev.disk_fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
				(off_t)off, (off_t)len);
		break;
	default:
		break;
	}
	return ret < 0 ? errno : 0;
}

static struct program_counters counters(const struct test *t)
{
	struct program_counters c;
	__u32 key = 0;

	require(bpf_map_lookup_elem(t->counters_fd, &key, &c), "read the program's counters");
	return c;
}

/* The request that the program saw is the one that was sent, and the only one */
static void check_seen(const struct program_counters *before, const struct program_counters *after,
		       enum request request)
{
	check(after->nr_discards - before->nr_discards == (request == REQUEST_DISCARD) &&
		      after->nr_unmapping - before->nr_unmapping == (request == REQUEST_UNMAP) &&
		      after->nr_not_unmapping - before->nr_not_unmapping ==
			      (request == REQUEST_ZERO),
	      "%s: the program sees one request of that kind", request_names[request]);
}

/*
 * Send a request to a region of both backends' random bytes; @zero has, for
 * each backend, the part of the request that reads as zeroes afterwards.
 */
static void check_region(struct test *t, enum discard_region region, const char *name,
			 const unsigned int zero[2][2])
{
	const long long at = (long long)region * DISCARD_REGION_BYTES + FIRST;
	enum request request;
	unsigned int slot;

	for (request = 0; request < NR_REQUESTS; request++) {
		struct program_counters before = counters(t), after;
		char *bytes = random_bytes(CHECKED, region * NR_REQUESTS + request);

		for (slot = 0; slot < 2; slot++)
			require(transfer(t->backends[slot], true, at - AROUND, bytes, CHECKED, 4),
				"write to a backend");
		check(!send_request(t, request, (__u64)at, BYTES), "%s: %s works", name,
		      request_names[request]);
		after = counters(t);
		check_seen(&before, &after, request);
		for (slot = 0; slot < 2; slot++) {
			char *want = random_bytes(CHECKED, region * NR_REQUESTS + request);

			memset(want + AROUND + zero[slot][0], 0, zero[slot][1]);
			check(holds(t->backends[slot], at - AROUND, want, CHECKED),
			      "%s: %s leaves on backend %u what it should", name,
			      request_names[request], slot);
			free(want);
		}
		free(bytes);
	}
}

static void check_placement(struct test *t)
{
	static const unsigned int one[2][2] = { { 0, BYTES }, { 0, 0 } };
	static const unsigned int both[2][2] = { { 0, BYTES }, { 0, BYTES } };
	static const unsigned int split[2][2] = { { 0, BYTES / 2 }, { BYTES / 2, BYTES / 2 } };
	static const unsigned int none[2][2] = { { 0, 0 }, { 0, 0 } };
	static const unsigned int second_half[2][2] = { { BYTES / 2, BYTES / 2 }, { 0, 0 } };

	check_region(t, DISCARD_ONE, "one backend", one);
	check_region(t, DISCARD_BOTH, "both backends", both);
	check_region(t, DISCARD_SPLIT, "split", split);
	check_region(t, DISCARD_DROP, "dropped", none);
	check_region(t, DISCARD_HALF_DROP, "half of it dropped", second_half);
}

static void check_refused(struct test *t, enum discard_region region, const char *name)
{
	const __u64 at = (__u64)region * DISCARD_REGION_BYTES + FIRST;
	char *bytes = random_bytes(BYTES, region);

	require(transfer(t->backends[0], true, (long long)at, bytes, BYTES, 4),
		"write to a backend");
	check(send_request(t, REQUEST_DISCARD, at, BYTES) == EIO, "%s: discard gives EIO", name);
	check(send_request(t, REQUEST_UNMAP, at, BYTES) == EIO, "%s: unmapping zeroes give EIO",
	      name);
	check(send_request(t, REQUEST_ZERO, at, BYTES) == EIO, "%s: zeroes give EIO", name);
	check(holds(t->backends[0], (long long)at, bytes, BYTES), "%s: the backend is untouched",
	      name);
	free(bytes);
}

static void check_large(struct test *t)
{
	const __u64 at = (__u64)DISCARD_LARGE * DISCARD_REGION_BYTES;
	const long long last = (long long)(at + DISCARD_LARGE_BYTES) - BYTES;
	enum request request;

	for (request = 0; request < NR_REQUESTS; request++) {
		struct program_counters before = counters(t), after;
		char *bytes = random_bytes(BYTES, request);
		char *zeroes = zero_bytes(BYTES);

		require(transfer(t->backends[1], true, last, bytes, BYTES, 4),
			"write to a backend");
		check(!send_request(t, request, at, DISCARD_LARGE_BYTES), "large: %s works",
		      request_names[request]);
		after = counters(t);
		check_seen(&before, &after, request);
		check(holds(t->backends[1], last, zeroes, BYTES), "large: %s reaches the end",
		      request_names[request]);
		free(bytes);
		free(zeroes);
	}
}

int main(int argc, char **argv)
{
	const __u32 slot_flags = argc > 4 ? UBLK_BPF_SLOT_RING : 0;
	struct bpf_object *object;
	struct test t = {
		.dev = {
			.flags = UBLK_F_USER_COPY,
			.sectors = DISCARD_DEVICE_BYTES / 512,
			.attrs = UBLK_ATTR_VOLATILE_CACHE,
			.discard = {
				.discard_granularity = 4096,
				.max_discard_sectors = UINT32_MAX >> 9,
				.max_write_zeroes_sectors = UINT32_MAX >> 9,
				.max_discard_segments = 1,
			},
			.nr_slots = 2,
		},
	};
	int i;

	if (argc < 4) {
		fprintf(stderr, "usage: discard OBJECT BACKEND0 BACKEND1 [ring]\n");
		return 2;
	}
	for (i = 0; i < 2; i++) {
		t.backends[i] =
			require_fd(open(argv[2 + i], O_RDWR | O_DIRECT | O_EXCL), argv[2 + i]);
		t.dev.slots[i] = (struct ublk_bpf_slot){ t.backends[i], slot_flags };
	}
	object = programs_open(argv[1]);
	programs_load(object);
	t.dev.prog_fd = program_fd(object, "discard");
	t.counters_fd = map_fd(object, ".bss");
	test_device_start(&t.dev);

	check_placement(&t);
	check_refused(&t, DISCARD_GAP, "gap");
	check_refused(&t, DISCARD_TOO_LONG, "too long");
	check_refused(&t, DISCARD_OTHER_MODE, "other mode");
	check_refused(&t, DISCARD_AS_WRITE, "a write");
	check_large(&t);
	check(!fsync(t.dev.disk_fd), "flush");

	test_device_remove(&t.dev);
	return check_result();
}
