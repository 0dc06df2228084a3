// SPDX-License-Identifier: GPL-2.0-only
/*
 * differential UBLKPOLC draw FIRST_SEED COUNT
 *
 * Draws policies, compiles each for real, and compares three opinions on
 * random requests: the reference model, the program as plain C, and the
 * program in this machine's kernel. Verdicts on wrong policies and limits of
 * requests are compared too. Prints PASS or FAIL for each policy.
 *
 * differential UBLKPOLC load FILE...
 *
 * Compiles policies and loads them into this machine's kernel, with backends
 * of 1 TiB: does the verifier take them, and how much work are they for it?
 */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/ublk_cmd.h>

#include "random_policy.h"
#include "reference.h"
#include "routers.h"

#define REQUESTS_PER_POLICY 600

static const char *ublkpolc;
static char directory[PATH_MAX / 2];

struct counts {
	uint64_t requests;
	uint64_t bytes;
};

/* What the counters must say at the end: [0] reads, [1] writes */
struct expected_counters {
	struct counts rules[RANDOM_MAX_RULES + 1][2]; /* the last one: no rule matched */
	struct counts backends[RANDOM_MAX_BACKENDS][2];
};

struct trial {
	uint64_t seed;
	struct random_policy policy;
	struct reference reference;
	struct policy_object *object;
	/* Slot of each backend of the policy, or -1: the program does not use it */
	int slots[RANDOM_MAX_BACKENDS];
	struct router routers[2];
	unsigned int nr_routers;
	struct expected_counters expected;
	unsigned int nr_requests;
	unsigned int nr_split;
	char complaint[512];
};

static int __attribute__((format(printf, 2, 3))) complain(struct trial *trial, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(trial->complaint, sizeof(trial->complaint), fmt, args);
	va_end(args);
	return -1;
}

static const char *in_directory(char path[PATH_MAX], const char *name)
{
	snprintf(path, PATH_MAX, "%s/%s", directory, name);
	return path;
}

/* --- compile --- */

