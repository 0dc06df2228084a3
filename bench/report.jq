# SPDX-License-Identifier: GPL-2.0-only
#
# From a table's JSON to its text: for each backend one block a figure, a line a
# device, a column a workload.

def left($n): . + (" " * ([$n - length, 0] | max));
def right($n): (" " * ([$n - length, 0] | max)) + .;

def size: if . >= 1048576 and . % 1048576 == 0 then "\(. / 1048576)M"
	elif . >= 1024 then "\(. / 1024)K" else tostring end;

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

def column_name: "\(.workload) \(.bytes | size) QD\(.depth)" +
	if .rate > 0 then " \(.rate) MB/s" else "" end;

def unique_in_order:
	reduce .[] as $x ([]; if index([$x]) then . else . + [$x] end);

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

# The same request to the backend itself
def bare($rows): . as $row | $rows[] |
	select(.device == "bare" and column_name == ($row | column_name));

def per_request: .ns / .requests;

def instructions($rows):
	block($rows; "instructions per request"; per_request | fixed(0)),
	block($rows; "added to the backend"; per_request - (bare($rows) | per_request) |
		fixed(0)),
	block($rows; "added, dm-linear is 1";
		(per_request - (bare($rows) | per_request)) as $added | . as $row |
		($rows[] | select(.device == "dm-linear" and column_name == ($row | column_name)) |
			$added / (per_request - (bare($rows) | per_request)) | fixed(2)) // null),
	block($rows; "of these in the server"; if .server_ns then
		.server_ns / .requests | fixed(0) else null end),
	block($rows; "context switches per request"; .switches / .requests | fixed(2)),
	block($rows; "99 % of latencies below, us"; .latency_p99_ns / 1000 | fixed(1)),
	block($rows; "server's memory, KiB"; if .server_kib > 0 then
		.server_kib | tostring else null end),
	block($rows; "set-up, ms"; if .device | contains("ranges") then
		.setup_us / 1000 | fixed(1) else null end);

def time($rows):
	block($rows; "MB/s"; .io_bytes / .seconds / 1e6 | fixed(0)),
	block($rows; "requests per second"; .requests / .seconds | fixed(0)),
	block($rows; "mean latency, us"; .latency_mean_ns / 1000 | fixed(0)),
	block($rows; "99 % of latencies below, us"; .latency_p99_ns / 1000 | fixed(0)),
	block($rows; "CPU time per request, us"; .busy_ms * 1000 / .requests | fixed(1)),
	block($rows; "server, user, % of a CPU"; .server_user_ms / .seconds / 10 | fixed(1)),
	block($rows; "server, system, % of a CPU"; .server_system_ms / .seconds / 10 | fixed(1));

.clock as $clock |
.title,
"Linux \(.kernel), config \(.config), \(.cpus) CPU(s), QEMU \(.qemu), source \(.source), \(.date)",
"",
((.rows | map(.backend) | unique_in_order)[] as $backend |
	[.rows[] | select(.backend == $backend)] as $rows |
	"backend: \($backend), scheduler: " + ([$rows[].scheduler] | unique | join(", ")),
	if $clock == "instructions" then instructions($rows) else time($rows) end)
