# SPDX-License-Identifier: GPL-2.0-only
#
# From a table's JSON to its text: for each backend one block a figure, a line a
# device, a column a workload.
include "table";

def left($n): . + (" " * ([$n - length, 0] | max));
def right($n): (" " * ([$n - length, 0] | max)) + .;

# Rounded to $digits behind the point, all of them shown
def fixed($digits):
	if . == null then "-" else
		pow(10; $digits) as $scale | (. * $scale | round) as $n |
		($n | fabs | tostring) as $text |
		(if $n < 0 then "-" else "" end) + if $digits == 0 then $text else
			("0" * ([$digits + 1 - ($text | length), 0] | max) + $text) |
			.[:-$digits] + "." + .[-$digits:]
		end
	end;

# block("title"; figure of a row, or null): $rows are those of one backend
def block($rows; $title; figure):
	($rows | map(column_name) | unique_in_order) as $columns |
	($columns | map([length, 13] | max)) as $widths |
	select(any($rows[]; [figure][0] != null)) |
	"  " + ($title | left(32)) +
		([range($columns | length) as $i |
			"  " + ($columns[$i] | right($widths[$i]))] | add),
	(($rows | map(.device) | unique_in_order)[] as $device |
		"  " + ("  " + $device | left(32)) +
		([range($columns | length) as $i |
			([$rows[] | select(.device == $device and column_name == $columns[$i]) |
				figure][0] // "-") as $cell |
			"  " + ($cell | right($widths[$i]))] | add)),
	"";

# A row's instructions per request, changed by text: one figure, or from the least to the most
def states(text):
	if unsteady then "\(.least | text)-\(.most | text)" else per_request | text end;

def instructions($rows):
	block($rows; "instructions per request"; states(fixed(0))),
	block($rows; "added to the backend"; (bare($rows) | per_request) as $bare |
		states(. - $bare | fixed(0))),
	block($rows; "added, dm-linear is 1";
		(bare($rows) | per_request) as $bare | column_name as $column |
		([$rows[] | select(.device == "dm-linear" and column_name == $column) |
			per_request - $bare][0]) as $linear |
		if $linear then states((. - $bare) / $linear | fixed(2)) else null end),
	block($rows; "of these in the server"; if .server_ns then
		.server_ns / .requests | fixed(0) else null end),
	block($rows; "context switches per request"; if .switches then
		.switches / .requests | fixed(2) else null end),
	block($rows; "mean latency, us"; if .latency_mean_ns then
		.latency_mean_ns / 1000 | fixed(1) else null end),
	block($rows; "99 % of latencies below, us"; if .latency_p99_ns then
		.latency_p99_ns / 1000 | fixed(1) else null end),
	block($rows; "server's memory, KiB"; if .server_kib > 0 then
		.server_kib | fixed(0) else null end);

# The bandwidths of $all, the rounds of one backend, each as a share of that of
# kublk --auto_zc in the same round
def shares($all): . as $row | column_name as $column |
	def rounds($device): [$all[] | select(.device == $device and column_name == $column) |
		bandwidth];
	rounds("kublk-auto_zc") as $peer | rounds($row.device) as $own |
	if $row.rate > 0 or ($peer | length) != ($own | length) then [] else
		[range($own | length) as $i | $own[$i] / $peer[$i]] end;

def time($all):
	($all | merged_by("time")) as $rows |
	block($rows; "MB/s"; bandwidth | fixed(0)),
	block($rows; "MB/s, kublk --auto_zc is 1"; shares($all) |
		if length > 0 then median | fixed(2) else null end),
	block($rows; "the same, its quartiles"; shares($all) | sort | length as $n |
		if $n > 2 then "\(.[$n / 4 | floor] | fixed(2))-\(.[$n * 3 / 4 | floor] | fixed(2))"
		else null end),
	block($rows; "requests per second"; .requests * 1e9 / .ns | fixed(0)),
	block($rows; "mean latency, us"; .latency_mean_ns / 1000 | fixed(0)),
	block($rows; "99 % of latencies below, us"; .latency_p99_ns / 1000 | fixed(0)),
	block($rows; "CPU time per request, us"; .busy_ns / 1000 / .requests | fixed(1)),
	block($rows; "of this, added to the backend"; .busy_ns / 1000 / .requests -
		(bare($rows) | .busy_ns / 1000 / .requests) | fixed(1)),
	block($rows; "server, user, % of a CPU"; if .server_ns then
		share(server_user) | fixed(1) else null end),
	block($rows; "server, system, % of a CPU"; if .server_ns then
		share(server_system) | fixed(1) else null end),
	block($rows; "context switches per request"; .switches / .requests | fixed(2)),
	block($rows; "server's memory, KiB"; if .server_kib > 0 then
		.server_kib | fixed(0) else null end);

# One for all, or each with its devices
def schedulers($rows): $rows | group_by(.scheduler) |
	if length == 1 then .[0][0].scheduler
	else map("\(.[0].scheduler) (\(map(.device) | unique_in_order | join(", ")))") |
		join(", ") end;

.clock as $clock |
.title,
"Linux \(.kernel), config \(.config), series \(.series), \(.cpus) CPU(s), " +
	"QEMU \(.qemu), source \(.source), \(.date)",
"",
(([.rows[] | kind] | unique_in_order)[] as $kind |
	[.rows[] | select(kind == $kind)] as $rows |
	"backend: \($rows[0].backend), \($rows[0].queues) queue(s), scheduler: " +
		schedulers($rows),
	if $clock == "instructions" then
		($rows | merged_by($clock)) as $merged |
		instructions($merged),
		if any($merged[]; unsteady) then
			"  From the least to the most: the runs of such a row differ by more than",
			"  10 %; its other figures are means.", ""
		else empty end
	else time($rows) end)
