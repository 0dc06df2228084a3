// SPDX-License-Identifier: GPL-2.0-only
/* Random requests, and whether the programs do with them what the interpreter says */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/falloc.h>
#include <linux/ublk_cmd.h>

#include "trial.h"

#define SECTOR 512U

/* Bytes and requests by rule and by backend that the counters must have gained */
struct expected_counters {
	uint64_t (*rule_bytes)[UBLKPOL_NR_OPS];
	uint64_t backend_requests[64][UBLKPOL_NR_OPS];
	uint64_t backend_bytes[64][UBLKPOL_NR_OPS];
};

/* A request and what the interpreter says of it */
struct decision {
	struct interpret_request request;
	struct ublk_bpf_ctx ctx;
	struct ublkpol_inputs inputs;
	int verdict;
	struct interpret_place places[TRIAL_MAX_SECTORS];
	uint64_t done[TRIAL_MAX_SECTORS]; /* of each sector, bit c: copy c is in the plan */
};

static int complain_of(struct trial *trial, const struct router *router,
		       const struct decision *decision, const char *what)
{
	const struct interpret_request *rq = &decision->request;

	return trial_complain(trial,
			      "%s: op %u, %u sectors at %llu, flags %x, ioprio %x, queue %u, cpu "
			      "%u, random %x: %s",
			      router->name, rq->op, rq->sectors, (unsigned long long)rq->sector,
			      rq->flags, rq->ioprio, rq->queue, rq->cpu, rq->random, what);
}

static unsigned int counter_of(unsigned int op)
{
	switch (op) {
	case UBLK_IO_OP_READ:
		return UBLKPOL_COUNT_READ;
	case UBLK_IO_OP_WRITE:
		return UBLKPOL_COUNT_WRITE;
	case UBLK_IO_OP_FLUSH:
		return UBLKPOL_COUNT_FLUSH;
	case UBLK_IO_OP_DISCARD:
		return UBLKPOL_COUNT_DISCARD;
	default:
		return UBLKPOL_COUNT_WRITE_ZEROES;
	}
}

/* --- requests --- */

static unsigned int draw_flags(void)
{
	static const unsigned int flags[] = {
		UBLK_IO_F_FUA,
		UBLK_IO_F_META,
		UBLK_IO_F_SYNC,
		UBLK_IO_F_RAHEAD,
		UBLK_IO_F_SWAP,
		UBLK_IO_F_NOUNMAP,
		UBLK_IO_F_IDLE,
		UBLK_IO_F_FAILFAST_DEV,
		UBLK_IO_F_FAILFAST_TRANSPORT,
		UBLK_IO_F_FAILFAST_DRIVER,
	};
	unsigned int result = 0;

	while (random_chance(40))
		result |= flags[random_below(sizeof(flags) / sizeof(flags[0]))];
	return result;
}

static void draw_circumstances(struct decision *decision)
{
	struct interpret_request *rq = &decision->request;

	rq->flags = draw_flags();
	rq->ioprio = random_chance(40) ? random_below(4) << 13 | random_below(8) : 0;
	rq->queue = random_below(5);
	rq->cpu = random_below(7);
	rq->random =
		random_chance(10) ? (random_chance(50) ? 0 : UINT32_MAX) : random_below(1ULL << 32);
	decision->ctx = (struct ublk_bpf_ctx){
		.start_sector = rq->sector,
		.nr_sectors = rq->sectors,
		.op = rq->op,
		.flags = rq->flags,
		.q_id = rq->queue,
		.ioprio = rq->ioprio,
		.cpu = rq->cpu,
	};
	decision->inputs = (struct ublkpol_inputs){ .now = 1000000000 };
	for (unsigned int i = 0; i < UBLKPOL_NR_RANDOM; i++)
		decision->inputs.random[i] = rq->random;
}

