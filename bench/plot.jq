# SPDX-License-Identifier: GPL-2.0-only
#
# From a table to an SVG: a group of bars for each workload on the backend $backend
# with $queues queues. Where instructions are counted, what each device adds to the
# backend; with a real clock the bandwidth, or, where that is capped, what the
# server takes of a CPU.
include "table";
include "svg";

def colour: if startswith("ublkpol") then "#c0392b" elif startswith("dm") then "#2c3e50"
	elif startswith("loop") then "#7f8c8d" else "#95a5c6" end;

.title as $title | .clock as $clock |
[.rows[] | select(.backend == $backend and .queues == $queues)] | merged_by($clock) | . as $rows |
[.[] |
	if $clock == "instructions" then
		select(.device != "bare") | . + { figure: "instructions added to the backend",
			value: (per_request - (bare($rows) | per_request)) } |
		if unsteady then (bare($rows) | per_request) as $bare |
			. + { states: "\(.least - $bare | round) to \(.most - $bare | round)" }
		else . end
	elif .rate > 0 then
		select(.device | test("^(kublk|ublkpol)")) |
		. + { figure: "CPU time of the server, %", value: share(.server_ns) }
	else
		. + { figure: "MB/s", value: bandwidth }
	end] as $bars |
($bars | map([.figure, column_name]) | unique_in_order | sort_by(.[0])) |
map(. as $column | {
	title: "\(.[1]): \(.[0])",
	bars: [$bars[] | select([.figure, column_name] == $column) | {
		label: (.device + if .schedulers == "none" then "" else ", scheduler" end),
		colour: (.device | colour), value: .value, states: .states
	}]
}) as $groups |
bars("\($title): backend \"\($backend)\", \($queues) queue(s)"; $groups;
	if .states then .states
	elif .value | fabs < 100 then .value * 10 | round / 10
	else .value | round end)
