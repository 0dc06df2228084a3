// SPDX-License-Identifier: GPL-2.0-only
/* The complete program of mirrors.ublkpol, as plain C: what becomes of items that fail */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/ublk_bpf.h>
#include <linux/ublk_cmd.h>

#include "resolve.h"
#include "ublkpol_native.h"
#include "unit.h"

#define SECTOR	     512U
#define MIB	     2048ULL /* sectors */
#define MAX_MIRRORS  8
#define MAX_COUNTERS 32

enum { A, B, C, D, E, ALONE, NR_BACKENDS }; /* slots, in the order of the declarations */

#define BIT(slot) (1ULL << (slot))

static struct unit_policy policy;
static struct resolve_layout layout;
static struct ublkpol_native env;
static struct ublkpol_mirror mirrors[MAX_MIRRORS];
static struct ublkpol_counters counters[MAX_COUNTERS];

/* --- a device --- */

static char *read_policy(const char *path)
{
	char *text = calloc(1, 4096);
	FILE *file = fopen(path, "r");

	ck_assert_msg(file, "%s: %s", path, strerror(errno));
	ck_assert_uint_lt(fread(text, 1, 4095, file), 4095);
	fclose(file);
	return text;
}

/* As the loader does it */
static void fill_tables(void)
{
	const struct ublkpol_segment *part = layout.segments;

	env = (struct ublkpol_native){
		.config = { .dev_sectors = layout.dev_sectors,
			    .nr_read_segments = layout.nr_segments[UBLKPOL_DIR_READ],
			    .nr_write_segments = layout.nr_segments[UBLKPOL_DIR_WRITE] },
		.search = layout.search,
		.segments = layout.segments,
		.nr_segments = layout.nr_segments[UBLKPOL_DIR_READ] +
			       layout.nr_segments[UBLKPOL_DIR_WRITE],
		.buckets = layout.buckets,
		.nr_buckets = layout.nr_buckets,
		.nodes = layout.nodes,
		.nr_nodes = layout.nr_nodes,
		.choices = layout.choices,
		.nr_choices = layout.nr_choices,
		.legs = policy.image.legs,
		.nr_legs = policy.image.header->nr_legs,
		.counters = counters,
		.nr_counters = policy.image.header->nr_rules + 1 + NR_BACKENDS,
		.mirrors = mirrors,
	};
	ck_assert_uint_le(env.nr_counters, MAX_COUNTERS);
	for (int dir = 0; dir < UBLKPOL_NR_DIRS; dir++) {
		ck_assert_uint_le(layout.nr_segments[dir], UBLKPOL_INLINE_SEGMENTS);
		memcpy(env.config.inlined[dir], part, layout.nr_segments[dir] * sizeof(*part));
		part += layout.nr_segments[dir];
	}
}

static void fill_mirrors(void)
{
	memset(mirrors, 0, sizeof(mirrors));
	for (__u32 i = 0; i < policy.image.header->nr_targets; i++) {
		const struct ublkpol_target *target = &policy.image.targets[i];

		if (target->action != UBLKPOL_ACTION_MIRROR)
			continue;
		ck_assert_uint_lt(target->mirror, MAX_MIRRORS);
		for (__u32 leg = 0; leg < target->nr_legs; leg++)
			mirrors[target->mirror].legs |=
				BIT(policy.image.legs[target->first_leg + leg]);
	}
}

static void setup(void)
{
	static const __u64 sectors[NR_BACKENDS] = { 64 * MIB, 64 * MIB, 64 * MIB,
						    64 * MIB, 64 * MIB, 64 * MIB };
	struct resolve_input input = { .backend_sectors = sectors, .block = 512 };
	char *text = read_policy("tests/unit/mirrors.ublkpol");

	unit_compile(&policy, text);
	free(text);
	ck_assert_int_eq(policy.diag.nr_errors, 0);
	ck_assert_uint_eq(policy.image.header->nr_backends, NR_BACKENDS);
	input.image = &policy.image;
	ck_assert_int_eq(resolve_policy(&input, &layout), 0);
	fill_tables();
	fill_mirrors();
}

static void teardown(void)
{
	resolve_free(&layout);
	unit_free(&policy);
}

