/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILER_LAYOUT_H
#define COMPILER_LAYOUT_H

#include "ast.h"
#include "diag.h"
#include "options.h"
#include "plan.h"
#include "policy_image.h"
#include "resolve.h"
#include "routing.h"

/**
 * layout_policy() - lay a policy out as the loader does, as far as sizes are known
 * @plan: that the image was built from
 * @sizes: of the device and backends, from the command line
 * @layout: filled in; to be freed with resolve_free() in any case
 * @scale: set: what the size of the layout is worth
 * @diag: gets what is wrong
 *
 * Return: false if there is no layout: after an error, or because it depends on sizes
 */
bool layout_policy(const struct policy_image *image, const struct plan *plan,
		   const struct options_sizes *sizes, struct resolve_layout *layout,
		   enum routing_scale *scale, struct diag *diag);

#endif
