// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "model.h"

#define SECTOR 512ULL
#define KIB    1024ULL
#define MIB    (1024 * KIB)

/* mixed.ublkpol; its legs have the same size, and its stripe keeps the LBA */
#define MIXED_SIZE  (96 * MIB)
#define MIXED_CHUNK (20 * KIB)
#define MIXED_AT    (3 * MIB)

static uint64_t percent(const struct model *m, unsigned int n)
{
	return m->size * n / 100 / SECTOR * SECTOR;
}

static uint64_t smallest_backend(const struct model *m)
{
	uint64_t size = m->backend_size[0];
	unsigned int i;

	for (i = 1; i < m->nr_backends; i++)
		if (m->backend_size[i] < size)
			size = m->backend_size[i];
	return size;
}

bool model_init(struct model *m, const char *spec)
{
	const char *dot = strrchr(spec, '.');

	m->name = spec;
	if (dot && !strcmp(dot, ".ublkpol"))
		return model_policy_init(m, spec);
	if (!strcmp(spec, "halves")) {
		m->size = smallest_backend(m) / SECTOR * SECTOR;
		return m->nr_backends == 2;
	}
	if (!strncmp(spec, "stripe:", 7)) {
		m->chunk = strtoull(spec + 7, NULL, 10);
		if (!m->chunk)
			return false;
		m->size = smallest_backend(m) / m->chunk * m->chunk * m->nr_backends;
		return m->nr_backends >= 2;
	}
	if (!strcmp(spec, "mixed")) {
		m->size = MIXED_SIZE;
		return m->nr_backends == 5;
	}
	return false;
}

static struct place same_lba(unsigned int backend, uint64_t pos, uint64_t end)
{
	return (struct place){ .backend = backend, .offset = pos, .run = end - pos };
}

static struct place on_stripe(unsigned int first_leg, unsigned int legs, uint64_t chunk,
			      uint64_t pos, uint64_t end)
{
	uint64_t nth_chunk = pos / chunk;
	uint64_t into_chunk = pos % chunk;
	struct place where = {
		.backend = first_leg + nth_chunk % legs,
		.offset = nth_chunk / legs * chunk + into_chunk,
		.run = chunk - into_chunk,
	};

	if (where.run > end - pos)
		where.run = end - pos;
	return where;
}

static struct place on_mixed(const struct model *m, uint64_t pos)
{
	uint64_t p25 = percent(m, 25), p75 = percent(m, 75), p90 = percent(m, 90);

	if (pos < p25)
		return (struct place){ .offset = MIXED_AT + pos, .run = p25 - pos };
	if (pos < p75)
		return on_stripe(1, 3, MIXED_CHUNK, pos, p75);
	if (pos < p90)
		return (struct place){ .offset = MIXED_AT + p25 + (pos - p75), .run = p90 - pos };
	return same_lba(4, pos, m->size);
}

struct place model_place(const struct model *m, bool is_write, uint64_t pos, uint32_t len)
{
	if (m->policy)
		return model_policy_place(m, is_write, pos, len);
	if (m->chunk)
		return on_stripe(0, m->nr_backends, m->chunk, pos, m->size);
	if (!strcmp(m->name, "mixed"))
		return on_mixed(m, pos);
	if (pos < percent(m, 50))
		return same_lba(0, pos, percent(m, 50));
	return same_lba(1, pos, m->size);
}
