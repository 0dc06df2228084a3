// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state_text.h"

#define TEXT_MAX_BACKENDS 64U

/* --- write --- */

static void put_escaped(FILE *out, const char *key, const char *value)
{
	fprintf(out, "%s=", key);
	for (; *value; value++) {
		if (*value == '\n')
			fputs("\\n", out);
		else if (*value == '\\')
			fputs("\\\\", out);
		else
			fputc(*value, out);
	}
	fputc('\n', out);
}

static void put_number(FILE *out, const char *key, __u64 value)
{
	fprintf(out, "%s=%" PRIu64 "\n", key, (uint64_t)value);
}

char *state_format(const struct ublkpol_info *info)
{
	char *text = NULL;
	size_t size = 0;
	unsigned int i;
	FILE *out = open_memstream(&text, &size);
	bool failed;

	if (!out)
		return NULL;

	put_number(out, "pid", (__u64)info->pid);
	put_number(out, "queues", info->queues);
	put_number(out, "depth", info->depth);
	put_number(out, "block_size", info->block_size);
	put_number(out, "sectors", info->sectors);
	put_number(out, "recovery", info->recovery);
	put_number(out, "generation", info->generation);
	put_number(out, "prog_id", info->prog_id);
	put_escaped(out, "policy", info->policy);
	put_escaped(out, "handler", info->handler);
	put_escaped(out, "handler_argument", info->handler_argument);
	for (i = 0; i < info->nr_backends; i++) {
		put_escaped(out, "backend_name", info->backends[i].name);
		put_escaped(out, "backend_path", info->backends[i].path);
		put_number(out, "backend_dev", info->backends[i].dev);
		put_number(out, "backend_ino", info->backends[i].ino);
		put_number(out, "backend_disk_sequence", info->backends[i].disk_sequence);
		put_number(out, "backend_size", info->backends[i].size);
		put_number(out, "backend_can", info->backends[i].can);
		put_number(out, "backend_stale", info->backends[i].stale);
		put_number(out, "backend_named", info->backends[i].named);
	}
	for (i = 0; i < info->nr_values; i++) {
		put_escaped(out, "value_name", info->values[i].name);
		put_escaped(out, "value_text", info->values[i].text);
	}

	failed = ferror(out);
	if (fclose(out) || failed) {
		free(text);
		return NULL;
	}
	return text;
}

/* --- read --- */

int state_parse_number(const char *text, __u64 max, __u64 *value)
{
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	*value = strtoull(text, &end, 10);
	return errno || *end || *value > max ? -EINVAL : 0;
}

static int parse_uint(const char *text, unsigned int max, unsigned int *value)
{
	__u64 wide;

	if (state_parse_number(text, max, &wide))
		return -EINVAL;
	*value = (unsigned int)wide;
	return 0;
}

static int unescape(char *value)
{
	char *to = value;

	for (; *value; value++) {
		if (*value != '\\') {
			*to++ = *value;
			continue;
		}
		value++;
		if (*value == 'n')
			*to++ = '\n';
		else if (*value == '\\')
			*to++ = '\\';
		else
			return -EINVAL;
	}
	*to = '\0';
	return 0;
}

static int set_string(char **string, const char *value)
{
	if (*string)
		return -EINVAL;
	*string = strdup(value);
	return *string ? 0 : -ENOMEM;
}

