// SPDX-License-Identifier: GPL-2.0-only
/*
 * A handler for "user" rules that keeps what is written in memory, as long as
 * the daemon lives. What was not written reads as zeroes. Its argument is the
 * number of bytes that it covers, from the start of the device; requests
 * beyond fail with ENOSPC.
 *
 *	ublkpol add rare.bpf.o --handler memory.so --handler-argument 1048576 ...
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libublkpol.h"

struct memory {
	__u64 size;
	char bytes[];
};

static int memory_open(const char *argument, void **state)
{
	unsigned long long size = strtoull(argument, NULL, 10);
	struct memory *memory;

	if (!size || size > 1ULL << 30)
		return -EINVAL;
	memory = calloc(1, sizeof(*memory) + size);
	if (!memory)
		return -ENOMEM;
	memory->size = size;
	*state = memory;
	return 0;
}

static int memory_handle(void *state, const struct ublkpol_request *request)
{
	struct memory *memory = state;

	if (request->op == UBLKPOL_FLUSH)
		return 0;
	if (request->offset > memory->size || request->length > memory->size - request->offset)
		return -ENOSPC;

	switch (request->op) {
	case UBLKPOL_READ:
		return ublkpol_request_put(request, memory->bytes + request->offset, 0,
					   request->length);
	case UBLKPOL_WRITE:
		return ublkpol_request_get(request, memory->bytes + request->offset, 0,
					   request->length);
	default:
		memset(memory->bytes + request->offset, 0, request->length);
		return 0;
	}
}

static void memory_close(void *state)
{
	free(state);
}

const struct ublkpol_handler ublkpol_handler = {
	.version = UBLKPOL_HANDLER_VERSION,
	.open = memory_open,
	.handle = memory_handle,
	.close = memory_close,
};
