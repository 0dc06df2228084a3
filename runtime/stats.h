/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RUNTIME_STATS_H
#define RUNTIME_STATS_H

#include "libublkpol.h"

/**
 * stats_has_counted() - has the generation that @info describes served a request?
 *
 * A "set" goes on with the counters of the generation before it: then, has one of both?
 * Return: 1, 0, or a negative errno.
 */
int stats_has_counted(const struct ublkpol_info *info);

#endif
