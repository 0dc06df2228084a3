// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/ublk_bpf.h>

#include "checks.h"
#include "resolve.h"
#include "unit.h"

#define MIB 2048ULL /* sectors */

static struct unit_policy policy;
static struct resolve_layout layout;
static char messages[4096];

static void teardown(void)
{
	resolve_free(&layout);
	unit_free(&policy);
}

static void collect(void *arg, const struct resolve_message *message)
{
	size_t used = strlen(messages);

	(void)arg;
	snprintf(messages + used, sizeof(messages) - used, "%u %s %s\n", message->line,
		 message->check == UBLKPOL_NO_CHECK ? "-" : check_table[message->check].name,
		 message->text);
}

static bool has_compiler; /* what it knows of the conditions is there, too */
static __u32 promised_discard; /* sectors, by a device that exists */

/* Resolves @text for backends of the given sizes, with the checks at these levels */
static int resolve_at(const struct ublkpol_check_levels *levels, const char *text, __u32 block,
		      const __u64 *sectors)
{
	static struct ublkpol_header header;
	struct resolve_input input = {
		.image = &policy.image,
		.backend_sectors = sectors,
		.block = block,
		.discard_sectors = promised_discard,
		.report = collect,
	};

	__u32 flush_takers[16];

	resolve_free(&layout);
	unit_free(&policy);
	messages[0] = '\0';
	unit_compile(&policy, text);
	ck_assert_msg(!policy.diag.nr_errors, "%s", text);
	header = *policy.image.header;
	header.checks = *levels;
	policy.image.header = &header;
	for (unsigned int i = 0; has_compiler && i < policy.ast.nr_rules; i++)
		flush_takers[i] = policy.plan.rules[i].flush_taker;
	if (has_compiler) {
		input.implied[UBLKPOL_DIR_READ] = policy.plan.implied[UBLKPOL_DIR_READ];
		input.implied[UBLKPOL_DIR_WRITE] = policy.plan.implied[UBLKPOL_DIR_WRITE];
		input.flush_takers = flush_takers;
	}
	return resolve_policy(&input, &layout);
}

static int resolve(const char *text, __u32 block, const __u64 *sectors)
{
	const struct ublkpol_check_levels levels = checks_default();

	return resolve_at(&levels, text, block, sectors);
}

static void segment_is(unsigned int index, __u64 start, __u64 end, __s64 delta, __u32 rule)
{
	const struct ublkpol_segment *segment = &layout.segments[index];

	ck_assert_uint_eq(segment->start, start);
	ck_assert_uint_eq(segment->end, end);
	ck_assert_int_eq(segment->delta, delta);
	ck_assert_uint_eq(segment->rule, rule);
}

START_TEST(halves_of_any_size)
{
	const char *text = "LBA 0-50% -> fd0\nLBA 50-100% -> fd1\n";

	for (__u64 size = 2; size < 300; size++) {
		ck_assert_int_eq(resolve(text, 512, (__u64[]){ size, size + 7 }), 0);
		ck_assert_uint_eq(layout.dev_sectors, size);
		ck_assert_uint_eq(layout.nr_segments[UBLKPOL_DIR_READ], 2);
		ck_assert_uint_eq(layout.nr_segments[UBLKPOL_DIR_WRITE], 2);
		segment_is(0, 0, size / 2, 0, 0);
		segment_is(1, size / 2, size, 0, 1);
		segment_is(3, size / 2, size, 0, 1);
	}
}
END_TEST

START_TEST(percentages_round_down_to_the_block)
{
	const char *text = "LBA 0-33.3% -> fd0\ndefault -> fd1\n";

	ck_assert_int_eq(resolve(text, 4096, (__u64[]){ 1000, 1007 }), 0);
	ck_assert_uint_eq(layout.dev_sectors, 1000);
	segment_is(0, 0, 328, 0, 0); /* 333 */
	ck_assert_int_eq(resolve(text, 4096, (__u64[]){ 1007, 1007 }), 0);
	ck_assert_uint_eq(layout.dev_sectors, 1000);
	ck_assert_int_eq(resolve(text, 512, (__u64[]){ 1000, 1000 }), 0);
	segment_is(0, 0, 333, 0, 0);
}
END_TEST

START_TEST(percentages_of_large_devices_are_exact)
{
	/* 2^54 - 8 sectors: the product does not fit 64 bits */
	const __u64 size = (1ULL << 54) - 8;

	ck_assert_int_eq(resolve("LBA 0-99.999999999% -> fd0\ndefault -> fd1", 512,
				 (__u64[]){ size, size }),
			 0);
	segment_is(0, 0, (unsigned __int128)size * 99999999999 / 100000000000, 0, 0);
}
END_TEST

