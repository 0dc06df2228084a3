# SPDX-License-Identifier: GPL-2.0-only
#
# From a table of instructions to an SVG: what each device adds to the backend
# $backend, a group of bars for each workload.

def bar_height: 14;
def colour: if startswith("ublkpol") then "#c0392b" elif startswith("dm") then "#2c3e50"
	elif startswith("loop") then "#7f8c8d" else "#95a5c6" end;
def per_request: .ns / .requests;
def size:
	if . >= 1048576 then "\(. / 1048576)M" elif . >= 1024 then "\(. / 1024)K"
	else tostring end;
def column_name: "\(.workload) \(.bytes | size) QD\(.depth)";
def text($x; $y; $anchor; $content):
	"<text x=\"\($x)\" y=\"\($y)\" text-anchor=\"\($anchor)\">\($content)</text>";

.title as $title |
[.rows[] | select(.backend == $backend)] as $rows |
[$rows[] | . as $row | select(.device != "bare") | {
	device, column: column_name,
	added: (per_request - ($rows[] | select(.device == "bare" and
		column_name == ($row | column_name)) | per_request))
}] as $bars |
(reduce $bars[].column as $c ([]; if index([$c]) then . else . + [$c] end)) as $columns |
([$bars[].added] | max) as $most |
(($bars | length) * bar_height + ($columns | length) * 30 + 50) as $height |
"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"760\" height=\"\($height)\"" +
	" font-family=\"sans-serif\" font-size=\"11\">",
"<rect width=\"100%\" height=\"100%\" fill=\"white\"/>",
text(10; 20; "start"; "\($title): added to the backend \"\($backend)\""),
foreach $columns[] as $column ({ y: 30 };
	[$bars[] | select(.column == $column)] as $group |
	.lines = [text(10; .y + 14; "start"; $column)] |
	.y += 20 |
	reduce $group[] as $bar (.;
		([$bar.added * 480 / $most, 1] | max | round) as $width |
		.lines += [
			text(150; .y + 11; "end"; $bar.device),
			"<rect x=\"156\" y=\"\(.y + 1)\" width=\"\($width)\"" +
				" height=\"\(bar_height - 3)\" fill=\"\($bar.device | colour)\"/>",
			text(162 + $width; .y + 11; "start"; $bar.added | round)
		] |
		.y += bar_height) |
	.y += 10;
	.lines[]),
"</svg>"