static void draw_request(const struct trial *trial, struct decision *decision)
{
	static const unsigned int ops[] = {
		UBLK_IO_OP_READ,    UBLK_IO_OP_READ,	     UBLK_IO_OP_READ,  UBLK_IO_OP_WRITE,
		UBLK_IO_OP_WRITE,   UBLK_IO_OP_WRITE,	     UBLK_IO_OP_WRITE, UBLK_IO_OP_DISCARD,
		UBLK_IO_OP_DISCARD, UBLK_IO_OP_WRITE_ZEROES,
	};
	const struct policy_geometry *geometry = policy_object_geometry(trial->object);
	struct interpret_request *rq = &decision->request;
	uint64_t block = trial->drawn.block;
	uint64_t blocks = geometry->dev_sectors / block;
	uint64_t first = random_below(blocks);
	uint64_t most = geometry->max_sectors / block;

	if (most > TRIAL_MAX_SECTORS / block)
		most = TRIAL_MAX_SECTORS / block;
	if (most > blocks - first)
		most = blocks - first;
	if (most > 16 && random_chance(90))
		most = 16;
	*rq = (struct interpret_request){
		.op = ops[random_below(10)],
		.sector = first * block,
		.sectors = (1 + random_below(most)) * block,
	};
	draw_circumstances(decision);
}

/* --- the plan --- */

/* Is this leg of the policy where the item goes? */
static int find_copy(const struct trial *trial, const struct interpret_place *place,
		     const struct ublkpol_plan_item *item, uint64_t sector)
{
	if (place->sector != sector)
		return -1;
	for (unsigned int i = 0; i < place->nr_copies; i++) {
		if (trial->slots[place->backends[i]] == (int)item->slot)
			return i;
	}
	return -1;
}

static const char *check_sector(const struct trial *trial, struct decision *decision,
				const struct ublkpol_plan_item *item, uint32_t index,
				uint64_t backend_sector)
{
	const struct interpret_place *place = &decision->places[index];
	bool is_nothing = item->sqe.opcode == IORING_OP_NOP;
	int copy = 0;

	if (is_nothing != (place->kind != INTERPRET_DATA))
		return "data where none belongs, or none where some does";
	if (!is_nothing)
		copy = find_copy(trial, place, item, backend_sector);
	if (copy < 0)
		return "a part goes to a wrong place";
	if (decision->done[index] & 1ULL << copy)
		return "a part is done twice";
	decision->done[index] |= 1ULL << copy;
	return NULL;
}

static unsigned int opcode_of(unsigned int op)
{
	if (op == UBLK_IO_OP_READ)
		return IORING_OP_READ;
	return op == UBLK_IO_OP_WRITE ? IORING_OP_WRITE : IORING_OP_FALLOCATE;
}

/* Bytes of the request that the item serves, from @payload on; 0: the item is malformed */
static uint64_t item_length(const struct decision *decision, const struct ublkpol_plan_item *item,
			    uint64_t *payload)
{
	const struct io_uring_sqe *sqe = &item->sqe;
	unsigned int op = decision->request.op;
	__u32 punch = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE;

	*payload = sqe->addr;
	if (sqe->opcode == IORING_OP_NOP) {
		__u32 slot = op == UBLK_IO_OP_READ ? UBLK_BPF_FD_ZERO : UBLK_BPF_FD_DROP;

		return item->slot == slot ? sqe->len : 0;
	}
	if (sqe->opcode != opcode_of(op))
		return 0;
	if (sqe->opcode != IORING_OP_FALLOCATE)
		return sqe->len;
	if (op == UBLK_IO_OP_WRITE_ZEROES && decision->request.flags & UBLK_IO_F_NOUNMAP)
		punch = FALLOC_FL_KEEP_SIZE | FALLOC_FL_ZERO_RANGE;
	*payload = sqe->user_data;
	return sqe->len == punch ? sqe->addr : 0;
}

