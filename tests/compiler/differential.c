// SPDX-License-Identifier: GPL-2.0-only
/*
 * differential UBLKPOLC draw FIRST_SEED COUNT DECISIONS
 *
 * Draws policies, compiles each for real, and compares three opinions on random
 * requests: the AST interpreter, the program as plain C, and the program in this
 * machine's kernel. Verdicts on wrong policies and the size of the device are
 * compared too. Goes on until COUNT policies were accepted, with DECISIONS
 * decisions for each. Prints PASS or FAIL for each policy.
 *
 * differential UBLKPOLC load DECISIONS FILE...
 *
 * The same with the policies of the files, which must be right, on backends of 64
 * MiB, and says how much work each is for the verifier. If DECISIONS is 0, it only
 * loads them, with backends of 1 TiB, which take the interpreter too long.
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

#include "trial.h"

static const char *ublkpolc;
static char directory[PATH_MAX / 2];

int trial_complain(struct trial *trial, const char *fmt, ...)
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

static void print_file(const char *name)
{
	char path[PATH_MAX], line[512];
	FILE *file = fopen(in_directory(path, name), "r");

	while (file && fgets(line, sizeof(line), file))
		fputs(line, stdout);
	if (file)
		fclose(file);
}

static int show_log(struct trial *trial, const char *what)
{
	print_file("log");
	return trial_complain(trial, "%s failed", what);
}

static int compile(struct trial *trial, const char *file)
{
	if (run("%s -S -o %s/p.c %s", ublkpolc, directory, file))
		return show_log(trial, "ublkpolc");
	if (run(DIFFERENTIAL_CC " -DUBLKPOL_NATIVE -o %s/native-%llu.so %s/p.c", directory,
		(unsigned long long)trial->seed, directory))
		return show_log(trial, "cc");
	if (run(DIFFERENTIAL_CLANG " -DUBLKPOL_SYSCALL -c -o %s/syscall.bpf.o %s/p.c", directory,
		directory))
		return show_log(trial, "clang");
	return 0;
}

/* --- load --- */

/* Backends by the numbers of the object, which the program uses */
static int find_slots(struct trial *trial)
{
	const struct ublkpol_header *header = policy_object_header(trial->object);
	const struct ublkpol_backend *backends = policy_object_backends(trial->object);

	memset(trial->slots, -1, sizeof(trial->slots));
	for (unsigned int i = 0; i < header->nr_backends; i++) {
		const char *name = policy_object_string(trial->object, backends[i].name);
		int index = front_backend(&trial->front, name);

		if (index < 0)
			return trial_complain(trial, "a backend '%s' that nobody knows", name);
		trial->slots[index] = i;
	}
	return 0;
}

static int resolve(struct trial *trial, struct ublkpol_error *err)
{
	__u64 sectors[64] = { 0 };

	for (unsigned int b = 0; b < trial->front.policy.nr_backends; b++) {
		if (trial->slots[b] >= 0)
			sectors[trial->slots[b]] = trial->sectors[b];
	}
	return policy_object_resolve(trial->object, sectors, trial->drawn.block * 512, NULL, NULL,
				     err);
}

static int load(struct trial *trial)
{
	const struct kernel_features features = { .prog_type = BPF_PROG_TYPE_SYSCALL };
	struct ublkpol_error err = { 0 };
	char name[64], path[PATH_MAX];

	if (policy_object_load(trial->object, &features, &err))
		return trial_complain(trial, "%s", err.text);
	snprintf(name, sizeof(name), "native-%llu.so", (unsigned long long)trial->seed);
	if (router_open_syscall(&trial->routers[0], trial->object))
		return trial_complain(trial, "no router");
	trial->nr_routers = 1;
	if (router_open_native(&trial->routers[1], in_directory(path, name), trial->object))
		return trial_complain(trial, "no native router");
	trial->nr_routers = 2;
	return 0;
}

/* --- one policy --- */

/* The interpreter's verdict on the loader's, then on the device that it makes */
static int check_verdict(struct trial *trial, int ret, const struct ublkpol_error *err)
{
	const struct policy_geometry *geometry;
	bool is_valid = interpret_is_valid(&trial->in);

	if (!ret != is_valid)
		return trial_complain(trial, "the policy is %s, but the loader says: %s",
				      is_valid ? "right" : "wrong", ret ? err->text : "right");
	if (ret)
		return 0;
	geometry = policy_object_geometry(trial->object);
	if (geometry->dev_sectors != trial->in.dev_sectors)
		return trial_complain(trial, "%llu sectors, expected %llu",
				      (unsigned long long)geometry->dev_sectors,
				      (unsigned long long)trial->in.dev_sectors);
	return 0;
}

/* Of a policy whose trial->front is open, and whose backends have their sizes */
static int try_policy(struct trial *trial, const char *file, unsigned int decisions,
		      bool *is_refused)
{
	struct ublkpol_error err = { 0 };
	char path[PATH_MAX];
	int ret;

	if (decisions)
		interpret_init(&trial->in, &trial->front.policy, trial->sectors,
			       trial->drawn.block);
	if (compile(trial, file))
		return -1;
	if (policy_object_open(&trial->object, in_directory(path, "syscall.bpf.o"), &err))
		return trial_complain(trial, "%s", err.text);
	if (find_slots(trial))
		return -1;
	ret = resolve(trial, &err);
	*is_refused = ret;
	if (decisions && check_verdict(trial, ret, &err))
		return -1;
	if (ret)
		return decisions ? 0 : trial_complain(trial, "%s", err.text);
	return load(trial) ? -1 : decisions ? trial_requests(trial, decisions) : 0;
}

