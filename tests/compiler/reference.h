/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_COMPILER_REFERENCE_H
#define TESTS_COMPILER_REFERENCE_H

/*
 * What a policy means, sector by sector and rule by rule: slow, short and
 * without any of the compiler's or loader's code.
 */
#include "random_policy.h"

#define REFERENCE_NO_RULE (-1)

/* Where a sector goes */
struct reference_place {
	int rule; /* or REFERENCE_NO_RULE */
	int error; /* positive errno if it goes nowhere, else 0 */
	unsigned int backend;
	uint64_t sector;
	int64_t delta; /* position in the target minus LBA */
	uint64_t chunk; /* of a stripe: number of the chunk, else 0 */
};

struct reference {
	uint64_t dev_sectors;
	struct reference_place *places[2]; /* of reads, of writes: dev_sectors each */
	bool is_valid; /* coherent, no alias, inside the backends */
};

/** reference_build() - lay @policy out; to be freed with reference_free() */
void reference_build(struct reference *reference, const struct random_policy *policy);

void reference_free(struct reference *reference);

/** reference_is_cut() - does a new SQE begin at @lba, if the one before is in the request? */
bool reference_is_cut(const struct reference *reference, bool write, uint64_t lba);

/** reference_is_new_stretch() - does the same rule in the same place go on at @lba? */
bool reference_is_new_stretch(const struct reference *reference, bool write, uint64_t lba);

/** reference_max_items() - most SQEs that a request of at most @sectors can need */
unsigned int reference_max_items(const struct reference *reference,
				 const struct random_policy *policy, uint64_t sectors);

/**
 * reference_flush() - which backends a flush reaches
 * @slots: bit b: backend b
 * @rule: the rule that says so, or REFERENCE_NO_RULE
 *
 * Return: 0 or a positive errno
 */
int reference_flush(const struct random_policy *policy, uint64_t *slots, int *rule);

#endif