static const char *check_item(const struct trial *trial, struct decision *decision,
			      const struct ublkpol_plan_item *item)
{
	uint64_t payload, length = item_length(decision, item, &payload);
	uint64_t end = (uint64_t)decision->request.sectors * SECTOR;

	if (!length || (payload | length | item->sqe.off) % SECTOR || payload > end ||
	    length > end - payload)
		return "a malformed item";
	for (uint64_t byte = 0; byte < length; byte += SECTOR) {
		const char *what = check_sector(trial, decision, item, (payload + byte) / SECTOR,
						(item->sqe.off + byte) / SECTOR);

		if (what)
			return what;
	}
	return NULL;
}

/* A read is done once, wherever; a write goes to each copy */
static bool is_covered(const struct decision *decision)
{
	for (uint32_t i = 0; i < decision->request.sectors; i++) {
		const struct interpret_place *place = &decision->places[i];
		uint64_t all = place->kind == INTERPRET_DATA ? ~0ULL >> (64 - place->nr_copies) : 1;

		if (decision->request.op == UBLK_IO_OP_READ
			    ? __builtin_popcountll(decision->done[i]) != 1
			    : decision->done[i] != all)
			return false;
	}
	return true;
}

/* The longest delay of the rules that serve it; more only if there is a limit */
static const char *check_hold(const struct trial *trial, const struct decision *decision,
			      uint64_t hold)
{
	uint64_t delay = 0;
	bool is_limited = false;

	for (uint32_t i = 0; i < decision->request.sectors; i++) {
		int rule = decision->places[i].rule;

		if (i && rule == decision->places[i - 1].rule)
			continue;
		for (const struct ast_modifier *m = trial->in.rules[rule]->modifiers; m;
		     m = m->next) {
			if (m->kind == AST_MODIFIER_LIMIT)
				is_limited = true;
			if (m->kind == AST_MODIFIER_DELAY &&
			    interpret_value(&trial->in, &m->value) > delay)
				delay = interpret_value(&trial->in, &m->value);
		}
	}
	if (hold < delay || (hold > delay && !is_limited))
		return "it is held for a wrong time";
	return NULL;
}

static const char *check_plan(const struct trial *trial, struct decision *decision,
			      const struct ublkpol_plan *plan)
{
	uint64_t hold = 0;

	if (plan->nr_items > policy_object_geometry(trial->object)->max_items)
		return "more items than the device has room for";
	memset(decision->done, 0, decision->request.sectors * sizeof(decision->done[0]));
	for (unsigned int i = 0; i < plan->nr_items; i++) {
		const struct ublkpol_plan_item *item = &plan->items[i];
		const char *what;

		if (item->slot == (__u32)UBLK_BPF_FD_HOLD &&
		    item->sqe.opcode == IORING_OP_TIMEOUT && !hold) {
			hold = item->sqe.off;
			continue;
		}
		what = check_item(trial, decision, item);
		if (what)
			return what;
	}
	if (!is_covered(decision))
		return "a part is missing";
	return check_hold(trial, decision, hold);
}

static int compare_plans(struct trial *trial, const struct decision *decision)
{
	const struct ublkpol_plan *a = &trial->routers[0].plan, *b = &trial->routers[1].plan;

	if (a->nr_items != b->nr_items ||
	    memcmp(a->items, b->items, a->nr_items * sizeof(a->items[0])))
		return complain_of(trial, &trial->routers[1], decision,
				   "another plan than in the kernel");
	return 0;
}

/* --- one request --- */

static int run_routers(struct trial *trial, struct decision *decision)
{
	char text[64];

	for (unsigned int i = 0; i < trial->nr_routers; i++) {
		struct router *router = &trial->routers[i];
		int verdict = router_run(router, &decision->ctx, &decision->inputs);
		const char *what = NULL;

		if (verdict != decision->verdict) {
			snprintf(text, sizeof(text), "returns %d, expected %d", verdict,
				 decision->verdict);
			what = text;
		} else if (verdict == UBLK_BPF_SUBMIT && decision->request.sectors) {
			what = check_plan(trial, decision, &router->plan);
		}
		if (what)
			return complain_of(trial, router, decision, what);
	}
	return decision->verdict == UBLK_BPF_SUBMIT ? compare_plans(trial, decision) : 0;
}