START_TEST(empty_on_a_small_device)
{
	ck_assert_int_eq(resolve("LBA 0-1% -> fd0\ndefault -> fd0", 512, (__u64[]){ 99 }), -EINVAL);
	ck_assert_ptr_nonnull(strstr(messages, "the range is empty"));
	ck_assert_int_eq(resolve("LBA 0-1% -> fd0\ndefault -> fd0", 512, (__u64[]){ 100 }), 0);
	ck_assert_int_eq(resolve("default -> fd0", 4096, (__u64[]){ 7 }), -EINVAL);
	ck_assert_ptr_nonnull(strstr(messages, "the device would be empty"));
}
END_TEST

START_TEST(first_match_wins)
{
	ck_assert_int_eq(resolve("size 100\nLBA 10-20, 30-40 -> fd0\nLBA 15-35 -> fd1\n"
				 "LBA 0-100 read -> fd2\ndefault -> error EIO\n",
				 512, (__u64[]){ 100, 100, 100 }),
			 0);
	ck_assert_uint_eq(layout.nr_segments[UBLKPOL_DIR_READ], 5);
	segment_is(0, 0, 10, 0, 2);
	segment_is(1, 10, 20, 0, 0);
	segment_is(2, 20, 30, 0, 1);
	segment_is(3, 30, 40, 0, 0);
	segment_is(4, 40, 100, 0, 2);
	ck_assert_uint_eq(layout.nr_segments[UBLKPOL_DIR_WRITE], 5);
	segment_is(5, 0, 10, 0, 3);
	segment_is(9, 40, 100, 0, 3);
}
END_TEST

START_TEST(gaps_are_segments_without_rule)
{
	ck_assert_int_eq(resolve("LBA 10-20 -> fd0", 512, (__u64[]){ 30 }), 0);
	ck_assert_uint_eq(layout.nr_segments[UBLKPOL_DIR_READ], 3);
	segment_is(0, 0, 10, 0, UBLKPOL_NO_RULE);
	ck_assert_uint_eq(layout.segments[0].target, UBLKPOL_NO_TARGET);
	segment_is(2, 20, 30, 0, UBLKPOL_NO_RULE);
	ck_assert_ptr_nonnull(strstr(messages, "0 gap no rule matches reads and writes of LBA 0-"));
}
END_TEST

START_TEST(packed_ranges)
{
	ck_assert_int_eq(resolve("size 100\nLBA 50-60, 10-20 -> fd0 @ 5\ndefault -> fd1", 512,
				 (__u64[]){ 25, 100 }),
			 0);
	segment_is(1, 10, 20, 15 - 10, 0);
	segment_is(3, 50, 60, 5 - 50, 0);

	/* One sector less, and the last range does not fit */
	ck_assert_int_eq(resolve("size 100\nLBA 50-60, 10-20 -> fd0 @ 5\ndefault -> fd1", 512,
				 (__u64[]){ 24, 100 }),
			 -EINVAL);
	ck_assert_str_eq(messages,
			 "2 overcommit the rule needs backend 'fd0' up to sector 25, but it holds "
			 "only 12KiB\n");
}
END_TEST

START_TEST(size_of_the_device)
{
	ck_assert_int_eq(resolve("read -> fd0\ndefault -> fd0", 512, (__u64[]){ 70 }), 0);
	ck_assert_uint_eq(layout.dev_sectors, 70);

	/* Three legs of 10 whole chunks each */
	ck_assert_int_eq(
		resolve("default -> stripe 8 { fd0 fd1 fd2 }", 512, (__u64[]){ 100, 87, 200 }), 0);
	ck_assert_uint_eq(layout.dev_sectors, 3 * 80);

	ck_assert_int_eq(resolve("size 1MiB\nblock 4KiB\ndefault -> fd0", 512, (__u64[]){ 9999 }),
			 0);
	ck_assert_uint_eq(layout.dev_sectors, MIB);
	ck_assert_uint_eq(layout.block, 4096);
	ck_assert_int_eq(resolve("size 1MiB\nblock 1KiB\ndefault -> fd0", 4096, (__u64[]){ 9999 }),
			 -EINVAL);
	ck_assert_int_eq(resolve("size 1025KiB\ndefault -> fd0", 4096, (__u64[]){ 9999 }), -EINVAL);
	ck_assert_int_eq(resolve("LBA 0-1 -> fd0\ndefault -> stripe 8 { fd1 fd2 }", 512,
				 (__u64[]){ 100, 100, 100 }),
			 -EINVAL);
	ck_assert_int_eq(resolve("LBA 0-1 -> fd0 @ 0", 512, (__u64[]){ 100 }), -EINVAL);
}
END_TEST

