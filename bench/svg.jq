# SPDX-License-Identifier: GPL-2.0-only
#
# Groups of bars as an SVG. A group is { title, bars: [{ label, value, colour }] }; each
# has a scale of its own.

def bar_height: 14;
def text($x; $y; $anchor; $content):
	"<text x=\"\($x)\" y=\"\($y)\" text-anchor=\"\($anchor)\">\($content)</text>";

# number: the text of a bar's value
def bars($title; $groups; number):
	((($groups | map(.bars | length) | add) // 0) * bar_height +
		($groups | length) * 30 + 50) as $height |
	"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"760\" height=\"\($height)\"" +
		" font-family=\"sans-serif\" font-size=\"11\">",
	"<rect width=\"100%\" height=\"100%\" fill=\"white\"/>",
	text(10; 20; "start"; $title),
	foreach $groups[] as $group ({ y: 30 };
		([$group.bars[].value | fabs] | max) as $most |
		.lines = [text(10; .y + 14; "start"; $group.title)] |
		.y += 20 |
		reduce $group.bars[] as $bar (.;
			([$bar.value * 480 / $most, 1] | max | round) as $width |
			.lines += [
				text(150; .y + 11; "end"; $bar.label),
				"<rect x=\"156\" y=\"\(.y + 1)\" width=\"\($width)\"" +
					" height=\"\(bar_height - 3)\" fill=\"\($bar.colour)\"/>",
				text(162 + $width; .y + 11; "start"; $bar | number)
			] |
			.y += bar_height) |
		.y += 10;
		.lines[]),
	"</svg>";