/* The mirror of these legs */
static struct ublkpol_mirror *mirror_of(__u64 legs)
{
	for (int i = 0; i < MAX_MIRRORS; i++) {
		if (mirrors[i].legs == legs)
			return &mirrors[i];
	}
	ck_abort_msg("no mirror has these legs");
}

/* --- one item that fails --- */

static struct ublk_bpf_complete_ctx item(__u32 op, __u32 opcode, __u64 sector, __u32 slot)
{
	return (struct ublk_bpf_complete_ctx){
		.rq = { .op = op, .start_sector = sector, .nr_sectors = 16 },
		.item_off = sector * SECTOR,
		.item_len = 16 * SECTOR,
		.item_result = -EREMOTEIO,
		.item_slot = slot,
		.item_opcode = opcode,
		.attempt = 1,
	};
}

static struct ublk_bpf_complete_ctx failed_read(__u64 sector, __u32 slot)
{
	return item(UBLK_IO_OP_READ, IORING_OP_READ, sector, slot);
}

static struct ublk_bpf_complete_ctx failed_write(__u64 sector, __u32 slot)
{
	return item(UBLK_IO_OP_WRITE, IORING_OP_WRITE, sector, slot);
}

static struct ublk_bpf_complete_ctx failed_flush(__u32 slot)
{
	struct ublk_bpf_complete_ctx ctx = item(UBLK_IO_OP_FLUSH, IORING_OP_FSYNC, 0, slot);

	ctx.rq.nr_sectors = 0;
	ctx.item_len = 0;
	return ctx;
}

static int complete(const struct ublk_bpf_complete_ctx *ctx)
{
	env.plan.nr_items = 0;
	return ublkpol_complete_native(&env, ctx);
}

/* What of the item is tried again, and where; else what becomes of it */
static void retried_is(struct ublk_bpf_complete_ctx ctx, __u32 slot)
{
	const struct ublkpol_counters *counter =
		&counters[policy.image.header->nr_rules + 1 + slot];
	const struct ublkpol_plan_item *retried = &env.plan.items[0];
	__u64 before = counter->requests[UBLKPOL_COUNT_READ];

	ck_assert_int_eq(complete(&ctx), UBLK_BPF_SUBMIT);
	ck_assert_uint_eq(env.plan.nr_items, 1);
	ck_assert_uint_eq(retried->slot, slot);
	ck_assert_uint_eq(retried->sqe.opcode, IORING_OP_READ);
	ck_assert_uint_eq(retried->sqe.off, ctx.item_off);
	ck_assert_uint_eq(retried->sqe.addr, ctx.item_addr);
	ck_assert_uint_eq(retried->sqe.len, ctx.item_len);
	ck_assert_uint_eq(counter->requests[UBLKPOL_COUNT_READ], before + 1);
}

static void settled_is(struct ublk_bpf_complete_ctx ctx, int verdict)
{
	ck_assert_int_eq(complete(&ctx), verdict);
	ck_assert_uint_eq(env.plan.nr_items, 0);
}

START_TEST(reads_go_to_the_next_leg)
{
	struct ublk_bpf_complete_ctx ctx = failed_read(8, A);

	/* What is left of the item, not all of it */
	ctx.item_off += 4096;
	ctx.item_addr = 4096;
	ctx.item_len = 512;
	retried_is(ctx, B);
	retried_is(failed_read(16 * MIB, C), D);
	retried_is(failed_read(16 * MIB, D), E);
	/* Behind the last leg comes the first one */
	retried_is(failed_read(16 * MIB, E), C);
	/* To read is no damage */
	ck_assert_uint_eq(mirror_of(BIT(A) | BIT(B))->failed, 0);
	ck_assert_uint_eq(mirror_of(BIT(A) | BIT(B))->read_errors[A], 1);
	ck_assert_uint_eq(mirror_of(BIT(C) | BIT(D) | BIT(E))->read_errors[E], 1);
}
END_TEST