START_TEST(boundaries_must_be_whole_blocks)
{
	ck_assert_int_eq(resolve("LBA 0-7 -> fd0\ndefault -> fd0", 4096, (__u64[]){ 800 }),
			 -EINVAL);
	ck_assert_int_eq(resolve("default -> stripe 12 { fd0 fd1 }", 4096, (__u64[]){ 800, 800 }),
			 -EINVAL);
	ck_assert_int_eq(resolve("size 800\nLBA 0-8 -> fd0 @ 4\ndefault -> fd1", 4096,
				 (__u64[]){ 800, 800 }),
			 -EINVAL);
}
END_TEST

START_TEST(coherence)
{
	const __u64 sizes[] = { 4 * MIB, 4 * MIB, 4 * MIB };

	ck_assert_int_eq(resolve("read -> fd0\nwrite -> fd1", 512, sizes), -EINVAL);
	ck_assert_ptr_nonnull(strstr(messages, "1 coherence"));
	/* Where nothing is written, reads may come from anywhere, and the other way round */
	ck_assert_int_eq(resolve("read -> fd0\nwrite -> error EROFS", 512, sizes), 0);
	ck_assert_int_eq(resolve("read -> error EIO\nwrite -> fd0", 512, sizes), 0);
	/* Two rules that say the same in different words */
	ck_assert_int_eq(resolve("size 1MiB\nLBA 0-1MiB read -> fd0 @ 64KiB\n"
				 "LBA 0-512KiB write -> fd0 @ 64KiB\nwrite LBA 512KiB-end -> fd0 @ "
				 "576KiB\n",
				 512, sizes),
			 0);
	/* One chunk of a stripe is as good as a backend */
	ck_assert_int_eq(resolve("size 1MiB\nread LBA 0-64KiB -> fd0\nLBA 0-1MiB -> stripe 64KiB { "
				 "fd0 fd1 }",
				 512, sizes),
			 0);
	ck_assert_int_eq(resolve("size 1MiB\nread LBA 0-65KiB -> fd0\nLBA 0-1MiB -> stripe 64KiB { "
				 "fd0 fd1 }",
				 512, sizes),
			 -EINVAL);
	ck_assert_ptr_nonnull(
		strstr(messages, "LBA 64KiB is read from 'fd0' but written to 'fd1'"));
}
END_TEST

/* Chunks are not looked at one by one where the whole map is known to agree, or to differ */
START_TEST(coherence_of_many_chunks)
{
	/* For each leg of the read, all writes reach it */
	ck_assert_int_eq(resolve("size 8TiB\nread -> hash 4KiB { fd0 3, fd1 1 }\n"
				 "write -> mirror { fd0 fd1 fd2 }",
				 512, NULL),
			 0);
	ck_assert_int_eq(
		resolve("size 8TiB\nread -> hash 4KiB { fd0 fd1 fd2 }\nwrite -> mirror { fd0 fd1 }",
			512, NULL),
		-EINVAL);
	ck_assert_int_eq(resolve("size 8TiB\nread -> hash 4KiB { fd0 fd1 }\n"
				 "LBA 0-8TiB write -> mirror { fd0 fd1 } @ 4KiB",
				 512, NULL),
			 -EINVAL);
	/* Weights in other words */
	ck_assert_int_eq(resolve("size 8TiB\nread -> hash 4KiB { fd0 3, fd1 1 }\n"
				 "write -> hash 4KiB { fd0 6, fd1 2 }",
				 512, NULL),
			 0);
	ck_assert_int_eq(resolve("size 8TiB\nread -> hash 4KiB { fd0 3, fd1 1 }\n"
				 "write -> hash 4KiB { fd1 1, fd0 3 }",
				 512, NULL),
			 -EINVAL);
	ck_assert_int_eq(resolve("size 8TiB\nread -> hash 4KiB { fd0 3, fd1 1 }\n"
				 "write -> hash 8KiB { fd0 3, fd1 1 }",
				 512, NULL),
			 -EINVAL);
}
END_TEST

