/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILER_CHECK_INTERNAL_H
#define COMPILER_CHECK_INTERNAL_H

/* Between policy_check.c and the check_*.c only */
#include "ast.h"
#include "diag.h"

#define CHECK_SECTOR 512U

#define CHECK_DATA_OPS (UBLKPOL_OP_READ | UBLKPOL_WRITE_OPS)

struct check {
	struct ast_policy *policy;
	struct arena *arena;
	struct diag *diag;
	const struct source *source; /* the policy file */
	bool has_language;
	unsigned int max_backends; /* room in policy->backends */
};

/* Functions that return bool return false after they added an error */

/* What a value has to be, besides its unit */
struct check_use {
	enum ublkpol_param_unit unit;
	unsigned int flags; /* UBLKPOL_PARAM_* */
	__u64 max; /* in the unit; what a larger one means nothing for */
	const char *example; /* such as "64KiB" */
};

/** check_bytes() - fills in the value of a size or LBA: whole sectors */
bool check_bytes(struct check *check, struct ast_quantity *quantity);

/** check_param_quantity() - fills in the value of a parameter's declaration, and its unit */
bool check_param_quantity(struct check *check, struct ast_quantity *quantity,
			  enum ublkpol_param_unit *unit);

/** check_value() - a number or parameter where @use says what it is for */
bool check_value(struct check *check, struct ast_value *value, const struct check_use *use);

/** check_range() - both ends of a range of LBAs */
void check_range(struct check *check, struct ast_range *range);

/** check_block_multiple() - @what in bytes is a multiple of the declared block */
void check_block_multiple(struct check *check, const struct ast_quantity *quantity,
			  const char *what);

/** check_condition() - a rule's condition, and what the rule can match */
void check_condition(struct check *check, struct ast_rule *rule);

/** check_action() - a rule's action; after check_condition() */
void check_action(struct check *check, struct ast_rule *rule);

/** check_modifiers() - what follows a rule's action; after check_condition() */
void check_modifiers(struct check *check, struct ast_rule *rule);

/** check_add_backend() - a new entry of the policy's backends */
struct ast_backend *check_add_backend(struct check *check, const struct ast_name *name);

/** check_find_backend() - by name, or NULL */
struct ast_backend *check_find_backend(struct check *check, const char *name);

/** check_declare_sets() - all sets of the policy, with those from files */
void check_declare_sets(struct check *check);

/** check_declare_params() - all parameters of the policy */
void check_declare_params(struct check *check);

/** check_find_set() - set number by name, with the error if there is none */
bool check_find_set(struct check *check, struct ast_name *name);

#endif
