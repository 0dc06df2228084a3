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

enum ast_unit {
	AST_UNIT_SECTORS, /* a bare number */
	AST_UNIT_BYTES,
	AST_UNIT_PERCENT,
	AST_UNIT_END, /* the word "end" */
};

/* digits / 10^decimals * factor in the unit's own measure */
struct ast_quantity {
	struct location location;
	enum ast_unit unit;
	__u64 digits;
	unsigned int decimals;
	__u64 factor; /* of bytes: KiB is 1024; else 1 */
	__u64 value; /* checked: bytes, or 1e-9 percent */
};

struct ast_name {
	struct ast_name *next;
	struct location location;
	const char *text;
	unsigned int backend; /* checked: index, of a leg */
};

struct ast_range {
	struct ast_range *next;
	struct location location;
	struct ast_quantity first;
	struct ast_quantity last;
};

enum ast_term_kind {
	AST_TERM_LBA,
	AST_TERM_OPS,
};

/* A condition is a list of terms that must all hold */
struct ast_term {
	struct ast_term *next;
	struct location location;
	enum ast_term_kind kind;
	struct ast_range *ranges;
	unsigned int ops; /* UBLKPOL_OP_* */
};

enum ast_action_kind {
	AST_ACTION_BACKEND,
	AST_ACTION_STRIPE,
	AST_ACTION_ERROR,
};

struct ast_action {
	struct location location;
	enum ast_action_kind kind;
	struct ast_name *names; /* backends; of an error: the errno's name */
	struct ast_quantity chunk;
	bool has_at;
	struct ast_quantity at;
	int error; /* checked: positive errno */
};

struct ast_rule {
	struct ast_rule *next;
	struct location location;
	struct ast_name *label; /* or NULL */
	bool is_default;
	struct ast_term *terms;
	struct ast_action *action;
	struct ast_term *lba; /* checked: the LBA term, or NULL */
	unsigned int ops; /* checked: operations that the rule matches */
};

enum ast_declaration_kind {
	AST_DECLARE_BACKEND,
	AST_DECLARE_SIZE,
	AST_DECLARE_BLOCK,
};

struct ast_declaration {
	struct ast_declaration *next;
	struct location location;
	enum ast_declaration_kind kind;
	struct ast_name *name;
	const char *path; /* or NULL */
	struct ast_quantity quantity;
};

struct ast_backend {
	const char *name;
	const char *path; /* or "" */
	struct location location; /* of its declaration or first use */
	bool is_declared;
	bool is_used;
};

struct ast_policy {
	struct ast_declaration *declarations;
	struct ast_rule *rules;

	/* checked */
	struct ast_backend *backends;
	unsigned int nr_backends;
	unsigned int nr_rules;
	__u64 size; /* bytes, or 0 */
	__u64 block; /* bytes, or 0 */
};

#endif
