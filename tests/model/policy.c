// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>
#include <linux/ublk_bpf.h>
#include <linux/ublk_cmd.h>

#include "front.h"
#include "interpret.h"
#include "model.h"

#define SECTOR 512

struct model_policy {
	struct front front;
	struct interpreter in;
	uint64_t sectors[MODEL_MAX_BACKENDS];
};

bool model_policy_init(struct model *m, const char *path)
{
	struct model_policy *policy = calloc(1, sizeof(*policy));

	if (!policy || front_open(&policy->front, path) ||
	    policy->front.policy.nr_backends != m->nr_backends)
		return false;
	for (unsigned int i = 0; i < m->nr_backends; i++)
		policy->sectors[i] = m->backend_size[i] / SECTOR;
	interpret_init(&policy->in, &policy->front.policy, policy->sectors, 1);
	m->policy = policy;
	m->size = policy->in.dev_sectors * SECTOR;
	return m->size;
}

/* One sector of a request; the circumstances are such that no "chance" comes true */
static struct place place_of_sector(struct model_policy *policy, bool is_write, uint64_t sector,
				    uint32_t len)
{
	const struct interpret_request request = {
		.op = is_write ? UBLK_IO_OP_WRITE : UBLK_IO_OP_READ,
		.random = UINT32_MAX,
		.sector = sector,
		.sectors = len / SECTOR,
	};
	struct interpret_place found = interpret_place_of(&policy->in, &request, sector);
	struct place place = { .run = SECTOR, .kind = PLACE_DATA };

	if (found.kind != INTERPRET_DATA) {
		place.kind = found.kind == INTERPRET_ZERO ? PLACE_ZERO : PLACE_ERROR;
		return place;
	}
	place.backend = found.backends[0];
	place.offset = found.sector * SECTOR;
	for (unsigned int i = 0; i < found.nr_copies; i++)
		place.copies |= 1ULL << found.backends[i];
	return place;
}

static bool goes_on(const struct place *place, const struct place *next)
{
	return next->kind == place->kind && next->backend == place->backend &&
	       next->copies == place->copies &&
	       (place->kind != PLACE_DATA || next->offset == place->offset + place->run);
}

struct place model_policy_place(const struct model *m, bool is_write, uint64_t pos, uint32_t len)
{
	uint64_t into_sector = pos % SECTOR;
	uint64_t sector = pos / SECTOR;
	struct place place = place_of_sector(m->policy, is_write, sector, len);

	/* The interpreter is slow: no further than the request */
	while (++sector < m->policy->in.dev_sectors && place.run < into_sector + len) {
		struct place next = place_of_sector(m->policy, is_write, sector, len);

		if (!goes_on(&place, &next))
			break;
		place.run += SECTOR;
	}
	place.offset += into_sector;
	place.run -= into_sector;
	return place;
}