/* What no request reaches, says the compiler, does this one reach it? */
static int check_shadowed(struct trial *trial, const struct decision *decision)
{
	for (uint32_t i = 0; i < decision->request.sectors; i++) {
		const struct interpret_place *place = &decision->places[i];

		if (place->rule >= 0 && trial->front.is_shadowed[place->rule])
			return trial_complain(trial, "rule %d of %s is not shadowed", place->rule,
					      trial->front.source.name);
		if (place->kind == INTERPRET_ERROR)
			break;
	}
	return 0;
}

static int try_request(struct trial *trial, struct decision *decision)
{
	draw_request(trial, decision);
	decision->verdict = interpret_request(&trial->in, &decision->request, decision->places);
	if (check_shadowed(trial, decision) || run_routers(trial, decision))
		return -1;
	trial->nr_decisions++;
	trial->nr_refused += decision->verdict != UBLK_BPF_SUBMIT;
	trial->nr_split +=
		decision->verdict == UBLK_BPF_SUBMIT && trial->routers[0].plan.nr_items > 1;
	return 0;
}

static int try_flush(struct trial *trial, struct decision *decision)
{
	uint64_t backends, found;

	decision->request = (struct interpret_request){ .op = UBLK_IO_OP_FLUSH };
	draw_circumstances(decision);
	decision->verdict = interpret_flush(&trial->in, &decision->request, &backends);
	if (run_routers(trial, decision))
		return -1;
	trial->nr_decisions++;
	for (unsigned int i = 0; decision->verdict == UBLK_BPF_SUBMIT && i < trial->nr_routers;
	     i++) {
		const struct ublkpol_plan *plan = &trial->routers[i].plan;

		found = 0;
		for (unsigned int k = 0; k < plan->nr_items; k++) {
			if (plan->items[k].sqe.opcode == IORING_OP_FSYNC)
				found |= 1ULL << plan->items[k].slot;
		}
		for (unsigned int b = 0; b < trial->front.policy.nr_backends; b++) {
			if (!(backends >> b & 1) != !(found >> trial->slots[b] & 1))
				return complain_of(trial, &trial->routers[i], decision,
						   "it flushes the wrong backends");
		}
	}
	return 0;
}

/* Operations and places that no policy serves */
static int try_misfits(struct trial *trial, struct decision *decision)
{
	uint64_t end = trial->in.dev_sectors;
	const struct interpret_request misfits[] = {
		{ .op = 77, .sectors = 8 },
		{ .op = UBLK_IO_OP_READ, .sector = end, .sectors = 8 },
		{ .op = UBLK_IO_OP_READ, .sector = end - 8, .sectors = 16 },
		{ .op = UBLK_IO_OP_WRITE, .sector = ~0ULL - 7, .sectors = 16 },
	};

	for (unsigned int k = 0; k < sizeof(misfits) / sizeof(misfits[0]); k++) {
		decision->request = misfits[k];
		draw_circumstances(decision);
		decision->verdict = k ? -EIO : -EOPNOTSUPP;
		if (run_routers(trial, decision))
			return -1;
	}
	return 0;
}

/* --- counters --- */

static void expect_counts(struct trial *trial, const struct decision *decision,
			  struct expected_counters *expected)
{
	const struct ublkpol_plan *plan = &trial->routers[0].plan;
	unsigned int counter = counter_of(decision->request.op);

	for (uint32_t i = 0; i < decision->request.sectors; i++)
		expected->rule_bytes[decision->places[i].rule][counter] += SECTOR;
	for (unsigned int i = 0; i < plan->nr_items; i++) {
		uint64_t payload;

		if (plan->items[i].slot >= 64 || plan->items[i].sqe.opcode == IORING_OP_NOP)
			continue;
		expected->backend_requests[plan->items[i].slot][counter]++;
		expected->backend_bytes[plan->items[i].slot][counter] +=
			item_length(decision, &plan->items[i], &payload);
	}
}