START_TEST(alias)
{
	const __u64 sizes[] = { 4 * MIB, 4 * MIB };

	ck_assert_int_eq(resolve("size 2MiB\nLBA 0-1MiB -> fd0\nLBA 1-2MiB -> fd0 @ 512KiB", 512,
				 sizes),
			 -EINVAL);
	ck_assert_ptr_nonnull(strstr(messages, "3 alias"));
	ck_assert_int_eq(
		resolve("size 2MiB\nLBA 0-1MiB -> fd0\nLBA 1-2MiB -> fd0 @ 1MiB", 512, sizes), 0);
	/* Read in two places, written in none */
	ck_assert_int_eq(resolve("size 2MiB\nLBA 0-1MiB read -> fd0\nLBA 1-2MiB read -> fd0 @ 0\n"
				 "default -> error EROFS",
				 512, sizes),
			 0);
	/* A hash has only some chunks on each leg: one and all of them, or those of another hash */
	ck_assert_int_eq(resolve("size 2MiB\nLBA 0-1MiB -> hash 64KiB { fd0 fd1 }\n"
				 "LBA 1-2MiB -> fd0 @ 0",
				 512, sizes),
			 -EINVAL);
	ck_assert_int_eq(resolve("size 2MiB\nLBA 0-1MiB -> hash 64KiB { fd0 fd1 }\n"
				 "LBA 1-2MiB -> hash 64KiB { fd1 fd0 } @ 0",
				 512, sizes),
			 0);
	ck_assert_int_eq(resolve("size 2MiB\nLBA 0-1MiB -> hash 64KiB { fd0 fd1 }\n"
				 "LBA 1-2MiB -> hash 32KiB { fd1 fd0 } @ 0",
				 512, sizes),
			 -EINVAL);
	ck_assert_int_eq(resolve("size 2MiB\nLBA 0-1MiB -> hash 64KiB { fd0 3, fd1 1 }\n"
				 "LBA 1-2MiB -> hash 64KiB { fd1 1, fd0 3 } @ 0",
				 512, sizes),
			 -EINVAL);
	/* The first two chunks lie on the first leg */
	ck_assert_int_eq(resolve("size 2MiB\nLBA 1-2MiB -> hash 64KiB { fd0 fd1 } @ 0\n"
				 "LBA 0-128KiB -> fd1 @ 0\ndefault -> error EIO",
				 512, sizes),
			 0);
	/* Stripes of one chunk and as many legs are one map of the leg they share */
	ck_assert_int_eq(resolve("size 8TiB\nwrite fua -> stripe 4KiB { fd0 fd1 }\n"
				 "write -> stripe 4KiB { fd0 fd2 }\nread -> error EIO",
				 512, NULL),
			 0);
	ck_assert_int_eq(resolve("size 8TiB\nwrite fua -> stripe 4KiB { fd0 fd1 }\n"
				 "write -> stripe 4KiB { fd2 fd0 }\nread -> error EIO",
				 512, NULL),
			 -EINVAL);
	ck_assert_int_eq(resolve("size 8TiB\nwrite fua -> stripe 4KiB { fd0 fd1 }\n"
				 "write -> stripe 4KiB { fd0 fd2 fd3 }\nread -> error EIO",
				 512, NULL),
			 -EINVAL);
	/* Also if another leg of it comes first, and an offset makes up for that */
	ck_assert_int_eq(resolve("size 8TiB\nwrite fua LBA 0-4TiB -> stripe 4KiB { fd0 fd1 } @ 0\n"
				 "write LBA 0-4TiB -> stripe 4KiB { fd2 fd0 } @ 4KiB\n"
				 "default -> error EIO",
				 512, NULL),
			 0);
	/* Ranges that overlap in one rule are packed twice, the second copy is not reached */
	ck_assert_int_eq(resolve("size 2MiB\nLBA 0-1MiB, 0-2MiB -> fd0 @ 0", 512, sizes), 0);
}
END_TEST

START_TEST(unreachable_rules)
{
	ck_assert_int_eq(resolve("LBA 0-50% -> fd0\nLBA 10-20% -> fd0\ndefault -> fd0\nread -> fd0",
				 512, (__u64[]){ MIB }),
			 0);
	ck_assert_str_eq(messages,
			 "2 shadowed no request reaches this rule: the rule of line 1 matches "
			 "first\n4 shadowed no request reaches this rule: the rules of line 1 "
			 "and line 3 match first\n");
}
END_TEST

