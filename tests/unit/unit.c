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
		image_build(&policy->image, &policy->plan, &policy->source, &policy->diag.checks,
			    &policy->arena);
}

void unit_free(struct unit_policy *policy)
{
	arena_free(&policy->arena);
}

static __u32 unit_append(char *data, size_t *used, const void *table, size_t size)
{
	__u32 offset = *used;

	memcpy(data + offset, table, size);
	*used += (size + 7) / 8 * 8;
	return offset;
}

void *unit_pack(const struct policy_image *image, size_t *size)
{
	struct ublkpol_header header = *image->header;
	size_t used = sizeof(header);
	char *data = calloc(1, 1U << 20);

	ck_assert_ptr_nonnull(data);
#define UNIT_PACK(table) \
	header.table =   \
		unit_append(data, &used, image->table, header.nr_##table * sizeof(*image->table))
	UNIT_PACK(backends);
	UNIT_PACK(rules);
	UNIT_PACK(targets);
	UNIT_PACK(lists);
	UNIT_PACK(parts);
	UNIT_PACK(outcomes);
	UNIT_PACK(sets);
	UNIT_PACK(params);
	UNIT_PACK(legs);
	UNIT_PACK(ranges);
	header.strings = unit_append(data, &used, image->strings, header.strings_size);
	header.image_size = used;
	memcpy(data, &header, sizeof(header));
	*size = used;
	return data;
}