START_TEST(reads_end_when_each_leg_has_had_its_turn)
{
	struct ublk_bpf_complete_ctx ctx = failed_read(16 * MIB, C);

	ctx.attempt = 2;
	retried_is(ctx, D);
	ctx.attempt = 3;
	settled_is(ctx, -EREMOTEIO);
	ctx = failed_read(0, B);
	ctx.attempt = 2;
	settled_is(ctx, -EREMOTEIO);
}
END_TEST

START_TEST(reads_avoid_legs_that_failed)
{
	struct ublkpol_mirror *mirror = mirror_of(BIT(C) | BIT(D) | BIT(E));

	mirror->failed = BIT(D);
	retried_is(failed_read(16 * MIB, C), E);
	retried_is(failed_read(16 * MIB, E), C);
	/* The read began before its leg failed */
	retried_is(failed_read(16 * MIB, D), E);
	mirror->failed = BIT(D) | BIT(E);
	settled_is(failed_read(16 * MIB, C), -EREMOTEIO);
}
END_TEST

/* The part of a request that failed says which mirror it belongs to */
START_TEST(parts_of_one_request)
{
	struct ublk_bpf_complete_ctx ctx = failed_read(16 * MIB - 8, B);

	retried_is(ctx, A);
	ctx.item_slot = C;
	ctx.item_off = 16 * MIB * SECTOR;
	ctx.item_addr = 8 * SECTOR;
	ctx.item_len = 8 * SECTOR;
	retried_is(ctx, D);
	ctx = failed_read(48 * MIB - 8, ALONE);
	settled_is(ctx, -EREMOTEIO);
	ctx.item_addr = 8 * SECTOR;
	retried_is(ctx, B);
}
END_TEST

START_TEST(writes_without_degrade_fail)
{
	struct ublkpol_mirror *mirror = mirror_of(BIT(A) | BIT(B));

	settled_is(failed_write(0, A), -EREMOTEIO);
	ck_assert_uint_eq(mirror->failed, BIT(A));
	ck_assert_uint_eq(mirror->write_errors[A], 1);
	/* The last leg stays, whatever it is worth */
	settled_is(failed_write(0, B), -EREMOTEIO);
	ck_assert_uint_eq(mirror->failed, BIT(A));
	ck_assert_uint_eq(mirror->write_errors[B], 1);
}
END_TEST

START_TEST(writes_with_degrade_are_done_while_a_leg_is_left)
{
	struct ublkpol_mirror *mirror = mirror_of(BIT(C) | BIT(D) | BIT(E));

	settled_is(failed_write(16 * MIB, D), UBLK_BPF_SETTLE);
	ck_assert_uint_eq(mirror->failed, BIT(D));
	/* Another write that had begun */
	settled_is(failed_write(17 * MIB, D), UBLK_BPF_SETTLE);
	ck_assert_uint_eq(mirror->write_errors[D], 2);
	settled_is(item(UBLK_IO_OP_DISCARD, IORING_OP_FALLOCATE, 16 * MIB, C), UBLK_BPF_SETTLE);
	ck_assert_uint_eq(mirror->failed, BIT(C) | BIT(D));
	settled_is(item(UBLK_IO_OP_WRITE_ZEROES, IORING_OP_FALLOCATE, 16 * MIB, E), -EREMOTEIO);
	ck_assert_uint_eq(mirror->failed, BIT(C) | BIT(D));
	/* Mirrors do not speak for each other */
	ck_assert_uint_eq(mirror_of(BIT(ALONE) | BIT(B))->failed, 0);
}
END_TEST

START_TEST(legs_that_are_not_in_sync_are_no_help)
{
	struct ublkpol_mirror *mirror = mirror_of(BIT(C) | BIT(D) | BIT(E));

	mirror->unsynced = BIT(D);
	retried_is(failed_read(16 * MIB, C), E);
	settled_is(failed_write(16 * MIB, E), UBLK_BPF_SETTLE);
	settled_is(failed_read(16 * MIB, C), -EREMOTEIO);
	/* C is the last one that can be read */
	settled_is(failed_write(16 * MIB, C), -EREMOTEIO);
	ck_assert_uint_eq(mirror->failed, BIT(E));
	/* They fail as others do */
	settled_is(failed_write(16 * MIB, D), UBLK_BPF_SETTLE);
	ck_assert_uint_eq(mirror->failed, BIT(D) | BIT(E));
}
END_TEST

