/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RUNTIME_MIRRORS_H
#define RUNTIME_MIRRORS_H

/*
 * A leg of a mirror that has failed a write is never read again. Which ones
 * have is in a map of the policy's program; another policy with another map has
 * to know it, too.
 */
#include "generation.h"

/**
 * mirrors_read() - the mirrors part of the statistics
 * @stats: to be freed with mirrors_free(), also after a failure
 */
int mirrors_read(const struct ublkpol_info *info, struct ublkpol_stats *stats,
		 struct ublkpol_error *err);

void mirrors_free(struct ublkpol_stats *stats);

/**
 * mirrors_inherit() - tell a loaded generation which of its backends are stale
 * @gen: loaded; a backend that it keeps from @device is stale if it is there
 * @device: the live device
 *
 * Before it is attached, and once more after: the old generation may have noted
 * a failure meanwhile. A backend that is not kept holds whatever the user
 * put there, so nothing is known of it. Return: 0 or a negative errno.
 */
int mirrors_inherit(const struct generation *gen, const struct ublkpol_info *device,
		    struct ublkpol_error *err);

#endif
