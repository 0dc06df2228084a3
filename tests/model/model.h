/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UBLKPOL_TEST_MODEL_H
#define UBLKPOL_TEST_MODEL_H

/*
 * Where the policies of tests/vm/policies put each byte, by arithmetic of its
 * own: it shares no code and no table with the compiler and the runtime, so
 * that a mistake of theirs shows as a difference.
 */
#include <stdbool.h>
#include <stdint.h>

#define MODEL_MAX_BACKENDS 8

struct model {
	const char *name;
	uint64_t chunk; /* stripe: bytes */
	unsigned int nr_backends;
	uint64_t backend_size[MODEL_MAX_BACKENDS];
	uint64_t size; /* of the device, bytes */
};

/* The backend range that holds a byte of the device, up to the next boundary */
struct place {
	unsigned int backend;
	uint64_t offset; /* bytes */
	uint64_t run; /* bytes until the placement changes, at least 1 */
};

/*
 * Describes the policy @spec ("halves", "stripe:BYTES" or "mixed") on backends
 * of the sizes already in @m, and computes the size its device must have.
 * Returns false if there is no such policy or it has other backends.
 */
bool model_init(struct model *m, const char *spec);

/* @pos: byte on the device, below m->size */
struct place model_place(const struct model *m, uint64_t pos);

#endif
