/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILER_EXPLAIN_H
#define COMPILER_EXPLAIN_H

#include <stdio.h>

#include "routing.h"

struct explain_style {
	bool has_color; /* escape sequences of a terminal */
	bool has_unicode; /* lines and blocks, not only ASCII */
};

/** explain_label() - the target of a choice, with a "?" if it is conditional */
const char *explain_label(const struct routing *routing, const struct routing_choice *choice,
			  struct arena *arena);

/** explain_short_label() - the first word of a label and its "?" */
const char *explain_short_label(const char *label, struct arena *arena);

/** explain_text() - a picture of the device and its routing table, for people */
void explain_text(FILE *out, const struct routing *routing, const struct explain_style *style);

/** explain_svg() - the same picture as an SVG document */
void explain_svg(FILE *out, const struct routing *routing);

#endif
