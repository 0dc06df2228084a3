// SPDX-License-Identifier: GPL-2.0-only
#include "mirror_text.h"

static void json_mirror(struct json *json, const struct ublkpol_info *info,
			const struct ublkpol_mirror_info *mirror)
{
	unsigned int i;

	json_begin_object(json, NULL);
	json_begin_array(json, "legs");
	for (i = 0; i < mirror->nr_legs; i++) {
		const struct ublkpol_mirror_leg *leg = &mirror->legs[i];

		json_begin_object(json, NULL);
		json_string(json, "backend", info->backends[leg->backend].name);
		json_bool(json, "failed", leg->failed);
		json_bool(json, "in_sync", leg->in_sync);
		json_number(json, "read_errors", leg->read_errors);
		json_number(json, "write_errors", leg->write_errors);
		json_end_object(json);
	}
	json_end_array(json);
	json_end_object(json);
}

static const char *leg_state(const struct ublkpol_mirror_leg *leg)
{
	if (leg->failed)
		return "failed a write, not read any more";
	return leg->in_sync ? "in use" : "new, not read until it is in sync";
}

static void print_mirror(const struct ublkpol_info *info, const struct ublkpol_mirror_info *mirror)
{
	unsigned int i;

	puts("mirror");
	for (i = 0; i < mirror->nr_legs; i++) {
		const struct ublkpol_mirror_leg *leg = &mirror->legs[i];

		printf("    %s: %s, %llu read errors, %llu write errors\n",
		       info->backends[leg->backend].name, leg_state(leg),
		       (unsigned long long)leg->read_errors, (unsigned long long)leg->write_errors);
	}
}

void cli_json_mirrors(struct json *json, const struct ublkpol_info *info,
		      const struct ublkpol_stats *stats)
{
	unsigned int i;

	json_begin_array(json, "mirrors");
	for (i = 0; i < stats->nr_mirrors; i++)
		json_mirror(json, info, &stats->mirrors[i]);
	json_end_array(json);
}

void cli_print_mirrors(const struct ublkpol_info *info, const struct ublkpol_stats *stats)
{
	unsigned int i;

	for (i = 0; i < stats->nr_mirrors; i++)
		print_mirror(info, &stats->mirrors[i]);
}