/* The messages of the compiler on a policy, but those on other checks */
static void shadowed_are(const char *text, const char *expected)
{
	const struct ublkpol_check_levels levels = {
		.off = ~(1U << UBLKPOL_CHECK_SHADOWED | 1U << UBLKPOL_CHECK_UNREACHABLE_RANGE)
	};

	has_compiler = true;
	ck_assert_int_eq(resolve_at(&levels, text, 512, (__u64[]){ MIB, MIB }), 0);
	has_compiler = false;
	ck_assert_msg(!strcmp(messages, expected), "%s\n%s", text, messages);
}

START_TEST(rules_behind_conditions)
{
	/* The earlier rule has to cover every LBA of the later one, and its condition */
	shadowed_are("LBA 0-50% size <= 4KiB -> fd0\nLBA 10-20% size < 4KiB -> fd0\ndefault -> fd0",
		     "2 shadowed no request reaches this rule: the rule of line 1 matches first\n");
	shadowed_are(
		"LBA 0-50% size <= 4KiB -> fd0\nLBA 10-60% size <= 4KiB -> fd0\ndefault -> fd0",
		"");
	shadowed_are(
		"LBA 0-50% size <= 4KiB -> fd0\nLBA 10-20% size <= 8KiB -> fd0\ndefault -> fd0",
		"");
	shadowed_are("LBA 0-50% size <= 4KiB -> fd0\nLBA 10-20%, 60-70% size <= 4KiB -> fd0\n"
		     "default -> fd0",
		     "2 unreachable-range nothing of this range reaches the rule: the rule of line "
		     "1 matches first\n");
	/* Two rules may share what a third one asks for */
	shadowed_are(
		"LBA 0-50% fua -> fd0\nLBA 50-100% fua -> fd0\nfua meta -> fd0\ndefault -> fd0",
		"3 shadowed no request reaches this rule: the rules of line 1 and line 2 "
		"match first\n");
	shadowed_are("read -> fd0\nwrite -> fd0\ndefault -> fd0",
		     "3 shadowed no request reaches this rule: the rules of line 1 and line 2 "
		     "match first\n");
	shadowed_are("LBA 0-10% -> fd0\nLBA 10-20% -> fd0\nLBA 20-30% -> fd0\n"
		     "LBA 30-90% -> fd0\nLBA 90-100% -> fd0\ndefault -> fd0",
		     "6 shadowed no request reaches this rule: the rules of line 1, line 2, "
		     "line 3 and line 4 ... match first\n");
	shadowed_are("read fua -> fd0\nfua -> fd0\nwrite fua -> fd0\ndefault -> fd0",
		     "3 shadowed no request reaches this rule: the rule of line 2 matches first\n");
	shadowed_are("read fua -> fd0\nfua -> fd0\ndefault -> fd0", "");
	shadowed_are("chance 1% -> fd0\nchance 1% -> fd0\nevery 2 -> fd0\nevery 2 -> fd0\n"
		     "default -> fd0",
		     "");
}
END_TEST

START_TEST(rules_behind_flushes)
{
	shadowed_are("flush meta -> fd0\nflush meta sync -> fd0\nflush -> fd0\ndefault -> fd0",
		     "2 shadowed no request reaches this rule: the rule of line 1 matches first\n");
	/* What one operation does not reach, another one may */
	shadowed_are("read -> fd0\nread, flush -> fd0\ndefault -> fd0", "");
	shadowed_are("flush -> fd0\nread, flush -> fd0\ndefault -> fd0", "");
	shadowed_are("flush -> fd0\nread -> fd0\nread, flush -> fd0\ndefault -> fd0",
		     "3 shadowed no request reaches this rule: the rule of line 2 matches first\n");
}
END_TEST

/* The rule that is in the way has an LBA of the one that it shadows */
START_TEST(rules_whose_lists_are_combined)
{
	shadowed_are("LBA 50-100% -> fd0\nnot LBA 0-50% -> fd0",
		     "2 shadowed no request reaches this rule: the rule of line 1 matches first\n");
	shadowed_are("set a { 0-10% }\nset b { 20-30% }\nLBA a LBA b -> fd0\ndefault -> fd0",
		     "3 shadowed no request reaches this rule: its LBA conditions hold for no "
		     "LBA\n");
	shadowed_are("LBA 5-50% -> fd0\nset a { 0-10% }\nset b { 5-30% }\nLBA a LBA b -> fd0\n"
		     "default -> fd0",
		     "4 shadowed no request reaches this rule: the rule of line 1 matches first\n");
}
END_TEST