START_TEST(what_has_no_copy_fails)
{
	settled_is(failed_read(32 * MIB, ALONE), -EREMOTEIO);
	settled_is(failed_write(32 * MIB, ALONE), -EREMOTEIO);
	ck_assert_uint_eq(mirror_of(BIT(ALONE) | BIT(B))->failed, 0);
	/* A leg that is none of this mirror's */
	settled_is(failed_write(16 * MIB, A), -EREMOTEIO);
	ck_assert_uint_eq(mirror_of(BIT(C) | BIT(D) | BIT(E))->failed, 0);
}
END_TEST

START_TEST(flushes_count_for_each_mirror_of_the_leg)
{
	/* Some of its data has no copy, and what has is not read there any more */
	settled_is(failed_flush(ALONE), -EREMOTEIO);
	ck_assert_uint_eq(mirror_of(BIT(ALONE) | BIT(B))->failed, BIT(ALONE));
	mirror_of(BIT(ALONE) | BIT(B))->failed = 0;
	settled_is(failed_flush(C), UBLK_BPF_SETTLE);
	ck_assert_uint_eq(mirror_of(BIT(C) | BIT(D) | BIT(E))->failed, BIT(C));
	/* One of its mirrors may degrade, the other one may not */
	settled_is(failed_flush(B), -EREMOTEIO);
	ck_assert_uint_eq(mirror_of(BIT(A) | BIT(B))->failed, BIT(B));
	ck_assert_uint_eq(mirror_of(BIT(ALONE) | BIT(B))->failed, BIT(B));
}
END_TEST

START_TEST(nonsense_is_an_error)
{
	struct ublk_bpf_complete_ctx ctx = failed_read(0, 64);

	settled_is(ctx, -EREMOTEIO);
	ctx = failed_read(64 * MIB, A);
	settled_is(ctx, -EREMOTEIO);
	ctx = failed_read(64 * MIB - 8, ALONE);
	ctx.item_addr = 8 * SECTOR;
	settled_is(ctx, -EREMOTEIO);
	ctx = failed_write(0, A);
	ctx.item_result = 17;
	settled_is(ctx, -EIO);
	ctx.item_result = -4096;
	settled_is(ctx, -EIO);
	/* Before the loader has filled them in, a mirror has no legs */
	memset(mirrors, 0, sizeof(mirrors));
	settled_is(failed_read(0, A), -EREMOTEIO);
	settled_is(failed_write(0, A), -EREMOTEIO);
	/* The plan has no room */
	fill_mirrors();
	env.plan.nr_items = UBLK_BPF_MAX_ITEMS;
	ctx = failed_read(0, A);
	ck_assert_int_eq(ublkpol_complete_native(&env, &ctx), -EREMOTEIO);
}
END_TEST

/* --- whole requests, through both programs --- */

struct request {
	__u32 op;
	__u64 sector;
	__u64 broken; /* bit s: slot s fails whatever it gets */
	__u64 reached; /* out: the slots that did something */
	unsigned int tries; /* out: items that were submitted */
};

static bool is_done(struct request *request, const struct ublkpol_plan_item *tried)
{
	request->tries++;
	if (request->broken >> tried->slot & 1)
		return false;
	request->reached |= BIT(tried->slot);
	return true;
}

/* As the kernel does it: what failed is tried again until it is settled; the first error stands */
static int finish(struct request *request, const struct ublk_bpf_ctx *rq,
		  struct ublkpol_plan_item tried)
{
	for (__u32 attempt = 1; !is_done(request, &tried); attempt++) {
		const struct ublk_bpf_complete_ctx ctx = {
			.rq = *rq,
			.item_off = tried.sqe.off,
			.item_addr = (__u32)tried.sqe.addr,
			.item_len = tried.sqe.len,
			.item_result = -EIO,
			.item_slot = tried.slot,
			.item_opcode = tried.sqe.opcode,
			.attempt = attempt,
		};
		int verdict = complete(&ctx);

		ck_assert_uint_lt(attempt, UBLK_BPF_MAX_ATTEMPTS);
		if (verdict)
			return verdict == UBLK_BPF_SETTLE ? 0 : verdict;
		ck_assert_uint_eq(env.plan.nr_items, 1);
		tried = env.plan.items[0];
	}
	return 0;
}

