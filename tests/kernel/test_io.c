// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <liburing.h>

#include "test_io.h"
#include "test_program.h"

#define MAX_PIECE_SECTORS 256

struct piece {
	size_t at, len;
};

void *random_bytes(size_t len, unsigned int seed)
{
	unsigned int *words = zero_bytes(len);
	unsigned int state = seed * 2654435761U + 1;
	size_t i;

	for (i = 0; i < len / sizeof(*words); i++) {
		state = state * 1664525 + 1013904223;
		words[i] = state ^ (state >> 15);
	}
	return words;
}

void *zero_bytes(size_t len)
{
	void *buffer = NULL;

	require(posix_memalign(&buffer, 4096, len) ? -ENOMEM : 0, "memory");
	memset(buffer, 0, len);
	return buffer;
}

/* Cut @len bytes into pieces, in random order; returns their number */
static unsigned int cut(size_t len, struct piece **pieces)
{
	unsigned int nr = 0, i, other;
	size_t at;

	*pieces = calloc(len / 512, sizeof(**pieces));
	for (at = 0; at < len; at += (*pieces)[nr++].len) {
		size_t piece = (1 + (size_t)rand() % MAX_PIECE_SECTORS) * 512;

		(*pieces)[nr] = (struct piece){ at, piece < len - at ? piece : len - at };
	}
	for (i = nr; i > 1; i--) {
		struct piece swap = (*pieces)[i - 1];

		other = (unsigned int)rand() % i;
		(*pieces)[i - 1] = (*pieces)[other];
		(*pieces)[other] = swap;
	}
	return nr;
}

/* Wait for one; its error becomes *@ret unless there is one */
static void reap(struct io_uring *ring, int *ret)
{
	struct io_uring_cqe *cqe;
	int res = io_uring_wait_cqe(ring, &cqe);

	require(res == -EINTR ? 0 : res, "wait for I/O");
	if (res)
		return;
	res = cqe->res < 0 ? cqe->res : (__u64)cqe->res == cqe->user_data ? 0 : -EPIPE;
	io_uring_cqe_seen(ring, cqe);
	if (!*ret)
		*ret = res;
}

int transfer(int fd, bool write, long long off, void *buffer, size_t len, unsigned int depth)
{
	unsigned int nr, i, in_flight = 0;
	struct piece *pieces;
	struct io_uring ring;
	int ret = 0;

	require(io_uring_queue_init(depth, &ring, 0), "io_uring");
	nr = cut(len, &pieces);
	for (i = 0; i < nr && !ret; i++) {
		struct io_uring_sqe *sqe;
		char *from = (char *)buffer + pieces[i].at;

		if (in_flight == depth) {
			reap(&ring, &ret);
			in_flight--;
		}
		sqe = io_uring_get_sqe(&ring);
		if (write)
			io_uring_prep_write(sqe, fd, from, (unsigned int)pieces[i].len,
					    (__u64)off + pieces[i].at);
		else
			io_uring_prep_read(sqe, fd, from, (unsigned int)pieces[i].len,
					   (__u64)off + pieces[i].at);
		sqe->user_data = pieces[i].len;
		require(io_uring_submit(&ring), "submit I/O");
		in_flight++;
	}
	while (in_flight--)
		reap(&ring, &ret);
	io_uring_queue_exit(&ring);
	free(pieces);
	return ret;
}

bool holds(int fd, long long off, const void *bytes, size_t len)
{
	void *got = zero_bytes(len);
	bool same = !transfer(fd, false, off, got, len, 8) && !memcmp(got, bytes, len);

	free(got);
	return same;
}
