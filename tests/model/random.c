// SPDX-License-Identifier: GPL-2.0-only
/*
 * random-io POLICY DEVICE REQUESTS SEED BACKEND...: sends random reads, writes
 * and flushes through a policy device, many at a time, and keeps an image of
 * what every backend must hold. Reads are checked as they complete; in the end
 * every byte of every backend is compared with its image, those that no
 * request touched included.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "backend.h"
#include "model.h"

#define DEPTH	    64
#define SECTOR	    512U
#define MAX_SECTORS 2048U
#define MAX_BYTES   (MAX_SECTORS * SECTOR)
#define MAX_VECS    16
#define SLACK	    4096U /* for vectors that begin off a sector */

struct request {
	bool busy;
	uint8_t opcode;
	uint64_t pos;
	uint32_t len;
	unsigned char *memory; /* MAX_BYTES + SLACK */
	unsigned char *data; /* in memory */
	unsigned char *expected; /* of a read: MAX_BYTES */
	struct iovec vec[MAX_VECS];
};

static struct {
	struct model model;
	const char *device;
	const char *path[MODEL_MAX_BACKENDS];
	int backend_fd[MODEL_MAX_BACKENDS];
	unsigned char *image[MODEL_MAX_BACKENDS];
	int fd;
	uint32_t block; /* logical block size of the device, bytes */
	uint32_t memory_step; /* alignment the device wants of memory */
	uint64_t random;
	struct io_uring ring;
	struct request requests[DEPTH];
	unsigned int in_flight;
	uint64_t *boundaries; /* bytes on the device: what is served changes its place */
	unsigned int nr_boundaries;
	/* what was done, for the last line */
	unsigned int reads, writes, flushes, crossings;
	uint64_t bytes;
} test;

static uint64_t random64(void)
{
	test.random ^= test.random << 13;
	test.random ^= test.random >> 7;
	test.random ^= test.random << 17;
	return test.random;
}

static uint64_t random_below(uint64_t limit)
{
	return random64() % limit;
}

static void write_images(const struct place *where, const unsigned char *data, uint32_t len)
{
	uint64_t copies = where->copies ? where->copies : 1ULL << where->backend;
	unsigned int i;

	for (i = 0; i < test.model.nr_backends; i++) {
		if (where->kind == PLACE_DATA && copies >> i & 1)
			memcpy(test.image[i] + where->offset, data, len);
	}
}

static void read_image(const struct place *where, unsigned char *data, uint32_t len)
{
	if (where->kind == PLACE_DATA)
		memcpy(data, test.image[where->backend] + where->offset, len);
	else
		memset(data, 0, len);
}

/* Walks the backend ranges of [pos, pos + len); returns how many there are */
static unsigned int for_each_place(uint64_t pos, unsigned char *data, uint32_t len, bool to_image)
{
	unsigned int nr = 0;
	uint32_t done = 0;

	while (done < len) {
		struct place where = model_place(&test.model, to_image, pos + done, len);
		uint32_t part = where.run < len - done ? where.run : len - done;

		if (to_image)
			write_images(&where, data + done, part);
		else
			read_image(&where, data + done, part);
		done += part;
		nr++;
	}
	return nr;
}

/* Does the policy serve all of it? */
static bool is_served(bool is_write, uint64_t pos, uint32_t len)
{
	uint64_t end = pos + len;

	while (pos < end) {
		struct place where = model_place(&test.model, is_write, pos, len);

		if (where.kind == PLACE_ERROR)
			return false;
		pos += where.run;
	}
	return true;
}

static bool overlaps_in_flight(uint64_t pos, uint32_t len)
{
	unsigned int i;

	for (i = 0; i < DEPTH; i++) {
		const struct request *r = &test.requests[i];

		if (r->busy && pos < r->pos + r->len && r->pos < pos + len)
			return true;
	}
	return false;
}

static void check_read(const struct request *r)
{
	struct place where;
	uint32_t i;

	if (!memcmp(r->data, r->expected, r->len))
		return;
	for (i = 0; r->data[i] == r->expected[i]; i++)
		;
	where = model_place(&test.model, false, r->pos + i, r->len - i);
	die("read of %u bytes at %" PRIu64 ": byte %" PRIu64
	    " is 0x%02x, must be 0x%02x (byte %" PRIu64 " of %s)",
	    r->len, r->pos, r->pos + i, r->data[i], r->expected[i], where.offset,
	    test.path[where.backend]);
}

static void complete_one(void)
{
	struct io_uring_cqe *cqe;
	struct request *r;
	int ret = io_uring_wait_cqe(&test.ring, &cqe);

	if (ret)
		die("io_uring_wait_cqe: %s", strerror(-ret));
	r = io_uring_cqe_get_data(cqe);
	if (cqe->res < 0 || (uint32_t)cqe->res != r->len)
		die("opcode %u of %u bytes at %" PRIu64 ": %s", r->opcode, r->len, r->pos,
		    cqe->res < 0 ? strerror(-cqe->res) : "short");
	if (r->opcode == IORING_OP_READV)
		check_read(r);
	io_uring_cqe_seen(&test.ring, cqe);
	r->busy = false;
	test.in_flight--;
}

