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
	if length % 2 == 1 then .[(length - 1) / 2]
	else (.[length / 2 - 1] + .[length / 2]) / 2 end;

def kind: [.backend, .queues, .schedulers];

def mean: add / length;

def per_request: .ns / .requests;

# The runs of a measurement become one row, each figure one of all of them. With a
# clock that counts instructions, .least and .most are per request.
def merged(figure):
	[to_entries[] | .value + { order: .key }] | group_by([kind, .device, column_name]) |
	map(. as $rounds | .[0] | with_entries(
		if .key != "order" and (.value | type) == "number" then
			.key as $key | .value = ([$rounds[][$key]] | figure)
		else . end) |
		if .ns then . + ([$rounds[] | per_request] | { least: min, most: max })
		else . end) |
	sort_by(.order);

# Its runs were in several states, which a few runs find by luck: it has no one figure
def unsteady: .most > .least * 1.1;

# A real clock has outliers. Counted instructions have none, but states that differ
# by a percent or two, between which a median would jump.
def merged_by($clock): if $clock == "instructions" then merged(mean) else merged(median) end;

# The same request to the backend itself
def bare($rows): [kind, column_name] as $same | $rows[] |
	select(.device == "bare" and [kind, column_name] == $same);

# MB/s
def bandwidth: .requests * .bytes / .ns * 1000;

# Of the server's CPU time the sum is exact, the user mode sampled
def server_user: [.server_user_ns, .server_ns] | min;
def server_system: .server_ns - server_user;

# In % of the time of a measurement
def share(of): of * 100 / .ns;
