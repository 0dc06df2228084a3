/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

#include <check.h>

#include "ast.h"
#include "diag.h"
#include "plan.h"
#include "policy_image.h"

TCase *names_case(void);
TCase *parse_case(void);
TCase *check_case(void);
TCase *implies_case(void);
TCase *policy_image_case(void);
TCase *policy_object_case(void);
TCase *policy_values_case(void);
TCase *resolve_case(void);
TCase *limits_case(void);
TCase *complete_case(void);

/* A policy given as text, as far as the compiler got with it */
struct unit_policy {
	struct arena arena;
	struct source source;
	struct diag diag;
	struct ast_policy ast;
	struct plan plan;
	struct policy_image image; /* without errors only */
};

/** unit_parse() - parse @text; errors are counted in @policy->diag */
void unit_parse(struct unit_policy *policy, const char *text);

/** unit_compile() - parse and check @text, and build its image if there are no errors */
void unit_compile(struct unit_policy *policy, const char *text);

void unit_free(struct unit_policy *policy);

/** unit_pack() - the image as an object carries it, in memory from malloc() */
void *unit_pack(const struct policy_image *image, size_t *size);

#endif