static struct request *idle_request(void)
{
	unsigned int i;

	if (test.in_flight == DEPTH) {
		io_uring_submit(&test.ring);
		complete_one();
	}
	for (i = 0; test.requests[i].busy; i++)
		;
	return &test.requests[i];
}

/*
 * Memory of @r->len bytes in random vectors: one, several of whole blocks, or
 * several that are only as aligned as the device demands.
 */
static unsigned int scatter(struct request *r)
{
	uint32_t step = random_below(2) ? test.block : test.memory_step;
	unsigned int nr = 1 + random_below(MAX_VECS);
	uint32_t done = 0;
	unsigned int i;

	r->data = r->memory + random_below(SLACK / step) * step;
	for (i = 0; done < r->len; i++) {
		uint32_t left = r->len - done;
		uint32_t part = left;

		if (i + 1 < nr)
			part = (1 + random_below((left + step - 1) / step)) * step;
		if (part > left)
			part = left;
		r->vec[i].iov_base = r->data + done;
		r->vec[i].iov_len = part;
		done += part;
	}
	return i;
}

static void submit_flush(void)
{
	struct request *r = idle_request();
	struct io_uring_sqe *sqe = io_uring_get_sqe(&test.ring);

	r->opcode = IORING_OP_FSYNC;
	r->pos = 0;
	r->len = 0;
	io_uring_prep_fsync(sqe, test.fd, 0);
	io_uring_sqe_set_data(sqe, r);
	r->busy = true;
	test.in_flight++;
	test.flushes++;
}

static void submit_transfer(bool write, uint64_t pos, uint32_t len)
{
	struct request *r;
	struct io_uring_sqe *sqe;
	unsigned int nr_vecs, i;

	if (!is_served(write, pos, len))
		return;
	while (overlaps_in_flight(pos, len)) {
		io_uring_submit(&test.ring);
		complete_one();
	}
	r = idle_request();
	r->pos = pos;
	r->len = len;
	nr_vecs = scatter(r);
	sqe = io_uring_get_sqe(&test.ring);
	if (write) {
		r->opcode = IORING_OP_WRITEV;
		for (i = 0; i < len; i += 8) {
			uint64_t word = random64();

			memcpy(r->data + i, &word, 8);
		}
		test.crossings += for_each_place(pos, r->data, len, true) > 1;
		io_uring_prep_writev2(sqe, test.fd, r->vec, nr_vecs, pos,
				      random_below(16) ? 0 : RWF_DSYNC);
		test.writes++;
	} else {
		r->opcode = IORING_OP_READV;
		test.crossings += for_each_place(pos, r->expected, len, false) > 1;
		memset(r->data, 0x5a, len);
		io_uring_prep_readv(sqe, test.fd, r->vec, nr_vecs, pos);
		test.reads++;
	}
	io_uring_sqe_set_data(sqe, r);
	r->busy = true;
	test.in_flight++;
	test.bytes += len;
}

/* All sizes from a block to a mebibyte, small ones as often as large ones */
static uint32_t random_length(void)
{
	uint32_t len = (1 + random_below(1U << random_below(12))) * SECTOR;

	return (len + test.block - 1) / test.block * test.block;
}

/* Half of them around a boundary of the policy, if it has one */
static uint64_t random_position(uint32_t len)
{
	uint64_t pos = random_below((test.model.size - len) / test.block + 1) * test.block;
	uint64_t back = random_below(len / test.block + 1) * test.block;
	uint64_t boundary;

	if (!test.nr_boundaries || random_below(2))
		return pos;
	boundary = test.boundaries[random_below(test.nr_boundaries)];
	return boundary < back || boundary - back > test.model.size - len ? pos : boundary - back;
}

/*
 * Neighbouring requests submitted together: the block layer merges them into
 * requests of several bios.
 */
static unsigned int submit_burst(unsigned int most)
{
	bool write = random_below(2);
	uint32_t len = (1 + random_below(16)) * test.block;
	unsigned int nr = 2 + random_below(30), i;
	uint64_t pos;

	if (nr > most)
		nr = most;
	pos = random_position(len * nr);
	io_uring_submit(&test.ring);
	while (test.in_flight)
		complete_one();
	for (i = 0; i < nr; i++)
		submit_transfer(write, pos + (uint64_t)i * len, len);
	io_uring_submit(&test.ring);
	return nr;
}