static int run(struct request *request)
{
	const struct ublk_bpf_ctx rq = { .op = request->op,
					 .start_sector = request->sector,
					 .nr_sectors = request->op == UBLK_IO_OP_FLUSH ? 0 : 16 };
	struct ublkpol_plan plan;
	int result = 0;

	env.plan.nr_items = 0;
	ck_assert_int_eq(ublkpol_route_native(&env, &rq), UBLK_BPF_SUBMIT);
	plan = env.plan;
	request->reached = 0;
	request->tries = 0;
	for (__u32 i = 0; i < plan.nr_items; i++) {
		int verdict = finish(request, &rq, plan.items[i]);

		result = result ? result : verdict;
	}
	return result;
}

/* A read succeeds as long as a leg is whole and good, and then it is what it read */
START_TEST(reads_find_the_leg_that_works)
{
	const __u64 all = BIT(C) | BIT(D) | BIT(E);
	struct ublkpol_mirror *mirror = mirror_of(all);

	for (__u64 broken = 0; broken <= all; broken = (broken - all) & all) {
		for (__u64 failed = 0; failed != all; failed = (failed - all) & all) {
			struct request read = { .op = UBLK_IO_OP_READ,
						.sector = 20 * MIB,
						.broken = broken };
			__u64 whole = all & ~broken & ~failed;
			int result;

			mirror->failed = failed;
			result = run(&read);
			ck_assert_int_eq(result, whole ? 0 : -EIO);
			ck_assert_uint_eq(read.reached & ~whole, 0);
			ck_assert_uint_eq(__builtin_popcountll(read.reached), whole ? 1 : 0);
			ck_assert_uint_le(read.tries, 3);
			ck_assert_uint_eq(mirror->failed, failed);
		}
		if (broken == all)
			break;
	}
}
END_TEST

/* Where a read of @sectors from @sector goes: slot and offset in sectors */
static void read_goes_to(__u64 sector, __u32 sectors, __u32 slot, __u64 position)
{
	const struct ublk_bpf_ctx rq = { .op = UBLK_IO_OP_READ,
					 .start_sector = sector,
					 .nr_sectors = sectors };

	env.plan.nr_items = 0;
	ck_assert_int_eq(ublkpol_route_native(&env, &rq), UBLK_BPF_SUBMIT);
	ck_assert_uint_eq(env.plan.nr_items, 1);
	ck_assert_uint_eq(env.plan.items[0].slot, slot);
	ck_assert_uint_eq(env.plan.items[0].sqe.off, position * SECTOR);
}

/* The boundary of a rule that does not match is none to the rule that does */
START_TEST(stretches_are_counted_once)
{
	const struct ublk_bpf_ctx rq = { .op = UBLK_IO_OP_READ,
					 .start_sector = 40 * MIB - 8,
					 .nr_sectors = 16 };
	const struct ublkpol_counters *alone = NULL;

	for (__u32 i = 0; i < policy.image.header->nr_rules; i++) {
		if (policy_image_rule_legs(&policy.image, i) == BIT(ALONE))
			alone = &counters[i];
	}
	ck_assert_ptr_nonnull(alone);
	memset(counters, 0, sizeof(counters));
	env.plan.nr_items = 0;
	ck_assert_int_eq(ublkpol_route_native(&env, &rq), UBLK_BPF_SUBMIT);
	ck_assert_uint_eq(env.plan.nr_items, 2);
	ck_assert_uint_eq(alone->requests[UBLKPOL_COUNT_READ], 1);
	ck_assert_uint_eq(alone->bytes[UBLKPOL_COUNT_READ], 16 * SECTOR);
}
END_TEST

