// SPDX-License-Identifier: GPL-2.0-only
/*
 * growing DEVICE FILE MIB: while one thread writes DEVICE from its beginning to MIB,
 * another one reads the very block that is being written. FILE, the device's backend, is
 * cut to nothing before, so each write makes it longer. No request may fail; a block
 * reads as zeroes until it has been written, and then as what was written.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test_io.h"
#include "test_program.h"

#define BLOCK 4096

struct growing {
	int fd;
	atomic_long current; /* the block that is being written; -1: the end */
	unsigned long reads, read_errors, early, odd;
};

static bool is_all(const unsigned char *block, unsigned char value)
{
	return block[0] == value && !memcmp(block, block + 1, BLOCK - 1);
}

static void *reader(void *arg)
{
	unsigned char *block = zero_bytes(BLOCK);
	struct growing *t = arg;
	long n;

	while ((n = atomic_load(&t->current)) >= 0) {
		t->reads++;
		if (pread(t->fd, block, BLOCK, n * BLOCK) != BLOCK)
			t->read_errors++;
		else if (is_all(block, 0))
			t->early++;
		else if (!is_all(block, 0x5a))
			t->odd++;
	}
	free(block);
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned long write_errors = 0, lost = 0;
	unsigned char *out, *in;
	struct growing t = {};
	pthread_t thread;
	long n, blocks;

	if (argc != 4) {
		fprintf(stderr, "usage: growing DEVICE FILE MIB\n");
		return 2;
	}
	blocks = atol(argv[3]) * (1 << 20) / BLOCK;
	t.fd = require_fd(open(argv[1], O_RDWR | O_DIRECT), argv[1]);
	require(truncate(argv[2], 0) ? -errno : 0, "cut %s", argv[2]);
	out = zero_bytes(BLOCK);
	in = zero_bytes(BLOCK);
	memset(out, 0x5a, BLOCK);
	require(-pthread_create(&thread, NULL, reader, &t), "start the reader");
	for (n = 0; n < blocks; n++) {
		atomic_store(&t.current, n);
		write_errors += pwrite(t.fd, out, BLOCK, n * BLOCK) != BLOCK;
		lost += pread(t.fd, in, BLOCK, n * BLOCK) != BLOCK || memcmp(in, out, BLOCK);
	}
	atomic_store(&t.current, -1);
	pthread_join(thread, NULL);

	printf("%ld writes, %lu reads, of which %lu came before the write\n", blocks, t.reads,
	       t.early);
	check(t.early, "some reads come before the write");
	check(!write_errors, "%lu writes failed", write_errors);
	check(!lost, "%lu blocks could not be read after they were written", lost);
	check(!t.read_errors, "%lu reads failed", t.read_errors);
	check(!t.odd, "%lu reads brought neither zeroes nor what was written", t.odd);
	return check_result();
}
