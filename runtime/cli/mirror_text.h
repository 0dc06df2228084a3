/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CLI_MIRROR_TEXT_H
#define CLI_MIRROR_TEXT_H

/* The state of mirrors, as show and stats print it */
#include "cli.h"
#include "json.h"

/** cli_json_mirrors() - an array "mirrors" */
void cli_json_mirrors(struct json *json, const struct ublkpol_info *info,
		      const struct ublkpol_stats *stats);

/** cli_print_mirrors() - as lines, none without mirrors */
void cli_print_mirrors(const struct ublkpol_info *info, const struct ublkpol_stats *stats);

#endif
