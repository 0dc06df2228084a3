// SPDX-License-Identifier: GPL-2.0-only
/*
 * Are writes that a device acknowledged still there, whatever happened to it?
 *
 * acknowledged write DEVICE STATE DEPTH: writes blocks in random order
 *	and reads some back until SIGTERM, or until an error. STATE, a file, holds
 *	what is known of each block, also if this is killed. Exit status 0 after
 *	SIGTERM, 3 after an I/O error, 1 if a read brought something else.
 * acknowledged verify DEVICE STATE: reads all blocks. Exit status 0 if each holds
 *	what was acknowledged last, or a later write that was not acknowledged.
 *
 * A block has one write in flight. Each sector carries block, sector and the
 * number of the write, so that a part of an old write over a newer one shows.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <liburing.h>
#include <linux/fs.h>

#include "test_io.h"
#include "test_program.h"

/* No power of two: blocks cross whatever boundary a policy has */
#define BLOCK_BYTES   12288U
#define BLOCK_SECTORS (BLOCK_BYTES / 512)
#define IO_ERROR      3

struct block_state {
	__u64 acknowledged; /* number of the write; 0: none */
	__u64 oldest_doubt; /* later writes from this one to newest_doubt may be there; 0: none */
	__u64 newest_doubt;
};

struct state {
	__u64 next_write;
	__u64 nr_blocks;
	struct block_state blocks[];
};

struct stamp {
	__u64 write, block, sector, check;
};

struct slot {
	bool busy, write;
	__u64 block, number;
	unsigned char *buffer;
};

struct writer {
	int fd;
	struct state *state;
	struct io_uring ring;
	struct slot *slots;
	bool *block_busy;
	unsigned int depth, in_flight;
	unsigned long writes, reads;
	bool io_error, wrong;
};

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static struct stamp stamp_of(__u64 write, __u64 block, __u64 sector)
{
	return (struct stamp){ write, block, sector,
			       (write * 31 + block) * 2654435761ULL + sector };
}

static void fill(unsigned char *buffer, __u64 write, __u64 block)
{
	unsigned int sector, i;

	for (sector = 0; sector < BLOCK_SECTORS; sector++) {
		const struct stamp stamp = stamp_of(write, block, sector);

		for (i = 0; i < 512; i += sizeof(stamp))
			memcpy(buffer + sector * 512 + i, &stamp, sizeof(stamp));
	}
}

/* May a sector hold the write that it claims to hold? */
static bool allowed(const struct block_state *b, __u64 write)
{
	return write == b->acknowledged ||
	       (b->oldest_doubt && write >= b->oldest_doubt && write <= b->newest_doubt);
}

static bool block_is_right(const struct block_state *b, __u64 block, const unsigned char *buffer)
{
	unsigned int sector, i;
	struct stamp found, right;

	/* it may hold anything */
	if (!b->acknowledged)
		return true;
	for (sector = 0; sector < BLOCK_SECTORS; sector++) {
		memcpy(&found, buffer + sector * 512, sizeof(found));
		right = stamp_of(found.write, block, sector);
		for (i = 0; i < 512; i += sizeof(right)) {
			if (!memcmp(buffer + sector * 512 + i, &right, sizeof(right)) &&
			    allowed(b, found.write))
				continue;
			printf("block %llu sector %u has write %llu of block %llu; "
			       "acknowledged is %llu, in doubt are %llu to %llu\n",
			       (unsigned long long)block, sector, (unsigned long long)found.write,
			       (unsigned long long)found.block, (unsigned long long)b->acknowledged,
			       (unsigned long long)b->oldest_doubt,
			       (unsigned long long)b->newest_doubt);
			return false;
		}
	}
	return true;
}

static struct state *open_state(const char *path, int device, bool create)
{
	struct state *state;
	__u64 bytes = 0, nr;
	size_t size;
	int fd = require_fd(open(path, O_RDWR | (create ? O_CREAT : 0), 0600), path);

	require(ioctl(device, BLKGETSIZE64, &bytes) ? -errno : 0, "size of the device");
	nr = bytes / BLOCK_BYTES;
	size = sizeof(*state) + nr * sizeof(state->blocks[0]);
	require(create && ftruncate(fd, (off_t)size) ? -errno : 0, "size of %s", path);
	state = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	require(state == MAP_FAILED ? -errno : 0, "map %s", path);
	close(fd);
	require(state->nr_blocks && state->nr_blocks != nr ? -EINVAL : 0, "%s is of another size",
		path);
	state->nr_blocks = nr;
	/* numbers that no earlier run on these backends had */
	if (!state->next_write)
		state->next_write = (__u64)time(NULL) << 24;
	return state;
}

/* --- writing --- */