/* What the compiler switched off, the loader does not look for */
START_TEST(checks_are_switched_in_the_object)
{
	const char *text = "read -> fd0\nwrite -> fd1\n";
	struct ublkpol_check_levels levels = checks_default();
	const __u64 sectors[] = { MIB, MIB };

	ck_assert_int_eq(resolve_at(&levels, text, 512, sectors), -EINVAL);
	levels.errors = 0;
	ck_assert_int_eq(resolve_at(&levels, text, 512, sectors), 0);
	ck_assert_ptr_nonnull(strstr(messages, "coherence"));
	levels.off = 1U << UBLKPOL_CHECK_COHERENCE | 1U << UBLKPOL_CHECK_ALIAS;
	ck_assert_int_eq(resolve_at(&levels, text, 512, sectors), 0);
	ck_assert_str_eq(messages, "");

	text = "size 2MiB\nLBA 0-2MiB -> fd0\n";
	ck_assert_int_eq(resolve_at(&levels, text, 512, sectors), 0);
	levels = checks_default();
	ck_assert_int_eq(resolve_at(&levels, text, 512, sectors), -EINVAL);
	levels.off = 1U << UBLKPOL_CHECK_OVERCOMMIT;
	ck_assert_int_eq(resolve_at(&levels, text, 512, sectors), 0);
	ck_assert_str_eq(messages, "");
}
END_TEST

/* One object fits devices with blocks of any size */
START_TEST(boundaries_are_rounded_to_blocks)
{
	const __u64 sectors[] = { MIB, MIB };

	ck_assert_int_eq(resolve("LBA 0-1001 -> fd0\nLBA 1001-end -> fd1\n", 4096, sectors), 0);
	segment_is(0, 0, 1000, 0, 0);
	segment_is(1, 1000, MIB, 0, 1);
	ck_assert_ptr_nonnull(strstr(messages, "1 unaligned 512512 bytes"));
	ck_assert_ptr_nonnull(strstr(messages, "2 unaligned 512512 bytes"));
}
END_TEST

START_TEST(many_ranges)
{
	size_t used;
	char *text = malloc(4U << 20);

	used = sprintf(text, "LBA 0-1");
	for (int i = 1; i < 100000; i++)
		used += sprintf(text + used, ", %d-%d", 2 * i, 2 * i + 1);
	sprintf(text + used, " -> fd0\ndefault -> fd1\n");
	ck_assert_int_eq(resolve(text, 512, (__u64[]){ 1U << 20, 1U << 20 }), 0);
	ck_assert_uint_eq(layout.nr_segments[UBLKPOL_DIR_READ], 200000);
	segment_is(199998, 199998, 199999, 0, 0);
	free(text);
}
END_TEST

START_TEST(nominal_size)
{
	bool is_nominal;

	unit_compile(&policy, "LBA 0-50% -> fd0\nLBA 1GiB-2GiB -> fd1");
	ck_assert_uint_eq(resolve_nominal_sectors(&policy.image, &is_nominal), 0);
	unit_free(&policy);
	unit_compile(&policy, "size 1GiB\nLBA 0-50% -> fd0\nLBA 1GiB-2GiB -> fd1");
	ck_assert_uint_eq(resolve_nominal_sectors(&policy.image, &is_nominal), 1024 * MIB);
	ck_assert(!is_nominal);
	unit_free(&policy);
	unit_compile(&policy, "LBA 0-50% -> fd0\nLBA 0-100% -> fd1");
	ck_assert_uint_gt(resolve_nominal_sectors(&policy.image, &is_nominal), 1024 * MIB);
	ck_assert(is_nominal);
	unit_free(&policy);
	unit_compile(&policy, "LBA 0-100% -> fd0\nLBA 1GiB-4000000TiB -> fd1");
	ck_assert_uint_gt(resolve_nominal_sectors(&policy.image, &is_nominal), 4000000ULL << 31);
	ck_assert(!is_nominal);
}
END_TEST