/* Exit status of a command whose output is only shown when something is wrong */
static int __attribute__((format(printf, 1, 2))) run(const char *fmt, ...)
{
	char command[8 * PATH_MAX], log[PATH_MAX];
	size_t length;
	va_list args;
	int status;

	va_start(args, fmt);
	length = vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	snprintf(command + length, sizeof(command) - length, " >%s 2>&1", in_directory(log, "log"));
	status = system(command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static int show_log(struct trial *trial, const char *what)
{
	char path[PATH_MAX], line[512];
	FILE *log = fopen(in_directory(path, "log"), "r");

	while (log && fgets(line, sizeof(line), log))
		fputs(line, stdout);
	if (log)
		fclose(log);
	return complain(trial, "%s failed", what);
}

static int compile_for_kernel(struct trial *trial)
{
	if (run(DIFFERENTIAL_CLANG " -DUBLKPOL_SYSCALL -c -o %s/syscall.bpf.o %s/p.c", directory,
		directory))
		return show_log(trial, "clang");
	return 0;
}

static int compile(struct trial *trial, bool *is_refused)
{
	char path[PATH_MAX];
	FILE *file = fopen(in_directory(path, "p.ublkpol"), "w");
	int status;

	if (!file)
		return complain(trial, "%s: %s", path, strerror(errno));
	random_policy_print(&trial->policy, file);
	fclose(file);

	status = run("%s -S -o %s/p.c %s", ublkpolc, directory, path);
	*is_refused = status == 1;
	if (status > 1)
		return show_log(trial, "ublkpolc");
	if (*is_refused)
		return 0;
	if (run("%s -o %s/p.bpf.o %s", ublkpolc, directory, path))
		return show_log(trial, "ublkpolc");
	if (run(DIFFERENTIAL_CC " -DUBLKPOL_NATIVE -o %s/native-%llu.so %s/p.c", directory,
		(unsigned long long)trial->seed, directory))
		return show_log(trial, "cc");
	return compile_for_kernel(trial);
}

/* --- load --- */

static void find_slots(struct trial *trial)
{
	const struct ublkpol_header *header = policy_object_header(trial->object);
	const struct ublkpol_backend *backends = policy_object_backends(trial->object);

	memset(trial->slots, -1, sizeof(trial->slots));
	for (unsigned int i = 0; i < header->nr_backends; i++) {
		const char *name = policy_object_string(trial->object, backends[i].name);

		trial->slots[atoi(name + 1)] = i;
	}
}

static int resolve(struct trial *trial, struct ublkpol_error *err)
{
	__u64 sectors[RANDOM_MAX_BACKENDS] = { 0 };

	for (unsigned int b = 0; b < trial->policy.nr_backends; b++) {
		if (trial->slots[b] >= 0)
			sectors[trial->slots[b]] = trial->policy.backend_sectors[b];
	}
	return policy_object_resolve(trial->object, sectors, trial->policy.block * 512, NULL, NULL,
				     err);
}

/* The object for ublk cannot be loaded here, but must open and resolve alike */
static int check_real_object(struct trial *trial, const struct policy_geometry *geometry)
{
	struct policy_object *syscall_object = trial->object;
	struct ublkpol_error err = { 0 };
	const struct policy_geometry *real;
	char path[PATH_MAX];
	int ret;

	ret = policy_object_open(&trial->object, in_directory(path, "p.bpf.o"), &err);
	if (!ret)
		ret = resolve(trial, &err);
	if (ret) {
		complain(trial, "object for ublk: %s", err.text);
		policy_object_close(ret ? NULL : trial->object);
	} else {
		real = policy_object_geometry(trial->object);
		if (memcmp(real, geometry, sizeof(*real)))
			ret = complain(trial, "the object for ublk has another geometry");
		policy_object_close(trial->object);
	}
	trial->object = syscall_object;
	return ret;
}

static int check_geometry(struct trial *trial)
{
	const struct policy_geometry *geometry = policy_object_geometry(trial->object);
	unsigned int items;

	if (geometry->dev_sectors != trial->reference.dev_sectors)
		return complain(trial, "%llu sectors, expected %llu",
				(unsigned long long)geometry->dev_sectors,
				(unsigned long long)trial->reference.dev_sectors);
	items = reference_max_items(&trial->reference, &trial->policy, geometry->max_sectors);
	if (geometry->max_items != items)
		return complain(trial, "at most %u items of %u sectors, expected %u",
				geometry->max_items, geometry->max_sectors, items);
	return check_real_object(trial, geometry);
}

static int load(struct trial *trial)
{
	const struct kernel_features features = { .prog_type = BPF_PROG_TYPE_SYSCALL };
	struct ublkpol_error err = { 0 };
	char name[64], path[PATH_MAX];

	if (policy_object_load(trial->object, &features, &err))
		return complain(trial, "%s", err.text);
	snprintf(name, sizeof(name), "native-%llu.so", (unsigned long long)trial->seed);
	if (router_open_syscall(&trial->routers[0], trial->object))
		return complain(trial, "no router");
	trial->nr_routers = 1;
	if (router_open_native(&trial->routers[1], in_directory(path, name), trial->object))
		return complain(trial, "no native router");
	trial->nr_routers = 2;
	return 0;
}

/* --- requests --- */

static void count(struct counts *counts, uint64_t requests, uint64_t sectors)
{
	counts->requests += requests;
	counts->bytes += sectors * 512;
}

/* How far from @lba does it go on in one piece (or in one stretch)? */
static uint64_t run_length(const struct trial *trial, bool write, uint64_t lba, uint64_t end,
			   typeof(reference_is_cut) *ends)
{
	uint64_t next = lba + 1;

	while (next < end && !ends(&trial->reference, write, next))
		next++;
	return next - lba;
}

/* Walks the request as the program must; fills in the items that are expected */
static int expect(struct trial *trial, const struct ublk_bpf_ctx *ctx,
		  struct ublkpol_plan_item *items, unsigned int *nr_items)
{
	bool write = ctx->op == UBLK_IO_OP_WRITE;
	uint64_t lba = ctx->start_sector, end = lba + ctx->nr_sectors;

	*nr_items = 0;
	while (lba < end) {
		const struct reference_place *place = &trial->reference.places[write][lba];
		bool is_new = lba == ctx->start_sector ||
			      reference_is_new_stretch(&trial->reference, write, lba);
		uint64_t sectors;
		int rule = place->rule == REFERENCE_NO_RULE ? RANDOM_MAX_RULES : place->rule;

		sectors = run_length(trial, write, lba, end,
				     place->error ? reference_is_new_stretch : reference_is_cut);
		count(&trial->expected.rules[rule][write], is_new, sectors);
		if (place->error)
			return -place->error;

		items[*nr_items] = (struct ublkpol_plan_item){
			.sqe = {
				.opcode = write ? IORING_OP_WRITE : IORING_OP_READ,
				.off = place->sector * 512,
				.addr = (lba - ctx->start_sector) * 512,
				.len = sectors * 512,
			},
			.slot = trial->slots[place->backend],
		};
		(*nr_items)++;
		count(&trial->expected.backends[place->backend][write], 1, sectors);
		lba += sectors;
	}
	return 0;
}

static int compare(struct trial *trial, struct router *router, const struct ublk_bpf_ctx *ctx,
		   int expected, const struct ublkpol_plan_item *items, unsigned int nr_items)
{
	int ret = router_run(router, ctx);

	if (ret != expected)
		return complain(trial, "%s: op %u, %u sectors at %llu: returns %d, expected %d",
				router->name, ctx->op, ctx->nr_sectors,
				(unsigned long long)ctx->start_sector, ret, expected);
	if (ret)
		return 0;
	if (router->plan.nr_items != nr_items)
		return complain(trial, "%s: op %u, %u sectors at %llu: %u items, expected %u",
				router->name, ctx->op, ctx->nr_sectors,
				(unsigned long long)ctx->start_sector, router->plan.nr_items,
				nr_items);
	for (unsigned int i = 0; i < nr_items; i++) {
		if (router->plan.items[i].slot != items[i].slot ||
		    memcmp(&router->plan.items[i].sqe, &items[i].sqe, sizeof(items[i].sqe)))
			return complain(trial, "%s: op %u, %u sectors at %llu: item %u is wrong",
					router->name, ctx->op, ctx->nr_sectors,
					(unsigned long long)ctx->start_sector, i);
	}
	return 0;
}

static int try_request(struct trial *trial, const struct ublk_bpf_ctx *ctx)
{
	static struct ublkpol_plan_item items[UBLK_BPF_MAX_ITEMS];
	unsigned int nr_items;
	int expected = expect(trial, ctx, items, &nr_items);

	trial->nr_requests++;
	trial->nr_split += nr_items > 1;
	for (unsigned int i = 0; i < trial->nr_routers; i++) {
		if (compare(trial, &trial->routers[i], ctx, expected, items, nr_items))
			return -1;
	}
	return 0;
}

static struct ublk_bpf_ctx draw_request(const struct trial *trial)
{
	const struct policy_geometry *geometry = policy_object_geometry(trial->object);
	uint64_t block = trial->policy.block;
	uint64_t blocks = geometry->dev_sectors / block;
	uint64_t first = random_below(blocks);
	uint64_t most = geometry->max_sectors / block;

	if (most > blocks - first)
		most = blocks - first;
	if (random_below(2) && most > 16)
		most = 16;
	return (struct ublk_bpf_ctx){
		.op = random_below(2) ? UBLK_IO_OP_WRITE : UBLK_IO_OP_READ,
		.start_sector = first * block,
		.nr_sectors = (1 + random_below(most)) * block,
	};
}

static int try_flush(struct trial *trial)
{
	static struct ublkpol_plan_item items[RANDOM_MAX_BACKENDS];
	const struct ublk_bpf_ctx ctx = { .op = UBLK_IO_OP_FLUSH };
	unsigned int nr_items = 0;
	uint64_t backends;
	int error, rule;

	error = reference_flush(&trial->policy, &backends, &rule);
	for (unsigned int slot = 0; slot < RANDOM_MAX_BACKENDS; slot++) {
		for (unsigned int b = 0; b < trial->policy.nr_backends; b++) {
			if (trial->slots[b] != (int)slot || !(backends & 1ULL << b))
				continue;
			items[nr_items] = (struct ublkpol_plan_item){
				.sqe.opcode = IORING_OP_FSYNC,
				.slot = slot,
			};
			nr_items++;
		}
	}
	for (unsigned int i = 0; i < trial->nr_routers; i++) {
		if (compare(trial, &trial->routers[i], &ctx, -error, items, nr_items))
			return -1;
	}
	return 0;
}

/* Operations and places that no policy serves */
static int try_misfits(struct trial *trial)
{
	uint64_t end = trial->reference.dev_sectors;
	const struct ublk_bpf_ctx misfits[] = {
		{ .op = 77, .nr_sectors = 8 },
		{ .op = UBLK_IO_OP_READ, .start_sector = end, .nr_sectors = 8 },
		{ .op = UBLK_IO_OP_READ, .start_sector = end - 8, .nr_sectors = 16 },
		{ .op = UBLK_IO_OP_WRITE, .start_sector = ~0ULL - 7, .nr_sectors = 16 },
	};

	for (unsigned int i = 0; i < trial->nr_routers; i++) {
		for (unsigned int k = 0; k < sizeof(misfits) / sizeof(misfits[0]); k++) {
			if (compare(trial, &trial->routers[i], &misfits[k], !k ? -EOPNOTSUPP : -EIO,
				    NULL, 0))
				return -1;
		}
	}
	return 0;
}

static int compare_counters(struct trial *trial, const struct router *router, unsigned int index,
			    const struct counts expected[2])
{
	struct ublkpol_counters sum;

	if (router_counters(router, index, &sum))
		return complain(trial, "%s: no counters", router->name);
	for (int write = 0; write < 2; write++) {
		if (sum.requests[write] != expected[write].requests ||
		    sum.bytes[write] != expected[write].bytes)
			return complain(
				trial,
				"%s: counter %u: %llu requests, %llu bytes, expected %llu, %llu",
				router->name, index, (unsigned long long)sum.requests[write],
				(unsigned long long)sum.bytes[write],
				(unsigned long long)expected[write].requests,
				(unsigned long long)expected[write].bytes);
	}
	return 0;
}

static int check_counters(struct trial *trial, const struct router *router)
{
	unsigned int nr_rules = trial->policy.nr_rules;

	for (unsigned int i = 0; i < nr_rules; i++) {
		if (compare_counters(trial, router, i, trial->expected.rules[i]))
			return -1;
	}
	if (compare_counters(trial, router, nr_rules, trial->expected.rules[RANDOM_MAX_RULES]))
		return -1;
	for (unsigned int b = 0; b < trial->policy.nr_backends; b++) {
		if (trial->slots[b] >= 0 &&
		    compare_counters(trial, router, nr_rules + 1 + trial->slots[b],
				     trial->expected.backends[b]))
			return -1;
	}
	return 0;
}

static int try_requests(struct trial *trial)
{
	struct ublk_bpf_ctx ctx;

	for (unsigned int i = 0; i < REQUESTS_PER_POLICY; i++) {
		ctx = draw_request(trial);
		if (try_request(trial, &ctx))
			return -1;
	}
	if (try_flush(trial))
		return -1;
	for (unsigned int i = 0; i < trial->nr_routers; i++) {
		if (check_counters(trial, &trial->routers[i]))
			return -1;
	}
	return try_misfits(trial);
}

/* --- one policy --- */

/* The compiler knows neither the block nor the size of the device if they are not declared */
static bool compiler_knows_all(const struct random_policy *policy)
{
	return policy->size && (policy->declares_block || policy->block == 1);
}

static int try_policy(struct trial *trial, bool *is_refused)
{
	struct ublkpol_error err = { 0 };
	char path[PATH_MAX];
	int ret;

	if (compile(trial, is_refused))
		return -1;
	if (*is_refused)
		return trial->reference.is_valid && compiler_knows_all(&trial->policy)
			       ? complain(trial, "ublkpolc refuses a policy that is right")
			       : 0;

	if (policy_object_open(&trial->object, in_directory(path, "syscall.bpf.o"), &err))
		return complain(trial, "%s", err.text);
	find_slots(trial);
	ret = resolve(trial, &err);
	*is_refused = ret;
	if (!ret != trial->reference.is_valid)
		return complain(trial, "the policy is %s, but the loader says: %s",
				trial->reference.is_valid ? "right" : "wrong",
				ret ? err.text : "right");
	if (ret)
		return 0;
	if (check_geometry(trial) || load(trial))
		return -1;
	return try_requests(trial);
}

static bool run_trial(uint64_t seed)
{
	struct trial trial = { .seed = seed };
	bool is_refused = false;
	int ret;

	random_seed(seed);
	random_policy_draw(&trial.policy);
	reference_build(&trial.reference, &trial.policy);
	ret = try_policy(&trial, &is_refused);
	if (ret) {
		random_policy_print(&trial.policy, stdout);
		printf("%s\nFAIL differential: policy %llu\n", trial.complaint,
		       (unsigned long long)seed);
	} else if (is_refused) {
		printf("PASS differential: policy %llu: refused, as it must be\n",
		       (unsigned long long)seed);
	} else {
		printf("PASS differential: policy %llu: %u rules, %u requests, %u of them split\n",
		       (unsigned long long)seed, trial.policy.nr_rules, trial.nr_requests,
		       trial.nr_split);
	}
	for (unsigned int i = 0; i < trial.nr_routers; i++)
		router_close(&trial.routers[i]);
	policy_object_close(trial.object);
	reference_free(&trial.reference);
	return !ret;
}

/* --- policies from files --- */

static int try_load(struct trial *trial, const char *file)
{
	const struct kernel_features features = { .prog_type = BPF_PROG_TYPE_SYSCALL };
	struct ublkpol_error err = { 0 };
	__u64 sectors[UBLK_BPF_MAX_SLOTS];
	char path[PATH_MAX];

	for (unsigned int i = 0; i < UBLK_BPF_MAX_SLOTS; i++)
		sectors[i] = 1ULL << 31;
	if (run("%s -S -o %s/p.c %s", ublkpolc, directory, file))
		return show_log(trial, "ublkpolc");
	if (compile_for_kernel(trial))
		return -1;
	if (policy_object_open(&trial->object, in_directory(path, "syscall.bpf.o"), &err) ||
	    policy_object_resolve(trial->object, sectors, 512, NULL, NULL, &err) ||
	    policy_object_load(trial->object, &features, &err))
		return complain(trial, "%s", err.text);
	return 0;
}

static bool load_file(const char *file)
{
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info);
	struct trial trial = { 0 };
	int ret;

	ret = try_load(&trial, file);
	if (ret) {
		printf("%s\nFAIL load: %s\n", trial.complaint, file);
	} else {
		bpf_obj_get_info_by_fd(policy_object_prog_fd(trial.object), &info, &size);
		printf("PASS load: %s: %u instructions, %u steps of the verifier\n", file,
		       info.xlated_prog_len / 8, info.verified_insns);
	}
	policy_object_close(trial.object);
	return !ret;
}

/* --- main --- */

static bool draw_policies(uint64_t first, uint64_t nr)
{
	bool passed = true;

	for (uint64_t seed = first; seed < first + nr; seed++) {
		passed &= run_trial(seed);
		fflush(stdout);
	}
	return passed;
}

static bool load_files(char *files[])
{
	bool passed = true;

	for (; *files; files++)
		passed &= load_file(*files);
	return passed;
}

int main(int argc, char *argv[])
{
	bool passed;

	if (argc < 4) {
		fputs("usage: differential UBLKPOLC draw FIRST_SEED COUNT | load FILE...\n",
		      stderr);
		return 2;
	}
	ublkpolc = argv[1];
	libbpf_set_print(NULL);
	snprintf(directory, sizeof(directory), "%s/ublkpol-differential.XXXXXX",
		 getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (!mkdtemp(directory)) {
		perror(directory);
		return EXIT_FAILURE;
	}
	if (!strcmp(argv[2], "draw") && argc == 5)
		passed = draw_policies(strtoull(argv[3], NULL, 10), strtoull(argv[4], NULL, 10));
	else
		passed = load_files(argv + 3);
	if (run("rm -rf %s", directory))
		passed = false;
	return passed ? EXIT_SUCCESS : EXIT_FAILURE;
}