/* What nobody writes may be read from a mirror or past it: each read from where its rule says */
START_TEST(mirrors_that_are_only_read)
{
	struct ublkpol_mirror *mirror = mirror_of(BIT(A) | BIT(B));

	read_goes_to(56 * MIB, 16, A, 16 * MIB);
	read_goes_to(56 * MIB, 32, A, 20 * MIB);
	mirror->failed = BIT(A);
	read_goes_to(56 * MIB, 16, A, 16 * MIB);
	read_goes_to(56 * MIB, 32, B, 20 * MIB);
	read_goes_to(60 * MIB, 16, B, 24 * MIB);
	mirror->failed = 0;
	/* Which of the two reads this was is not known */
	settled_is(failed_read(56 * MIB, A), -EREMOTEIO);
	retried_is(failed_read(60 * MIB, A), B);
}
END_TEST

/* What was acknowledged is on a leg that reads use, and legs that missed a write are not used */
START_TEST(legs_that_missed_a_write_stay_away)
{
	struct request write = { .op = UBLK_IO_OP_WRITE, .sector = 20 * MIB, .broken = BIT(C) };
	struct request read = { .op = UBLK_IO_OP_READ, .sector = 20 * MIB };

	ck_assert_int_eq(run(&write), 0);
	ck_assert_uint_eq(write.reached, BIT(D) | BIT(E));
	/* It works again, but not for this mirror */
	write.broken = 0;
	ck_assert_int_eq(run(&write), 0);
	ck_assert_uint_eq(write.reached, BIT(D) | BIT(E));
	ck_assert_uint_eq(write.tries, 2);
	ck_assert_int_eq(run(&read), 0);
	ck_assert_uint_eq(read.reached, BIT(D));
	read.broken = BIT(D);
	ck_assert_int_eq(run(&read), 0);
	ck_assert_uint_eq(read.reached, BIT(E));

	/* All legs that are left at once: one of them stays, and the write fails */
	write.broken = BIT(D) | BIT(E);
	ck_assert_int_eq(run(&write), -EIO);
	ck_assert_int_eq(__builtin_popcountll(mirror_of(BIT(C) | BIT(D) | BIT(E))->failed), 2);
}
END_TEST

/* One part of a request fails for good, the other one is tried again all the same */
START_TEST(parts_fail_alone)
{
	struct request read = { .op = UBLK_IO_OP_READ,
				.sector = 16 * MIB - 8,
				.broken = BIT(A) | BIT(C) };
	struct request flush = { .op = UBLK_IO_OP_FLUSH };

	ck_assert_int_eq(run(&read), 0);
	ck_assert_uint_eq(read.reached, BIT(B) | BIT(D));
	ck_assert_uint_eq(read.tries, 4);
	read.broken = BIT(A) | BIT(B) | BIT(C);
	ck_assert_int_eq(run(&read), -EIO);
	ck_assert_uint_eq(read.reached, BIT(D));

	ck_assert_int_eq(run(&flush), 0);
	ck_assert_uint_eq(flush.reached, BIT(NR_BACKENDS) - 1);
	flush.broken = BIT(D);
	ck_assert_int_eq(run(&flush), 0);
	ck_assert_int_eq(run(&flush), 0);
	flush.broken = BIT(A);
	ck_assert_int_eq(run(&flush), -EIO);
}
END_TEST

TCase *complete_case(void)
{
	TCase *tcase = tcase_create("complete");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, reads_go_to_the_next_leg);
	tcase_add_test(tcase, reads_end_when_each_leg_has_had_its_turn);
	tcase_add_test(tcase, reads_avoid_legs_that_failed);
	tcase_add_test(tcase, parts_of_one_request);
	tcase_add_test(tcase, writes_without_degrade_fail);
	tcase_add_test(tcase, writes_with_degrade_are_done_while_a_leg_is_left);
	tcase_add_test(tcase, legs_that_are_not_in_sync_are_no_help);
	tcase_add_test(tcase, what_has_no_copy_fails);
	tcase_add_test(tcase, flushes_count_for_each_mirror_of_the_leg);
	tcase_add_test(tcase, nonsense_is_an_error);
	tcase_add_test(tcase, reads_find_the_leg_that_works);
	tcase_add_test(tcase, stretches_are_counted_once);
	tcase_add_test(tcase, mirrors_that_are_only_read);
	tcase_add_test(tcase, legs_that_missed_a_write_stay_away);
	tcase_add_test(tcase, parts_fail_alone);
	return tcase;
}
