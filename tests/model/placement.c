// SPDX-License-Identifier: GPL-2.0-only
/*
 * placement POLICY DEVICE BACKEND...: reads the whole device, reads the
 * backends directly, and checks that every byte is where the model says.
 * Prints per backend how many bytes that were, and how many of them not zero.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "backend.h"
#include "model.h"

#define STEP (1024 * 1024)

static struct model model;
static const char *backend_path[MODEL_MAX_BACKENDS];
static int backend_fd[MODEL_MAX_BACKENDS];
static uint64_t bytes[MODEL_MAX_BACKENDS], nonzero[MODEL_MAX_BACKENDS];

static void compare(const char *device, uint64_t pos, const unsigned char *got,
		    const unsigned char *on_backend, size_t len, const struct place *where)
{
	size_t i;

	if (memcmp(got, on_backend, len)) {
		for (i = 0; got[i] == on_backend[i]; i++)
			;
		die("%s byte %" PRIu64 " is 0x%02x, but byte %" PRIu64 " of %s is 0x%02x", device,
		    pos + i, got[i], where->offset + i, backend_path[where->backend],
		    on_backend[i]);
	}
	bytes[where->backend] += len;
	for (i = 0; i < len; i++)
		nonzero[where->backend] += got[i] != 0;
}

static void check_step(const char *device, uint64_t pos, const unsigned char *got, size_t len,
		       unsigned char *buf)
{
	size_t done = 0;

	while (done < len) {
		struct place where = model_place(&model, false, pos + done, STEP);
		size_t part = where.run < len - done ? where.run : len - done;

		if (where.kind != PLACE_DATA)
			die("byte %" PRIu64 " of %s is on no backend", pos + done, device);
		read_all(backend_fd[where.backend], backend_path[where.backend], buf, part,
			 where.offset);
		compare(device, pos + done, got + done, buf, part, &where);
		done += part;
	}
}

int main(int argc, char **argv)
{
	unsigned char *got = direct_memory(STEP), *buf = direct_memory(STEP);
	const char *device;
	uint64_t size, pos;
	unsigned int i;
	int fd;

	if (argc < 4 || argc - 3 > MODEL_MAX_BACKENDS)
		die("usage: placement POLICY DEVICE BACKEND...");
	device = argv[2];
	model.nr_backends = argc - 3;
	for (i = 0; i < model.nr_backends; i++) {
		backend_path[i] = argv[3 + i];
		backend_fd[i] = open_direct(argv[3 + i], O_RDONLY, &model.backend_size[i]);
	}
	if (!model_init(&model, argv[1]))
		die("the model has no policy %s with %u backends", argv[1], model.nr_backends);
	fd = open_direct(device, O_RDONLY, &size);
	if (size != model.size)
		die("%s has %" PRIu64 " bytes, must have %" PRIu64, device, size, model.size);

	for (pos = 0; pos < size; pos += STEP) {
		size_t len = size - pos < STEP ? size - pos : STEP;

		read_all(fd, device, got, len, pos);
		check_step(device, pos, got, len, buf);
	}
	for (i = 0; i < model.nr_backends; i++)
		printf("fd%u %s: %" PRIu64 " bytes in place, %" PRIu64 " of them not zero\n", i,
		       backend_path[i], bytes[i], nonzero[i]);
	return 0;
}