static int read_counters(struct trial *trial, const struct router *router,
			 struct ublkpol_counters *counters)
{
	for (unsigned int i = 0; i < router->nr_counters; i++) {
		if (router_counters(router, i, &counters[i]))
			return trial_complain(trial, "%s: no counters", router->name);
	}
	return 0;
}

static int compare_counters(struct trial *trial, const struct router *router,
			    const struct ublkpol_counters *before,
			    const struct ublkpol_counters *after,
			    const struct expected_counters *expected)
{
	unsigned int nr_rules = trial->front.policy.nr_rules;

	for (unsigned int op = 0; op < UBLKPOL_NR_OPS; op++) {
		for (unsigned int r = 0; r < nr_rules; r++) {
			if (after[r].bytes[op] - before[r].bytes[op] != expected->rule_bytes[r][op])
				return trial_complain(trial, "%s: rule %u, op %u: wrong bytes",
						      router->name, r, op);
		}
		for (unsigned int s = 0; s < router->nr_counters - nr_rules - 1; s++) {
			unsigned int entry = nr_rules + 1 + s;

			if (after[entry].bytes[op] - before[entry].bytes[op] !=
				    expected->backend_bytes[s][op] ||
			    after[entry].requests[op] - before[entry].requests[op] !=
				    expected->backend_requests[s][op])
				return trial_complain(trial, "%s: slot %u, op %u: wrong counters",
						      router->name, s, op);
		}
	}
	return 0;
}

/* Requests that are served, so that it is known how much of each is counted */
static int send_counted(struct trial *trial, struct decision *decision, unsigned int count,
			struct expected_counters *expected)
{
	size_t size = trial->front.policy.nr_rules * sizeof(*trial->in.ticks);
	uint64_t *ticks = malloc(size);
	int ret = 0;

	while (!ret && count--) {
		draw_request(trial, decision);
		memcpy(ticks, trial->in.ticks, size);
		decision->verdict =
			interpret_request(&trial->in, &decision->request, decision->places);
		if (decision->verdict != UBLK_BPF_SUBMIT) {
			memcpy(trial->in.ticks, ticks, size);
			continue;
		}
		ret = run_routers(trial, decision);
		expect_counts(trial, decision, expected);
	}
	free(ticks);
	return ret;
}

static int try_counters(struct trial *trial, struct decision *decision, unsigned int count)
{
	struct expected_counters *expected = calloc(1, sizeof(*expected));
	unsigned int nr_rules = trial->front.policy.nr_rules;
	struct ublkpol_counters *counters[2][2];
	int ret = 0;

	expected->rule_bytes = calloc(nr_rules, sizeof(*expected->rule_bytes));
	for (unsigned int i = 0; i < trial->nr_routers; i++) {
		for (int k = 0; k < 2; k++)
			counters[i][k] =
				calloc(trial->routers[i].nr_counters, sizeof(**counters[i]));
		ret |= read_counters(trial, &trial->routers[i], counters[i][0]);
	}
	if (!ret)
		ret = send_counted(trial, decision, count, expected);
	for (unsigned int i = 0; i < trial->nr_routers; i++) {
		if (!ret)
			ret = read_counters(trial, &trial->routers[i], counters[i][1]);
		if (!ret)
			ret = compare_counters(trial, &trial->routers[i], counters[i][0],
					       counters[i][1], expected);
		free(counters[i][0]);
		free(counters[i][1]);
	}
	free(expected->rule_bytes);
	free(expected);
	return ret;
}

int trial_requests(struct trial *trial, unsigned int count)
{
	struct decision *decision = calloc(1, sizeof(*decision));
	int ret = 0;

	for (unsigned int i = 0; !ret && i < count; i++)
		ret = i % 64 ? try_request(trial, decision) : try_flush(trial, decision);
	if (!ret)
		ret = try_counters(trial, decision, 200);
	if (!ret)
		ret = try_misfits(trial, decision);
	free(decision);
	return ret;
}
