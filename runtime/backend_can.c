// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>
#include <linux/falloc.h>

#include "backend_can.h"
#include "disk_attribute.h"

static unsigned int can_of_queue(dev_t dev)
{
	unsigned int can = 0;

	if (disk_attribute(dev, "discard_max_bytes"))
		can |= UBLKPOL_CAN_DISCARD;
	if (disk_attribute(dev, "write_zeroes_max_bytes"))
		can |= UBLKPOL_CAN_WRITE_ZEROES;
	return can;
}

static unsigned int can_of_file(const struct backend *b)
{
	off_t block = (off_t)b->physical_block_size;
	off_t behind = ((off_t)b->size + block - 1) / block * block;
	unsigned int can = 0;

	if (!fallocate(b->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, behind, block))
		can |= UBLKPOL_CAN_DISCARD;
	if (!fallocate(b->fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, behind, block)) {
		can |= UBLKPOL_CAN_WRITE_ZEROES;
		/* Gives back what that reserved; if not, it is one block */
		if (ftruncate(b->fd, (off_t)b->size))
			errno = 0;
	}
	return can;
}

unsigned int backend_discard_granularity(const struct backend *backend)
{
	__u64 granularity = backend->physical_block_size;

	if (backend->is_block)
		granularity = disk_attribute(backend->dev, "discard_granularity");
	if (granularity < backend->block_size || granularity > UINT_MAX)
		return backend->block_size;
	return (unsigned int)granularity;
}

void backend_probe_can(struct backend *backend)
{
	backend->can = backend->is_block ? can_of_queue(backend->dev) : can_of_file(backend);
	backend->discard_granularity = backend_discard_granularity(backend);
}
