# SPDX-License-Identifier: GPL-2.0-only
#
# Counts the instructions of QEMU's log "exec" by function. A request begins
# where the null_blk driver gets it. Variables: symbols, a file like
# /proc/kallsyms; requests, how many to look at.

BEGIN { FS = "/" }

function read_symbols(  line, word)
{
	while ((getline line < symbols) > 0) {
		split(line, word, " ")
		address[++n] = word[1]
		name[n] = word[3]
		if (word[3] == "null_queue_rq")
			start = word[1]
	}
	if (start == "") {
		print "profile: the kernel has no null_queue_rq" >"/dev/stderr"
		exit 1
	}
}

# The addresses are of one length: their order is that of strings
function function_at(pc,  low, high, middle)
{
	if (pc < "8000000000000000")
		return "(user mode)"
	if (pc < address[1] || pc > address[n])
		return "(BPF program)"
	low = 1
	high = n
	while (low < high) {
		middle = int((low + high + 1) / 2)
		if (address[middle] <= pc)
			low = middle
		else
			high = middle - 1
	}
	return name[low]
}

$1 !~ /^Trace/ { next }

!n { read_symbols() }

$2 == start && seen++ == requests { exit }

seen {
	if (!($2 in found))
		found[$2] = function_at($2)
	count[found[$2]]++
	total++
}

END {
	if (!seen)
		exit 1
	printf "%d requests, %d instructions each\n", seen - 1, total / (seen - 1)
	for (symbol in count)
		printf "%10.1f  %s\n", count[symbol] / (seen - 1), symbol | "sort -rn"
}
