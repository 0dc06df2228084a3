# SPDX-License-Identifier: GPL-2.0-only
#
# From a table to an SVG: a group of bars for each workload on the backend $backend
# with $queues queues. Where instructions are counted, what each device adds to the
# backend; with a real clock the bandwidth, or, where that is capped, what the
# server takes of a CPU.
include "table";

def bar_height: 14;
def colour: if startswith("ublkpol") then "#c0392b" elif startswith("dm") then "#2c3e50"
	elif startswith("loop") then "#7f8c8d" else "#95a5c6" end;
def text($x; $y; $anchor; $content):
	"<text x=\"\($x)\" y=\"\($y)\" text-anchor=\"\($anchor)\">\($content)</text>";

.title as $title | .clock as $clock |
[.rows[] | select(.backend == $backend and .queues == $queues)] | medians | . as $rows |
[.[] |
	if $clock == "instructions" then
		select(.device != "bare") | . + { figure: "instructions added to the backend",
			value: (per_request - (bare($rows) | per_request)) }
	elif .rate > 0 then
		select(.device | test("^(kublk|ublkpol)")) |
		. + { figure: "CPU time of the server, %", value: server_share }
	else
		. + { figure: "MB/s", value: bandwidth }
	end] as $bars |
($bars | map([.figure, column_name]) | unique_in_order | sort_by(.[0])) as $columns |
# small and large requests have no scale in common
(reduce $columns[] as $column ({}; .[$column | tostring] =
	([$bars[] | select([.figure, column_name] == $column) | .value | fabs] | max))) as $most |
(($bars | length) * bar_height + ($columns | length) * 30 + 50) as $height |
"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"760\" height=\"\($height)\"" +
	" font-family=\"sans-serif\" font-size=\"11\">",
"<rect width=\"100%\" height=\"100%\" fill=\"white\"/>",
text(10; 20; "start"; "\($title): backend \"\($backend)\", \($queues) queue(s)"),
foreach $columns[] as $column ({ y: 30 };
	[$bars[] | select([.figure, column_name] == $column)] as $group |
	.lines = [text(10; .y + 14; "start"; "\($column[1]): \($column[0])")] |
	.y += 20 |
	reduce $group[] as $bar (.;
		([$bar.value * 480 / $most[$column | tostring], 1] | max | round) as $width |
		.lines += [
			text(150; .y + 11; "end"; $bar.device +
				if $bar.schedulers == "none" then "" else ", scheduler" end),
			"<rect x=\"156\" y=\"\(.y + 1)\" width=\"\($width)\"" +
				" height=\"\(bar_height - 3)\" fill=\"\($bar.device | colour)\"/>",
			text(162 + $width; .y + 11; "start"; if $bar.figure | endswith("%") then
				$bar.value * 10 | round / 10 else $bar.value | round end)
		] |
		.y += bar_height) |
	.y += 10;
	.lines[]),
"</svg>"
