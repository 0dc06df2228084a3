/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILER_AST_H
#define COMPILER_AST_H

/*
 * A policy as it was written. The parser builds it; policy_check.c fills in what is
 * marked "checked", and nothing may read that before or after an error.
 */
#include <stdbool.h>
#include <linux/types.h>

#include "source.h"
#include "ublkpol_object.h"

enum ast_unit {
	AST_UNIT_NUMBER, /* a bare number; sectors, where bytes are meant */
	AST_UNIT_BYTES,
	AST_UNIT_PERCENT,
	AST_UNIT_TIME,
	AST_UNIT_BYTE_RATE, /* bytes a second */
	AST_UNIT_IOPS, /* requests a second */
	AST_UNIT_END, /* the word "end" */
};

/* digits / 10^decimals * factor in the unit's own measure */
struct ast_quantity {
	struct location location;
	enum ast_unit unit;
	__u64 digits;
	unsigned int decimals;
	__u64 factor; /* of bytes: KiB is 1024; of time: ms is 1000000; else 1 */
	__u64 value; /* checked: bytes, 1e-9 percent, ns, or what the unit counts */
};

struct ast_name {
	struct ast_name *next;
	struct location location;
	const char *text;
	bool has_weight; /* of a leg of a hash */
	struct ast_quantity weight;
	unsigned int index; /* checked: of the backend, set, parameter or counter */
};

/* Where a number or a live parameter may stand */
struct ast_value {
	struct location location;
	struct ast_name *param; /* "$name", or NULL: the quantity counts */
	struct ast_quantity quantity;
};

/* One item of a list of LBA ranges: a range, or the name of a set */
struct ast_range {
	struct ast_range *next;
	struct location location;
	struct ast_quantity first;
	struct ast_quantity last;
	struct ast_name *set; /* or NULL */
};

/* One item of a list of queues or CPUs, both ends included */
struct ast_span {
	struct ast_span *next;
	struct location location;
	struct ast_value first;
	struct ast_value last; /* the same as @first for a single number */
};

enum ast_comparison {
	AST_EQUAL,
	AST_NOT_EQUAL,
	AST_LESS,
	AST_AT_MOST,
	AST_GREATER,
	AST_AT_LEAST,
};

/* In the order of the numbers of IOPRIO_CLASS_* */
enum ast_prio_class {
	AST_PRIO_UNKNOWN, /* an error: the name is no class */
	AST_PRIO_RT,
	AST_PRIO_BE,
	AST_PRIO_IDLE,
};

enum ast_condition_kind {
	AST_CONDITION_AND, /* two or more operands, side by side */
	AST_CONDITION_OR, /* two or more operands */
	AST_CONDITION_NOT, /* one operand */
	AST_CONDITION_LBA, /* ranges */
	AST_CONDITION_OPS, /* ops */
	AST_CONDITION_SIZE, /* comparison value */
	AST_CONDITION_ALIGNED, /* value: start and length of the request */
	AST_CONDITION_FLAG, /* flags: one of them is set */
	AST_CONDITION_PRIO, /* comparison prio_class [value] */
	AST_CONDITION_QUEUE, /* spans */
	AST_CONDITION_CPU, /* spans */
	AST_CONDITION_CHANCE, /* value */
	AST_CONDITION_EVERY, /* value */
};

struct ast_condition {
	struct ast_condition *next; /* the next operand of the same AND or OR */
	struct location location; /* without parentheses around it */
	enum ast_condition_kind kind;
	struct ast_condition *operands;
	struct ast_range *ranges;
	unsigned int ops; /* UBLKPOL_OP_* */
	enum ast_comparison comparison; /* AST_EQUAL if none is written */
	struct ast_value value;
	unsigned int flags; /* UBLK_IO_F_* */
	enum ast_prio_class prio_class;
	bool has_level; /* prio: @value is the level */
	struct ast_span *spans;
	unsigned int index; /* checked: of LBA conditions: which one in its rule, from 0 */
};

