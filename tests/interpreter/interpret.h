/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_INTERPRETER_INTERPRET_H
#define TESTS_INTERPRETER_INTERPRET_H

/*
 * What a policy means, read off its AST sector by sector and rule by rule, as
 * docs/language.md tells it: slow, short, and without any of the code that makes
 * plans, segments or programs. It is the reference that all programs are
 * compared with.
 */
#include <stdbool.h>
#include <stdint.h>

#include "ast.h"

#define INTERPRET_MAX_COPIES 64
#define INTERPRET_NO_RULE    (-1)

enum interpret_kind {
	INTERPRET_ERROR, /* also where no rule matches */
	INTERPRET_DATA, /* on backends */
	INTERPRET_ZERO, /* reads zeros, swallows writes */
	INTERPRET_DROP,
	INTERPRET_USER,
};

/* Where a sector goes */
struct interpret_place {
	enum interpret_kind kind;
	int rule; /* index, or INTERPRET_NO_RULE */
	int error; /* positive errno of an error */
	unsigned int nr_copies; /* of data; a read has one */
	unsigned int backends[INTERPRET_MAX_COPIES]; /* indices as in the AST */
	uint64_t sector; /* the same on each of them */
};

struct interpret_request {
	unsigned int op; /* UBLK_IO_OP_* */
	unsigned int flags; /* UBLK_IO_F_* */
	unsigned int ioprio;
	unsigned int queue;
	unsigned int cpu;
	uint32_t random; /* draw of the request, uniform */
	uint64_t sector;
	uint32_t sectors;
};

/* A policy on a device */
struct interpreter {
	const struct ast_policy *policy;
	const struct ast_rule **rules;
	const uint64_t *backend_sectors; /* usable size of each backend, whole blocks */
	unsigned int block; /* sectors */
	uint64_t dev_sectors;
	const struct ast_condition **every; /* of each rule, or NULL */
	uint64_t *ticks; /* of each rule: requests that "every" has counted */
	signed char *drawn; /* of each rule, for this request: tick came, or -1 */
};

/**
 * interpret_init() - lay a policy out on a device
 * @policy: checked and without errors; outlives @in
 * @backend_sectors: usable sizes by the index of the AST, whole blocks; outlive @in
 * @block: of the device, sectors
 *
 * @in->dev_sectors is 0 if the policy leaves no size. interpret_free() frees it.
 */
void interpret_init(struct interpreter *in, const struct ast_policy *policy,
		    const uint64_t *backend_sectors, unsigned int block);

void interpret_free(struct interpreter *in);

/**
 * interpret_request() - what becomes of a request
 * @places: of each of its sectors, up to one that is an error
 *
 * Counts the request for "every". Return: as the program does, UBLK_BPF_SUBMIT,
 * UBLK_BPF_REDIRECT or a negative errno.
 */
int interpret_request(struct interpreter *in, const struct interpret_request *request,
		      struct interpret_place *places);

/** interpret_place_of() - where one sector of a request goes, if no "every" comes true */
struct interpret_place interpret_place_of(struct interpreter *in,
					  const struct interpret_request *request, uint64_t sector);

/**
 * interpret_flush() - which backends a flush reaches
 * @backends: bit b: backend b
 *
 * Return: as interpret_request()
 */
int interpret_flush(struct interpreter *in, const struct interpret_request *request,
		    uint64_t *backends);

/**
 * interpret_flush_is_safe() - does each flush that succeeds reach all that may be written?
 *
 * What goes to the handler is the handler's duty.
 */
bool interpret_flush_is_safe(const struct interpreter *in);

/**
 * interpret_possible() - what can become of a sector, whatever the request is like
 * @places: room for one for each rule and one more
 *
 * A read from a mirror that has a choice is all of its copies. Return: how many.
 */
unsigned int interpret_possible(struct interpreter *in, unsigned int op, uint64_t sector,
				struct interpret_place *places);

/**
 * interpret_is_valid() - does every read find what was written, whatever the requests
 * are like, does each flush reach it, and do all ranges and targets fit?
 *
 * Conditions that are not about LBA and operation count as independent of each other.
 */
bool interpret_is_valid(struct interpreter *in);

/** interpret_ranges_are_valid() - are all ranges inside the device, and not empty? */
bool interpret_ranges_are_valid(const struct interpreter *in);

/* --- conditions.c --- */

/* One range after the other of a list, those of sets included */
struct interpret_walk {
	const struct ast_range *next; /* set by the caller: the list */
	const struct ast_range *of_set;
	const struct ast_set *set;
	size_t nth; /* of the ranges from the set's file */
	uint64_t first, last; /* sectors of the range that was found, half open */
};

/** interpret_next_range() - false at the end of the list */
bool interpret_next_range(const struct interpreter *in, struct interpret_walk *walk);

/** interpret_value() - a number, or that of a parameter */
uint64_t interpret_value(const struct interpreter *in, const struct ast_value *value);

/**
 * interpret_holds() - does a condition hold?
 * @sector: the one that LBA conditions are about
 * @tick: what "every" is
 */
bool interpret_holds(const struct interpreter *in, const struct ast_condition *condition,
		     const struct interpret_request *request, uint64_t sector, bool tick);

/* Three-valued: a condition that is not about LBA or operation may be either */
enum interpret_maybe { INTERPRET_NEVER, INTERPRET_MAYBE, INTERPRET_ALWAYS };

/** interpret_may_hold() - does it hold for some requests that touch @sector, or for all? */
enum interpret_maybe interpret_may_hold(const struct interpreter *in,
					const struct ast_condition *condition, unsigned int op,
					uint64_t sector);

/** interpret_names_flush() - is "flush" written in this condition? */
bool interpret_names_flush(const struct ast_condition *condition);

/* --- targets.c --- */

/**
 * interpret_target() - where the action of a rule puts a sector
 * @place: kind, error and copies are set
 * @is_write: of a mirror: all legs; else the one that is read
 */
void interpret_target(const struct interpreter *in, const struct ast_rule *rule, uint64_t sector,
		      bool is_write, struct interpret_place *place);

/** interpret_lba_list() - the LBA condition in a condition, or NULL */
const struct ast_condition *interpret_lba_list(const struct ast_condition *condition);

/** interpret_size() - sectors of the device of this policy, or 0 */
uint64_t interpret_size(const struct interpreter *in);

#endif
