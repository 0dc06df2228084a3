# SPDX-License-Identifier: GPL-2.0-only
#
# From decision.json to its text
def right($n): tostring | (" " * ([$n - length, 0] | max)) + .;
def line: map(right(15)) | join("");

"What a decision costs: reads of 4 KiB at random places, SQE included",
"Linux \(.kernel) with JIT, \(.cpu), clang \(.clang), source \(.source), \(.date)",
"The best of five rounds, without the loop around it; a stand-in takes the SQE that the",
"program hands to the kernel. Instructions: in the guest, config \(.config), series",
"\(.series). Its \"load\" is of a policy and, \"dm\", of device-mapper: what the process",
"that does it executes. Uneven: the ranges are 4 KiB each in the middle of 100 GiB, and",
"all reads go there.",
"",
(["ranges", "ns", "instructions", "compile, s", "load, ms", "load, M instr", "dm, M instr"] |
	line),
(.rows[] | [.layout, .decision_ns, (.instructions | round), .compile_s, .load_ms,
	(.load_minstr | round), .dm_load_minstr] | line)
