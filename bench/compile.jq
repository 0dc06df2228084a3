# SPDX-License-Identifier: GPL-2.0-only
#
# From the JSON of "compile" to its text

def right($n): tostring | (" " * ([$n - length, 0] | max)) + .;
def line: map(right(26)) | join("");

"ublkpolc -S, from a policy to C; \(.runs) runs, \(.cpu), source \(.source), \(.date)",
"",
(["policy", "best, ms", "median, ms", "best CPU time, ms"] | line),
(.rows[] | [.policy, .best_ms, .median_ms, .best_cpu_ms] | line)