TCase *resolve_case(void)
{
	TCase *tcase = tcase_create("resolve");

	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_add_test(tcase, halves_of_any_size);
	tcase_add_test(tcase, percentages_round_down_to_the_block);
	tcase_add_test(tcase, percentages_of_large_devices_are_exact);
	tcase_add_test(tcase, empty_on_a_small_device);
	tcase_add_test(tcase, first_match_wins);
	tcase_add_test(tcase, gaps_are_segments_without_rule);
	tcase_add_test(tcase, packed_ranges);
	tcase_add_test(tcase, size_of_the_device);
	tcase_add_test(tcase, boundaries_must_be_whole_blocks);
	tcase_add_test(tcase, coherence);
	tcase_add_test(tcase, coherence_of_many_chunks);
	tcase_add_test(tcase, alias);
	tcase_add_test(tcase, unreachable_rules);
	tcase_add_test(tcase, rules_behind_conditions);
	tcase_add_test(tcase, rules_behind_flushes);
	tcase_add_test(tcase, rules_whose_lists_are_combined);
	tcase_add_test(tcase, checks_are_switched_in_the_object);
	tcase_add_test(tcase, boundaries_are_rounded_to_blocks);
	tcase_add_test(tcase, many_ranges);
	tcase_add_test(tcase, nominal_size);
	return tcase;
}

/* --- how many SQEs a request can need --- */

static void limits_are(const char *text, __u32 block, const __u64 *sectors, __u32 max_sectors,
		       __u32 max_items)
{
	ck_assert_int_eq(resolve(text, block, sectors), 0);
	ck_assert_msg(layout.max_sectors == max_sectors && layout.max_items == max_items,
		      "%s: %u sectors, %u items", text, layout.max_sectors, layout.max_items);
}

START_TEST(limits)
{
	const __u64 sizes[] = { 64 * MIB, 64 * MIB, 64 * MIB, 64 * MIB };

	limits_are("default -> fd0", 512, sizes, 2048, 1);
	/* Two flushes */
	limits_are("LBA 0-50% -> fd0\ndefault -> fd1", 512, sizes, 2048, 2);
	/* 16 chunks, and one more for a request that starts inside a chunk */
	limits_are("default -> stripe 64KiB { fd0 fd1 }", 512, sizes, 2048, 17);
	/* Whole blocks of a chunk: no request starts inside one */
	limits_are("default -> stripe 4KiB { fd0 fd1 }", 4096, sizes, 2048, 256);
	limits_are("default -> stripe 4KiB { fd0 fd1 }", 512, sizes, 1024, 129);
	limits_are("default -> stripe 512B { fd0 fd1 }", 512, sizes, 256, 256);
	/* The chunk of a mirror cuts what is read, and nothing that is written */
	limits_are("default -> mirror { fd0 fd1 fd2 } read by LBA 4KiB", 512, sizes, 1024, 129);
	limits_are("default -> mirror { fd0 fd1 fd2 } read by LBA 1MiB", 512, sizes, 2048, 3);
	/* A device smaller than a request */
	limits_are("size 20\ndefault -> stripe 3 { fd0 fd1 }", 512, sizes, 2048, 7);
	/* The stripe's phase comes from its position, not from the LBA */
	limits_are("size 64\nLBA 2-64 -> stripe 32 { fd0 fd1 } @ 31\ndefault -> fd2", 512, sizes,
		   2048, 4);
	limits_are("flush -> stripe 8 { fd0 fd1 fd2 }\ndefault -> fd3", 512, sizes, 2048, 3);
}
END_TEST

/* Items of all that can happen to the sectors of a segment from @first up to @last, counted one by
 * one */
static __u32 counted_inside(const struct ublkpol_segment *segment, int dir, __u64 first, __u64 last)
{
	unsigned int nr_choices = (unsigned int)__builtin_popcountll(segment->mask);
	__u32 worst = 0;

	for (unsigned int i = 0; i <= nr_choices; i++) {
		const struct ublkpol_choice *choice = &layout.choices[segment->first_choice + i];
		__u32 index = i < nr_choices ? choice->target : segment->target;
		__s64 delta = i < nr_choices ? choice->delta : segment->delta;
		const struct ublkpol_target *target = &policy.image.targets[index];
		bool is_mapped = index != UBLKPOL_NO_TARGET;
		__u32 items = 1, copies = 1;

		if (is_mapped && target->action == UBLKPOL_ACTION_MIRROR && dir)
			copies = target->nr_legs;
		for (__u64 lba = first + 1; is_mapped && copies == 1 && lba < last; lba++)
			items += target->chunk && (lba + (__u64)delta) % (target->chunk / 512) == 0;
		if (items * copies > worst)
			worst = items * copies;
	}
	return worst;
}

