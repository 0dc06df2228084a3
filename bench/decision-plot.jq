# SPDX-License-Identifier: GPL-2.0-only
#
# From decision.json to an SVG: what a decision costs against the number of ranges
include "svg";

def group($title; figure):
	{ title: $title, bars: [.rows[] | { label: .layout, colour: "#c0392b",
		value: figure }] };

[group("instructions, by number of ranges"; .instructions),
 group("ns, by number of ranges, on Linux \(.kernel), \(.cpu)"; .decision_ns)] as $groups |
bars("What a decision costs, SQE included"; $groups; .value | round)