static void end_trial(struct trial *trial)
{
	for (unsigned int i = 0; i < trial->nr_routers; i++)
		router_close(&trial->routers[i]);
	policy_object_close(trial->object);
	if (trial->in.policy)
		interpret_free(&trial->in);
	front_close(&trial->front);
	free(trial);
}

static int try_drawn(struct trial *trial, unsigned int decisions, bool *is_refused)
{
	char path[PATH_MAX];

	*is_refused = front_open(&trial->front, in_directory(path, "p.ublkpol"));
	if (*is_refused)
		return 0;
	for (unsigned int i = 0; i < trial->front.policy.nr_backends; i++) {
		const char *name = trial->front.policy.backends[i].name;

		trial->sectors[i] = trial->drawn.backend_sectors[random_policy_backend(name)];
	}
	return try_policy(trial, path, decisions, is_refused);
}

static int run_trial(uint64_t seed, unsigned int decisions, bool *is_refused)
{
	struct trial *trial = calloc(1, sizeof(*trial));
	int ret;

	trial->seed = seed;
	random_seed(seed);
	ret = random_policy_write(&trial->drawn, directory, "p");
	if (!ret)
		ret = try_drawn(trial, decisions, is_refused);
	if (ret) {
		print_file("p.ublkpol");
		printf("%s\nFAIL differential: policy %llu\n", trial->complaint,
		       (unsigned long long)seed);
	} else if (!*is_refused) {
		printf("PASS differential: policy %llu: %u rules, %u decisions: %u split, %u "
		       "errors or for the user\n",
		       (unsigned long long)seed, trial->front.policy.nr_rules, trial->nr_decisions,
		       trial->nr_split, trial->nr_refused);
	}
	end_trial(trial);
	return ret;
}

/* --- policies from files --- */

static int try_file(struct trial *trial, const char *file, unsigned int decisions)
{
	bool is_refused = false;
	int ret;

	if (front_open(&trial->front, file))
		return trial_complain(trial, "the policy is wrong");
	trial->drawn.block = trial->front.policy.block ? trial->front.policy.block / 512 : 1;
	for (unsigned int i = 0; i < UBLK_BPF_MAX_SLOTS; i++)
		trial->sectors[i] = decisions ? 1ULL << 17 : 1ULL << 31;
	ret = try_policy(trial, file, decisions, &is_refused);
	if (!ret && is_refused)
		return trial_complain(trial, "the policy is refused");
	return ret;
}

static bool load_file(const char *file, uint64_t seed, unsigned int decisions)
{
	struct trial *trial = calloc(1, sizeof(*trial));
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info);
	int ret;

	trial->seed = seed;
	random_seed(seed);
	ret = try_file(trial, file, decisions);
	if (ret) {
		printf("%s\nFAIL load: %s\n", trial->complaint, file);
	} else {
		bpf_obj_get_info_by_fd(policy_object_prog_fd(trial->object), &info, &size);
		printf("PASS load: %s: %u instructions, %u steps of the verifier, %u decisions: "
		       "%u split, %u errors or for the user\n",
		       file, (unsigned int)(info.xlated_prog_len / 8), info.verified_insns,
		       trial->nr_decisions, trial->nr_split, trial->nr_refused);
	}
	end_trial(trial);
	return !ret;
}

/* --- main --- */

static bool draw_policies(uint64_t first, unsigned int count, unsigned int decisions)
{
	unsigned int accepted = 0, refused = 0;
	bool passed = true;

	for (uint64_t seed = first; accepted < count; seed++) {
		bool is_refused = false;

		passed &= !run_trial(seed, decisions, &is_refused);
		accepted += !is_refused;
		refused += is_refused;
		fflush(stdout);
		if (refused > 10 * count) {
			printf("FAIL differential: only %u policies were accepted\n", accepted);
			return false;
		}
	}
	printf("%u policies, %u decisions each; %u policies were refused\n", accepted, decisions,
	       refused);
	return passed;
}

static bool load_files(unsigned int decisions, char *files[])
{
	bool passed = true;

	for (unsigned int i = 0; files[i]; i++) {
		passed &= load_file(files[i], i, decisions);
		fflush(stdout);
	}
	return passed;
}

int main(int argc, char *argv[])
{
	bool draws = argc == 6 && !strcmp(argv[2], "draw");
	bool passed;

	if (!draws && (argc < 5 || strcmp(argv[2], "load") != 0)) {
		fputs("usage: differential UBLKPOLC draw FIRST_SEED COUNT DECISIONS | load "
		      "DECISIONS FILE...\n",
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
	if (draws)
		passed = draw_policies(strtoull(argv[3], NULL, 10), strtoul(argv[4], NULL, 10),
				       strtoul(argv[5], NULL, 10));
	else
		passed = load_files(strtoul(argv[3], NULL, 10), argv + 4);
	if (run("rm -rf %s", directory))
		passed = false;
	return passed ? EXIT_SUCCESS : EXIT_FAILURE;
}
