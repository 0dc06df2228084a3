/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UBLKPOL_TEST_MODEL_H
#define UBLKPOL_TEST_MODEL_H

/*
 * Where policies put each byte. For some of tests/vm/policies, by arithmetic of
 * its own, without any code or table of the compiler and the runtime, so that a
 * mistake of theirs shows as a difference. For any other policy it is the AST
 * interpreter of tests/interpreter, which shares the compiler's parser.
 */
#include <stdbool.h>
#include <stdint.h>

#define MODEL_MAX_BACKENDS 8

struct model_policy;

struct model {
	const char *name;
	struct model_policy *policy; /* of a policy from a file, else NULL */
	uint64_t chunk; /* stripe: bytes */
	unsigned int nr_backends;
	uint64_t backend_size[MODEL_MAX_BACKENDS];
	uint64_t size; /* of the device, bytes */
};

enum place_kind {
	PLACE_DATA,
	PLACE_ZERO, /* reads zeroes, swallows writes */
	PLACE_ERROR, /* the request fails, or goes elsewhere */
};

/* What holds a byte of the device, up to the next boundary */
struct place {
	unsigned int backend; /* where it is read */
	uint64_t offset; /* bytes */
	uint64_t run; /* bytes until the placement changes, or the request ends; at least 1 */
	enum place_kind kind;
	uint64_t copies; /* bit b: backend b has it at that offset, too; 0: only @backend */
};

/*
 * Describes the policy @spec ("halves", "stripe:BYTES", "mixed" or the path of a
 * policy) on backends of the sizes already in @m, in the order in which a policy
 * names them, and computes the size its device must have. Returns false if there
 * is no such policy or it has other backends.
 */
bool model_init(struct model *m, const char *spec);

/* @pos: byte on the device, below m->size; for reads or for writes of @len bytes from there */
struct place model_place(const struct model *m, bool is_write, uint64_t pos, uint32_t len);

/* --- policy.c: the policy of a file --- */

bool model_policy_init(struct model *m, const char *path);

struct place model_policy_place(const struct model *m, bool is_write, uint64_t pos, uint32_t len);

#endif
