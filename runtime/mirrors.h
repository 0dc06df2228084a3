/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RUNTIME_MIRRORS_H
#define RUNTIME_MIRRORS_H

/*
 * A leg of a mirror that has failed a write is never read again. Which ones
 * have is in a map of the policy's program; another policy with another map has
 * to know it, too.
 */
#include <stdbool.h>

#include "error.h"

/**
 * mirrors_read() - the mirrors part of the statistics
 * @stats: to be freed with mirrors_free(), also after a failure
 */
int mirrors_read(const struct ublkpol_info *info, struct ublkpol_stats *stats,
		 struct ublkpol_error *err);

void mirrors_free(struct ublkpol_stats *stats);

/**
 * mirrors_given_up() - backends whose content nobody relies on
 * @slots: set; bit s: each mirror that the backend in slot s is in has failed it, and no
 *	   rule writes to it by itself
 *
 * Such a disk may not even answer; the other legs have what it has, and more.
 */
int mirrors_given_up(const struct ublkpol_info *info, __u64 *slots, struct ublkpol_error *err);

/* Backends of the new generation, one bit for the slot of each */
struct mirrors_news {
	bool any; /* one has become stale */
	__u64 kept; /* they were backends before */
	__u64 legs; /* of mirrors */
	__u64 named; /* legs that a recovery has been given anew */
	__u64 held; /* those of them that are not read yet */
	__u64 stale;
	__u64 hopeless; /* legs of a mirror that has no good one: it uses them all */
	__u64 doubtful; /* stale, but used by a mirror that has not itself failed them */
};

/**
 * mirrors_inherit() - tell a generation which of its backends are stale
 * @to: its backends become stale if they are those of @from, and stale there; its
 *	mirrors, in the maps that are pinned, learn that, and which legs are not in sync;
 *	a stale leg that the user has named is not in sync instead
 * @from: what the device has had before
 * @news: what the user has to be told
 *
 * Before it is attached, and once more after: the old generation may have noted
 * a failure meanwhile. A backend that is not kept holds whatever the user
 * put there, so nothing is known of it. A stale one that is in no mirror for a while
 * stays stale. Return: 0 or a negative errno.
 */
int mirrors_inherit(struct ublkpol_info *to, const struct ublkpol_info *from,
		    struct mirrors_news *news, struct ublkpol_error *err);

/**
 * mirrors_keep() - the same for a new daemon, whose program has the maps of the old one
 *
 * @to: a leg whose file the user has named, and which is another one than before, or has
 *	failed, is not in sync, if there are other legs
 * @news: named and held are set
 *
 * The mirrors know then, each for itself, what they have failed: only what is
 * noted of the backends has to go on.
 */
int mirrors_keep(struct ublkpol_info *to, const struct ublkpol_info *from,
		 struct mirrors_news *news, struct ublkpol_error *err);

/** mirrors_written_alone() - @slots is set to backends that rules write to past all mirrors */
int mirrors_written_alone(const struct ublkpol_info *info, __u64 *slots, struct ublkpol_error *err);

/**
 * mirrors_do_without_missing() - fail the legs that are missing
 * @info: a generation whose maps are pinned; what is missing becomes stale
 * @err: names the legs of a mirror that would have no good one: then nothing has changed
 *
 * Before anything is sent through the new generation. Return: 0 or a negative errno.
 */
int mirrors_do_without_missing(struct ublkpol_info *info, struct ublkpol_error *err);

/**
 * mirrors_hold_back() - legs that are new are written, and not read yet
 * @to: a generation whose maps are pinned, and which is not attached yet
 * @from: what the device has had before
 * @slots: set to those that are held back, now or since another generation; a leg of a
 *	   mirror that has no good one is not
 *
 * After mirrors_inherit() and mirrors_do_without_missing(). Return: 0 or a negative errno.
 */
int mirrors_hold_back(const struct ublkpol_info *to, const struct ublkpol_info *from, __u64 *slots,
		      struct ublkpol_error *err);

/** mirrors_set_in_sync() - from now on @slots are read; none changes if one of them cannot be */
int mirrors_set_in_sync(const struct ublkpol_info *info, __u64 slots, struct ublkpol_error *err);

/** mirrors_no_good_leg() - the message that the mirror of @legs is hopeless. Return: -EINVAL */
int mirrors_no_good_leg(const struct ublkpol_info *info, __u64 legs, struct ublkpol_error *err);

#endif