static void run(unsigned int requests)
{
	while (requests) {
		uint32_t len = random_length();
		unsigned int kind = random_below(64);
		unsigned int done = 1;

		if (kind == 0)
			submit_flush();
		else if (kind == 1)
			done = submit_burst(requests);
		else
			submit_transfer(kind & 1, random_position(len), len);
		requests -= done;
		if (random_below(4) == 0)
			io_uring_submit(&test.ring);
	}
	io_uring_submit(&test.ring);
	while (test.in_flight)
		complete_one();
}

static void compare_backend(unsigned int i)
{
	uint64_t size = test.model.backend_size[i], at;
	unsigned char *buf = direct_memory(MAX_BYTES);

	for (at = 0; at < size; at += MAX_BYTES) {
		size_t len = size - at < MAX_BYTES ? size - at : MAX_BYTES, k;

		read_all(test.backend_fd[i], test.path[i], buf, len, at);
		if (!memcmp(buf, test.image[i] + at, len))
			continue;
		for (k = 0; buf[k] == test.image[i][at + k]; k++)
			;
		die("%s byte %" PRIu64 " is 0x%02x, must be 0x%02x", test.path[i], at + k, buf[k],
		    test.image[i][at + k]);
	}
	free(buf);
}

static void add_boundary(uint64_t pos)
{
	/* Room for twice as many, each time there are a power of two of them */
	if (!(test.nr_boundaries & (test.nr_boundaries - 1)))
		test.boundaries = realloc(test.boundaries,
					  2 * (test.nr_boundaries + 1) * sizeof(*test.boundaries));
	if (!test.boundaries)
		die("out of memory");
	test.boundaries[test.nr_boundaries++] = pos;
}

/* Where a request that is served whole has parts in two places */
static void find_boundaries(bool is_write)
{
	struct place where = model_place(&test.model, is_write, 0, SECTOR), next;

	for (uint64_t pos = where.run; pos < test.model.size; pos += where.run) {
		next = model_place(&test.model, is_write, pos, SECTOR);
		if (next.kind != PLACE_ERROR && where.kind != PLACE_ERROR &&
		    (next.kind != where.kind || next.backend != where.backend ||
		     next.offset != where.offset + where.run))
			add_boundary(pos);
		where = next;
	}
}

static uint32_t queue_attribute(const char *name)
{
	char path[256];
	unsigned int value;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/class/block/%s/queue/%s", strrchr(test.device, '/') + 1,
		 name);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%u", &value) != 1)
		die("cannot read %s", path);
	fclose(f);
	return value;
}

static void open_all(const char *policy, char **backends)
{
	uint64_t size;
	unsigned int i;

	for (i = 0; i < test.model.nr_backends; i++) {
		test.path[i] = backends[i];
		test.backend_fd[i] =
			open_direct(backends[i], O_RDONLY, &test.model.backend_size[i]);
		test.image[i] = direct_memory(test.model.backend_size[i]);
		read_all(test.backend_fd[i], backends[i], test.image[i], test.model.backend_size[i],
			 0);
	}
	if (!model_init(&test.model, policy))
		die("the model has no policy %s with %u backends", policy, test.model.nr_backends);
	test.fd = open_direct(test.device, O_RDWR, &size);
	if (size != test.model.size)
		die("%s has %" PRIu64 " bytes, must have %" PRIu64, test.device, size,
		    test.model.size);
	test.block = queue_attribute("logical_block_size");
	test.memory_step = queue_attribute("dma_alignment") + 1;
	find_boundaries(false);
	find_boundaries(true);
}

int main(int argc, char **argv)
{
	unsigned int requests, i;
	int ret;

	if (argc < 6 || argc - 5 > MODEL_MAX_BACKENDS)
		die("usage: random-io POLICY DEVICE REQUESTS SEED BACKEND...");
	test.device = argv[2];
	requests = strtoul(argv[3], NULL, 0);
	test.random = 0x9e3779b97f4a7c15ULL ^ strtoull(argv[4], NULL, 0);
	test.model.nr_backends = argc - 5;
	open_all(argv[1], argv + 5);
	for (i = 0; i < DEPTH; i++) {
		test.requests[i].memory = direct_memory(MAX_BYTES + SLACK);
		test.requests[i].expected = direct_memory(MAX_BYTES);
	}
	ret = io_uring_queue_init(2 * DEPTH, &test.ring, 0);
	if (ret)
		die("io_uring_queue_init: %s", strerror(-ret));

	run(requests);
	for (i = 0; i < test.model.nr_backends; i++)
		compare_backend(i);

	printf("%u reads, %u writes, %u flushes, %" PRIu64 " MiB, %u requests over a boundary\n",
	       test.reads, test.writes, test.flushes, test.bytes >> 20, test.crossings);
	if (test.nr_boundaries && test.crossings < requests / 10)
		die("too few requests crossed a boundary to test anything");
	return 0;
}