static void start_one(struct writer *w, unsigned int i)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&w->ring);
	struct slot *slot = &w->slots[i];
	struct block_state *b;

	require(sqe ? 0 : -EBUSY, "SQE");
	do {
		slot->block = (__u64)rand() % w->state->nr_blocks;
	} while (w->block_busy[slot->block]);
	b = &w->state->blocks[slot->block];
	slot->write = rand() % 4 != 0;
	slot->busy = w->block_busy[slot->block] = true;
	if (slot->write) {
		slot->number = ++w->state->next_write;
		/* in doubt from now on, also if this process ends here */
		b->newest_doubt = slot->number;
		if (!b->oldest_doubt)
			b->oldest_doubt = slot->number;
		fill(slot->buffer, slot->number, slot->block);
		io_uring_prep_write(sqe, w->fd, slot->buffer, BLOCK_BYTES,
				    slot->block * BLOCK_BYTES);
	} else {
		io_uring_prep_read(sqe, w->fd, slot->buffer, BLOCK_BYTES,
				   slot->block * BLOCK_BYTES);
	}
	sqe->user_data = i;
	require(io_uring_submit(&w->ring), "submit");
	w->in_flight++;
}

static void end_one(struct writer *w)
{
	struct io_uring_cqe *cqe;
	struct block_state *b;
	struct slot *slot;
	int ret = io_uring_wait_cqe(&w->ring, &cqe);

	if (ret == -EINTR)
		return;
	require(ret, "wait for I/O");
	slot = &w->slots[cqe->user_data];
	b = &w->state->blocks[slot->block];
	ret = cqe->res;
	io_uring_cqe_seen(&w->ring, cqe);
	w->in_flight--;
	slot->busy = w->block_busy[slot->block] = false;
	if (ret != (int)BLOCK_BYTES) {
		w->io_error = true;
	} else if (slot->write) {
		b->acknowledged = slot->number;
		b->oldest_doubt = b->newest_doubt = 0;
		w->writes++;
	} else {
		w->reads++;
		w->wrong |= !block_is_right(b, slot->block, slot->buffer);
	}
}

static int write_until_stopped(struct writer *w)
{
	unsigned int i;

	while (!stopped && !w->io_error && !w->wrong) {
		for (i = 0; i < w->depth; i++)
			if (!w->slots[i].busy)
				start_one(w, i);
		end_one(w);
	}
	while (w->in_flight)
		end_one(w);
	printf("%lu writes acknowledged, %lu blocks read back\n", w->writes, w->reads);
	return w->wrong ? 1 : w->io_error ? IO_ERROR : 0;
}

static int run_writer(const char *device, const char *state, unsigned int depth)
{
	struct writer w = { .depth = depth };
	unsigned int i;

	signal(SIGTERM, stop);
	w.fd = require_fd(open(device, O_RDWR | O_DIRECT), device);
	w.state = open_state(state, w.fd, true);
	srand((unsigned int)w.state->next_write);
	w.slots = calloc(depth, sizeof(*w.slots));
	w.block_busy = calloc(w.state->nr_blocks, sizeof(*w.block_busy));
	for (i = 0; i < depth; i++)
		w.slots[i].buffer = zero_bytes(BLOCK_BYTES);
	require(io_uring_queue_init(depth, &w.ring, 0), "io_uring");
	return write_until_stopped(&w);
}

static int verify(const char *device, const char *path)
{
	int fd = require_fd(open(device, O_RDONLY | O_DIRECT), device);
	struct state *state = open_state(path, fd, false);
	unsigned char *buffer = zero_bytes(BLOCK_BYTES);
	unsigned long written = 0, wrong = 0;
	__u64 block;

	for (block = 0; block < state->nr_blocks; block++) {
		ssize_t n = pread(fd, buffer, BLOCK_BYTES, (off_t)(block * BLOCK_BYTES));

		require(n < 0		   ? -errno
			: n == BLOCK_BYTES ? 0
					   : -EPIPE,
			"read block %llu", (unsigned long long)block);
		written += state->blocks[block].acknowledged > 0;
		wrong += !block_is_right(&state->blocks[block], block, buffer);
	}
	printf("%lu of %llu blocks were written, %lu are wrong\n", written,
	       (unsigned long long)state->nr_blocks, wrong);
	/* nothing written proves nothing */
	return wrong || !written ? 1 : 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "write") && atoi(argv[4]) > 0)
		return run_writer(argv[2], argv[3], (unsigned int)atoi(argv[4]));
	if (argc == 4 && !strcmp(argv[1], "verify"))
		return verify(argv[2], argv[3]);
	fprintf(stderr, "usage: acknowledged write DEVICE STATE DEPTH\n"
			"       acknowledged verify DEVICE STATE\n");
	return 2;
}
