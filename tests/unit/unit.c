// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image.h"
#include "parse.h"
#include "policy_check.h"
#include "unit.h"

void unit_parse(struct unit_policy *policy, const char *text)
{
	char path[] = "/tmp/ublkpol-unit.XXXXXX";
	int fd = mkstemp(path);

	*policy = (struct unit_policy){ 0 };
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	ck_assert_int_eq(source_read(&policy->source, &policy->arena, path), 0);
	unlink(path);
	policy->source.name = "unit.ublkpol";
	diag_init(&policy->diag, &policy->arena, &policy->source);
	parse_policy(&policy->ast, &policy->source, &policy->arena, &policy->diag);
}

void unit_compile(struct unit_policy *policy, const char *text)
{
	unit_parse(policy, text);
	check_policy(&policy->ast, &policy->arena, &policy->diag);
	if (policy->diag.nr_errors)
		return;
	plan_build(&policy->plan, &policy->ast, &policy->arena, &policy->diag);
	if (!policy->diag.nr_errors)
		image_build(&policy->image, &policy->plan, &policy->source, &policy->diag);
}

void unit_free(struct unit_policy *policy)
{
	arena_free(&policy->arena);
}

void *unit_pack(const struct policy_image *image, size_t *size)
{
	struct arena arena = { 0 };
	const void *packed = image_pack(image, &arena, size);
	void *data = malloc(*size);

	ck_assert_ptr_nonnull(data);
	memcpy(data, packed, *size);
	arena_free(&arena);
	return data;
}