/* Of the request of @sectors, wherever it starts, that needs most of them */
static __u32 counted(__u64 sectors)
{
	__u32 block = layout.block / 512, worst = 0;

	for (int dir = 0; dir < UBLKPOL_NR_DIRS; dir++) {
		const struct ublkpol_segment *part =
			layout.segments + (dir ? layout.nr_segments[UBLKPOL_DIR_READ] : 0);

		for (__u64 first = 0; first < layout.dev_sectors; first += block) {
			__u64 last = first + sectors < layout.dev_sectors ? first + sectors
									  : layout.dev_sectors;
			__u32 items = 0;

			for (__u32 i = 0; i < layout.nr_segments[dir]; i++) {
				__u64 from = part[i].start > first ? part[i].start : first;
				__u64 to = part[i].end < last ? part[i].end : last;

				if (from < to)
					items += counted_inside(&part[i], dir, from, to);
			}
			worst = items > worst ? items : worst;
		}
	}
	return worst;
}

START_TEST(limits_are_those_of_the_worst_request)
{
	static const struct {
		__u32 block;
		const char *text;
	} cases[] = {
		{ 512, "LBA 0-50% -> stripe 3 { fd0 fd1 }\ndefault -> fd2" },
		{ 512, "LBA 100-101, 102-103, 104-777, 900-2000 -> stripe 5 { fd0 fd1 } @ 7\n"
		       "default -> stripe 8 { fd2 fd3 }" },
		{ 4096, "LBA 0-1200 -> mirror { fd0 fd1 fd2 }\nLBA 1200-1304 -> fd3\n"
			"default -> hash 16 { fd4 fd5 }" },
		{ 512, "LBA 64-1024 read size <= 4KiB -> stripe 8 { fd0 fd1 }\n"
		       "LBA 512-800 -> error EIO\nread meta -> zero\n"
		       "default -> stripe 8 { fd0 fd1 }" },
		{ 512, "LBA 10-20, 30-31, 32-33, 34-35, 36-37, 4999-5000 -> error EIO\n"
		       "default -> stripe 1000 { fd0 fd1 }" },
		{ 4096, "LBA 8-4504 read meta -> mirror { fd0 fd1 } read by LBA 24\n"
			"default -> mirror { fd0 fd1 } read by LBA 512" },
		{ 1024, "LBA 2-4504 write meta -> error EIO\nLBA 3000-3010 -> fd3\n"
			"default -> stripe 14 { fd0 fd1 }" },
	};
	const struct ublkpol_check_levels none = { .off = ~0U };
	const __u64 sizes[] = { 3 * MIB, 3 * MIB, 3 * MIB, 3 * MIB, 3 * MIB, 3 * MIB };
	char text[512];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		__u64 sectors;

		snprintf(text, sizeof(text), "size 5000\n%s", cases[i].text);
		ck_assert_int_eq(resolve_at(&none, text, cases[i].block, sizes), 0);
		ck_assert_msg(layout.max_items == counted(layout.max_sectors),
			      "%s: %u sectors, %u items, not %u", text, layout.max_sectors,
			      layout.max_items, counted(layout.max_sectors));
		ck_assert(layout.max_sectors == 2048 ||
			  counted(2ULL * layout.max_sectors) > UBLK_BPF_MAX_ITEMS);
		sectors = layout.max_discard_sectors;
		ck_assert_uint_le(counted(sectors), layout.max_items);
		ck_assert(sectors > layout.dev_sectors || counted(2 * sectors) > layout.max_items);
	}
}
END_TEST

/* A policy for a device that exists has to serve the discards that it takes */
START_TEST(limits_of_discards_that_were_promised)
{
	const __u64 sizes[] = { 64 * MIB, 64 * MIB };

	limits_are("default -> stripe 64KiB { fd0 fd1 }", 512, sizes, 2048, 17);
	ck_assert_uint_lt(layout.max_discard_sectors, 16384);
	promised_discard = 16384;
	/* 128 chunks, and one more for a discard that starts inside a chunk */
	limits_are("default -> stripe 64KiB { fd0 fd1 }", 512, sizes, 2048, 129);
	ck_assert_uint_eq(layout.max_discard_sectors, 16384);
	/* More than a plan can hold: what is possible, and the caller compares */
	promised_discard = 65536;
	limits_are("default -> stripe 64KiB { fd0 fd1 }", 512, sizes, 2048, 17);
	ck_assert_uint_lt(layout.max_discard_sectors, 65536);
	promised_discard = 0;
}
END_TEST

TCase *limits_case(void)
{
	TCase *tcase = tcase_create("limits");

	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_add_test(tcase, limits);
	tcase_add_test(tcase, limits_are_those_of_the_worst_request);
	tcase_add_test(tcase, limits_of_discards_that_were_promised);
	return tcase;
}
