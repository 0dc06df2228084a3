/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILER_EXPLAIN_BOXES_H
#define COMPILER_EXPLAIN_BOXES_H

/* Between the parts of the text picture: a row of boxes, one for each segment */
#include "explain.h"

/* One or more neighbouring segments, drawn as one box */
struct explain_box {
	unsigned int first; /* segment */
	unsigned int count;
	unsigned int columns; /* inside the box */
};

struct explain_boxes {
	struct explain_box *list;
	unsigned int nr;
};

/** explain_box_label() - what stands in line @layer of a box, or "" */
const char *explain_box_label(const struct routing *routing, const struct routing_part *part,
			      const struct explain_box *box, unsigned int layer,
			      struct arena *arena);

/**
 * explain_boxes() - share @columns among the segments of @part
 *
 * Boxes are as wide as their share of the device, but wide enough for a label;
 * what is too narrow for that is drawn together with its neighbours.
 */
struct explain_boxes explain_boxes(const struct routing *routing, const struct routing_part *part,
				   unsigned int columns, struct arena *arena);

#endif