/* Starts a new backend; the rest of it follows */
static int parse_backend_name(const char *value, struct ublkpol_info *info)
{
	struct ublkpol_backend_info *grown;

	if (info->nr_backends == TEXT_MAX_BACKENDS)
		return -EINVAL;
	grown = realloc(info->backends, (info->nr_backends + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	info->backends = grown;
	grown[info->nr_backends] = (struct ublkpol_backend_info){ 0 };
	return set_string(&grown[info->nr_backends++].name, value);
}

static int parse_backend(const char *key, const char *value, struct ublkpol_info *info)
{
	struct ublkpol_backend_info *backend;
	unsigned int number;
	int ret;

	if (!strcmp(key, "name"))
		return parse_backend_name(value, info);
	if (!info->nr_backends)
		return -EINVAL;
	backend = &info->backends[info->nr_backends - 1];
	if (!strcmp(key, "path"))
		return set_string(&backend->path, value);
	if (!strcmp(key, "dev"))
		return state_parse_number(value, ULLONG_MAX, &backend->dev);
	if (!strcmp(key, "ino"))
		return state_parse_number(value, ULLONG_MAX, &backend->ino);
	if (!strcmp(key, "disk_sequence"))
		return state_parse_number(value, ULLONG_MAX, &backend->disk_sequence);
	if (!strcmp(key, "size"))
		return state_parse_number(value, ULLONG_MAX, &backend->size);
	if (!strcmp(key, "can"))
		return parse_uint(value, UINT_MAX, &backend->can);
	if (!strcmp(key, "stale")) {
		ret = parse_uint(value, 1, &number);
		backend->stale = !ret && number;
		return ret;
	}
	if (!strcmp(key, "named")) {
		ret = parse_uint(value, 1, &number);
		backend->named = !ret && number;
		return ret;
	}
	return 0;
}

static int parse_value(const char *key, const char *value, struct ublkpol_info *info)
{
	struct ublkpol_value_info *grown;

	if (!strcmp(key, "text"))
		return info->nr_values ? set_string(&info->values[info->nr_values - 1].text, value)
				       : -EINVAL;
	if (strcmp(key, "name"))
		return 0;
	if (info->nr_values == STATE_MAX_VALUES)
		return -EINVAL;
	grown = realloc(info->values, (info->nr_values + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	info->values = grown;
	grown[info->nr_values] = (struct ublkpol_value_info){ 0 };
	return set_string(&grown[info->nr_values++].name, value);
}

static int parse_pair(const char *key, const char *value, struct ublkpol_info *info)
{
	unsigned int number;
	int ret;

	if (!strncmp(key, "backend_", strlen("backend_")))
		return parse_backend(key + strlen("backend_"), value, info);
	if (!strncmp(key, "value_", strlen("value_")))
		return parse_value(key + strlen("value_"), value, info);
	if (!strcmp(key, "pid")) {
		ret = parse_uint(value, INT_MAX, &number);
		if (!ret)
			info->pid = (pid_t)number;
		return ret;
	}
	if (!strcmp(key, "recovery")) {
		ret = parse_uint(value, UBLKPOL_RECOVERY_FAIL, &number);
		if (!ret)
			info->recovery = (enum ublkpol_recovery)number;
		return ret;
	}
	if (!strcmp(key, "queues"))
		return parse_uint(value, UINT_MAX, &info->queues);
	if (!strcmp(key, "depth"))
		return parse_uint(value, UINT_MAX, &info->depth);
	if (!strcmp(key, "block_size"))
		return parse_uint(value, UINT_MAX, &info->block_size);
	if (!strcmp(key, "sectors"))
		return state_parse_number(value, ULLONG_MAX, &info->sectors);
	if (!strcmp(key, "generation"))
		return parse_uint(value, UINT_MAX, &info->generation);
	if (!strcmp(key, "prog_id"))
		return parse_uint(value, UINT_MAX, &info->prog_id);
	if (!strcmp(key, "policy"))
		return set_string(&info->policy, value);
	if (!strcmp(key, "handler"))
		return set_string(&info->handler, value);
	if (!strcmp(key, "handler_argument"))
		return set_string(&info->handler_argument, value);
	return 0;
}

static int check_complete(const struct ublkpol_info *info)
{
	unsigned int i;

	if (!info->pid || !info->queues || !info->policy)
		return -EINVAL;
	for (i = 0; i < info->nr_backends; i++) {
		if (!info->backends[i].path)
			return -EINVAL;
	}
	for (i = 0; i < info->nr_values; i++) {
		if (!info->values[i].text)
			return -EINVAL;
	}
	return 0;
}

int state_parse(char *text, struct ublkpol_info *info)
{
	char *line;
	int ret;

	while ((line = strsep(&text, "\n"))) {
		char *value;

		if (!*line)
			continue;
		value = strchr(line, '=');
		if (!value)
			return -EINVAL;
		*value++ = '\0';
		ret = unescape(value);
		if (!ret)
			ret = parse_pair(line, value, info);
		if (ret)
			return ret;
	}
	return check_complete(info);
}
