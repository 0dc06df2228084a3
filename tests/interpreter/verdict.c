// SPDX-License-Identifier: GPL-2.0-only
/* Would this policy lose data? Sector by sector, as docs/language.md tells it */
#include <stdlib.h>
#include <linux/ublk_cmd.h>

#include "interpret.h"

static const unsigned int write_ops[] = {
	UBLK_IO_OP_WRITE,
	UBLK_IO_OP_DISCARD,
	UBLK_IO_OP_WRITE_ZEROES,
};
#define NR_WRITE_OPS (sizeof(write_ops) / sizeof(write_ops[0]))

/* What can become of a sector: of reads, and of all that changes it */
struct possible {
	struct interpret_place *reads, *writes;
	unsigned int nr_reads, nr_writes;
};

/* A discard promises nothing: it may be thrown away */
static bool is_promise(unsigned int op, const struct interpret_place *place)
{
	return op != UBLK_IO_OP_DISCARD ||
	       (place->kind != INTERPRET_ZERO && place->kind != INTERPRET_DROP);
}

static void find_possible(struct interpreter *in, uint64_t sector, struct possible *possible)
{
	possible->nr_reads = interpret_possible(in, UBLK_IO_OP_READ, sector, possible->reads);
	possible->nr_writes = 0;
	for (unsigned int i = 0; i < NR_WRITE_OPS; i++) {
		struct interpret_place *places = possible->writes + possible->nr_writes;
		unsigned int nr = interpret_possible(in, write_ops[i], sector, places);

		for (unsigned int k = 0; k < nr; k++) {
			if (is_promise(write_ops[i], &places[k]))
				possible->writes[possible->nr_writes++] = places[k];
		}
	}
}

static bool fits(const struct interpreter *in, const struct interpret_place *places,
		 unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		if (places[i].kind != INTERPRET_DATA)
			continue;
		for (unsigned int k = 0; k < places[i].nr_copies; k++) {
			if (places[i].sector >= in->backend_sectors[places[i].backends[k]])
				return false;
		}
	}
	return true;
}

static bool has_copy(const struct interpret_place *place, unsigned int backend, uint64_t sector)
{
	for (unsigned int i = 0; i < place->nr_copies; i++) {
		if (place->backends[i] == backend && place->sector == sector)
			return true;
	}
	return false;
}

/* Does the read find what the write has left? */
static bool finds(const struct interpret_place *read, const struct interpret_place *write)
{
	if (read->kind == INTERPRET_ERROR || read->kind == INTERPRET_USER ||
	    write->kind == INTERPRET_ERROR || write->kind == INTERPRET_USER)
		return true;
	if (read->kind != INTERPRET_DATA)
		return write->kind != INTERPRET_DATA;
	if (write->kind != INTERPRET_DATA)
		return false;
	for (unsigned int i = 0; i < read->nr_copies; i++) {
		if (!has_copy(write, read->backends[i], read->sector))
			return false;
	}
	return true;
}

static bool is_mirror(const struct interpreter *in, const struct interpret_place *place)
{
	return place->rule != INTERPRET_NO_RULE &&
	       in->rules[place->rule]->action->kind == AST_ACTION_MIRROR;
}

static bool has_same_copies(const struct interpret_place *a, const struct interpret_place *b)
{
	for (unsigned int i = 0; i < a->nr_copies; i++) {
		if (!has_copy(b, a->backends[i], a->sector))
			return false;
	}
	return a->nr_copies == b->nr_copies;
}

/* Which legs of a mirror are good would not stay true, if some writes passed it by */
static bool is_mirror_alone(const struct interpreter *in, const struct possible *possible)
{
	for (unsigned int i = 0; i < possible->nr_writes; i++) {
		const struct interpret_place *mirror = &possible->writes[i];

		for (unsigned int k = 0; is_mirror(in, mirror) && k < possible->nr_writes; k++) {
			const struct interpret_place *other = &possible->writes[k];

			if (other->kind == INTERPRET_DATA &&
			    (!is_mirror(in, other) || !has_same_copies(mirror, other)))
				return false;
		}
	}
	return true;
}

static bool is_coherent(const struct possible *possible)
{
	for (unsigned int r = 0; r < possible->nr_reads; r++) {
		for (unsigned int w = 0; w < possible->nr_writes; w++) {
			if (!finds(&possible->reads[r], &possible->writes[w]))
				return false;
		}
	}
	return true;
}

/* Sector @place of a backend belongs to @lba, or the other way round it is free */
static bool claim(uint64_t **owners, const struct interpret_place *place, uint64_t lba,
		  bool is_write)
{
	for (unsigned int i = 0; place->kind == INTERPRET_DATA && i < place->nr_copies; i++) {
		uint64_t *owner = &owners[place->backends[i]][place->sector];

		if (*owner && *owner != lba + 1)
			return false;
		if (is_write)
			*owner = lba + 1;
	}
	return true;
}

static bool has_no_alias(struct interpreter *in, struct possible *possible, uint64_t **owners)
{
	/* Writes claim; reads may only visit what is theirs or nobody's */
	for (int is_write = 1; is_write >= 0; is_write--) {
		for (uint64_t lba = 0; lba < in->dev_sectors; lba++) {
			const struct interpret_place *places;
			unsigned int nr;

			find_possible(in, lba, possible);
			places = is_write ? possible->writes : possible->reads;
			nr = is_write ? possible->nr_writes : possible->nr_reads;
			for (unsigned int i = 0; i < nr; i++) {
				if (!claim(owners, &places[i], lba, is_write))
					return false;
			}
		}
	}
	return true;
}

static bool is_alias_free(struct interpreter *in, struct possible *possible)
{
	uint64_t *owners[INTERPRET_MAX_COPIES] = { NULL };
	bool result;

	for (unsigned int b = 0; b < in->policy->nr_backends; b++)
		owners[b] = calloc(in->backend_sectors[b] + 1, sizeof(**owners));
	result = has_no_alias(in, possible, owners);
	for (unsigned int b = 0; b < in->policy->nr_backends; b++)
		free(owners[b]);
	return result;
}

static bool all_coherent(struct interpreter *in, struct possible *possible)
{
	for (uint64_t sector = 0; sector < in->dev_sectors; sector++) {
		find_possible(in, sector, possible);
		if (!fits(in, possible->reads, possible->nr_reads) ||
		    !fits(in, possible->writes, possible->nr_writes) || !is_coherent(possible) ||
		    !is_mirror_alone(in, possible))
			return false;
	}
	return true;
}

bool interpret_is_valid(struct interpreter *in)
{
	unsigned int nr = in->policy->nr_rules + 1;
	struct possible possible = {
		.reads = calloc(nr, sizeof(*possible.reads)),
		.writes = calloc(NR_WRITE_OPS * nr, sizeof(*possible.writes)),
	};
	bool result = in->dev_sectors && interpret_ranges_are_valid(in) &&
		      interpret_flush_is_safe(in) && all_coherent(in, &possible) &&
		      is_alias_free(in, &possible);

	free(possible.reads);
	free(possible.writes);
	return result;
}