enum ast_action_kind {
	AST_ACTION_BACKEND,
	AST_ACTION_STRIPE,
	AST_ACTION_CONCAT,
	AST_ACTION_MIRROR,
	AST_ACTION_HASH,
	AST_ACTION_ZERO,
	AST_ACTION_DROP,
	AST_ACTION_ERROR,
	AST_ACTION_USER,
};

enum ast_read_choice {
	AST_READ_FIRST, /* also when none is written */
	AST_READ_ROUND_ROBIN,
	AST_READ_BY_LBA, /* chunk by chunk: read_chunk */
};

struct ast_action {
	struct location location;
	enum ast_action_kind kind;
	struct ast_name *names; /* backends; of an error: the errno's name */
	struct ast_quantity chunk; /* of a stripe or hash */
	bool has_at;
	struct ast_quantity at;
	struct location at_location; /* of "@ OFFSET" */
	bool has_read_choice;
	enum ast_read_choice read_choice;
	struct ast_quantity read_chunk;
	struct location read_location; /* of "read ..." */
	bool is_degrade;
	struct location degrade_location; /* of "degrade" */
	int error; /* checked: positive errno */
};

enum ast_modifier_kind {
	AST_MODIFIER_COUNT, /* name */
	AST_MODIFIER_TRACE,
	AST_MODIFIER_DELAY, /* value */
	AST_MODIFIER_LIMIT, /* value */
};

struct ast_modifier {
	struct ast_modifier *next;
	struct location location;
	enum ast_modifier_kind kind;
	struct ast_name *name;
	struct ast_value value;
};

struct ast_rule {
	struct ast_rule *next;
	struct location location;
	struct ast_name *label; /* or NULL */
	bool is_default;
	struct ast_condition *condition; /* NULL for a default */
	struct ast_action *action;
	struct ast_modifier *modifiers;

	/* checked */
	unsigned int index; /* from 0 */
	unsigned int ops; /* UBLKPOL_OP_*: the operations that it can match */
	bool names_flush; /* only such a rule matches flushes */
	struct ast_condition *lists[UBLKPOL_MAX_LISTS]; /* its LBA conditions, by their index */
	unsigned int nr_lists;
	bool has_chance;
	struct ast_condition *every; /* or NULL */
};

enum ast_declaration_kind {
	AST_DECLARE_BACKEND, /* name, path or NULL */
	AST_DECLARE_SIZE, /* quantity */
	AST_DECLARE_BLOCK, /* quantity */
	AST_DECLARE_PARAM, /* name, quantity */
	AST_DECLARE_SET, /* name, and ranges or a path */
	AST_DECLARE_INCLUDE, /* path; what it includes follows in the lists */
	AST_DECLARE_LANGUAGE, /* quantity */
};

struct ast_declaration {
	struct ast_declaration *next;
	struct location location;
	enum ast_declaration_kind kind;
	struct ast_name *name;
	const char *path; /* or NULL */
	struct location path_location;
	struct ast_quantity quantity;
	struct ast_range *ranges;
};

struct ast_backend {
	const char *name;
	const char *path; /* or "" */
	struct location location; /* of its declaration or first use */
	bool is_declared;
	bool is_used;
};

struct ast_set {
	const struct ast_declaration *declaration;
	struct ublkpol_range *file_ranges; /* of a set from a file */
	size_t nr_file_ranges;
	bool is_used;
};

struct ast_param {
	const struct ast_declaration *declaration;
	enum ublkpol_param_unit unit;
	__u64 value; /* in that unit */
	__u64 max; /* the smallest upper limit of its uses */
	unsigned int flags; /* UBLKPOL_PARAM_* of its uses */
	bool is_counted; /* as a plain number: it is no number of sectors */
	bool is_used;
};

struct ast_policy {
	struct ast_declaration *declarations;
	struct ast_rule *rules;

	/* checked */
	struct ast_set *sets;
	unsigned int nr_sets;
	struct ast_param *params;
	unsigned int nr_params;
	struct ast_backend *backends;
	unsigned int nr_backends;
	unsigned int nr_rules;
	__u64 size; /* bytes, or 0 */
	__u64 block; /* bytes, or 0 */
};

#endif
