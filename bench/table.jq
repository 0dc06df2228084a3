# SPDX-License-Identifier: GPL-2.0-only
#
# What the texts and the plots of a table share

def size: if . >= 1048576 and . % 1048576 == 0 then "\(. / 1048576)M"
	elif . >= 1024 then "\(. / 1024)K" else tostring end;

def column_name: "\(.workload) \(.bytes | size) QD\(.depth)" +
	if .rate > 0 then " \(.rate) MB/s" else "" end;

def unique_in_order:
	reduce .[] as $x ([]; if index([$x]) then . else . + [$x] end);

def median: sort |
	if length % 2 == 1 then .[(length - 1) / 2] else (.[length / 2 - 1] + .[length / 2]) / 2 end;

def kind: [.backend, .queues, .schedulers];

# The rounds of a measurement become one row, with the median of each figure
def medians:
	[to_entries[] | .value + { order: .key }] | group_by([kind, .device, column_name]) |
	map(. as $rounds | .[0] | with_entries(
		if .key != "order" and (.value | type) == "number" then
			.key as $key | .value = ([$rounds[][$key]] | median)
		else . end)) | sort_by(.order);

# The same request to the backend itself
def bare($rows): [kind, column_name] as $same | $rows[] |
	select(.device == "bare" and [kind, column_name] == $same);

def per_request: .ns / .requests;
def bandwidth: .io_bytes / .seconds / 1e6;
def server_share: (.server_user_ms + .server_system_ms) / .seconds / 10;
