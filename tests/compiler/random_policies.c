// SPDX-License-Identifier: GPL-2.0-only
/*
 * random-policies DIRECTORY COUNT: writes COUNT random policies that the compiler
 * and the loader accept, and says how often each production of the grammar was
 * used in them. Fails if one was not used at all.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coverage.h"
#include "front.h"
#include "random_policy.h"

#define MAX_PRODUCTIONS 512
#define MAX_TRIES	20 /* for each that is accepted */

static struct {
	unsigned int pending[MAX_PRODUCTIONS]; /* in the policy that is being read */
	unsigned int used[MAX_PRODUCTIONS];
	unsigned int nr_refused;
} coverage;

/* The parser's trace. It names productions by their number */
int coverage_printf(FILE *out, const char *format, ...)
{
	va_list args;
	int rule;

	(void)out;
	if (strncmp(format, "Reducing stack by rule", strlen("Reducing stack by rule")))
		return 0;
	va_start(args, format);
	rule = va_arg(args, int);
	va_end(args);
	if (rule < MAX_PRODUCTIONS)
		coverage.pending[rule]++;
	return 0;
}

static void count_policy(bool is_accepted)
{
	for (unsigned int i = 0; is_accepted && i < MAX_PRODUCTIONS; i++)
		coverage.used[i] += coverage.pending[i];
	memset(coverage.pending, 0, sizeof(coverage.pending));
	coverage.nr_refused += !is_accepted;
}

static bool is_accepted(const struct random_policy *policy, const char *path)
{
	uint64_t sectors[64] = { 0 };
	struct front front;
	bool result = !front_open(&front, path);

	for (unsigned int i = 0; result && i < front.policy.nr_backends; i++)
		sectors[i] = policy->backend_sectors[random_policy_backend(
			front.policy.backends[i].name)];
	result = result && front_fits(&front, sectors, policy->block * 512);
	front_close(&front);
	return result;
}

/* Policy N is named after its seed, by which whoever loads it knows its backends */
static bool write_policies(const char *directory, unsigned int count)
{
	unsigned int nr = 0;

	for (unsigned int seed = 0; nr < count; seed++) {
		struct random_policy policy;
		char name[32], path[4096];
		bool accepted;

		random_seed(seed);
		snprintf(name, sizeof(name), "%u", seed);
		snprintf(path, sizeof(path), "%s/%s.ublkpol", directory, name);
		if (random_policy_write(&policy, directory, name)) {
			perror(path);
			return false;
		}
		accepted = is_accepted(&policy, path);
		count_policy(accepted);
		if (accepted)
			nr++;
		else
			remove(path);
		if (seed > MAX_TRIES * count) {
			printf("only %u of %u policies were accepted\n", nr, seed);
			return false;
		}
	}
	return true;
}

/* "   12 term: LBA lba_items"; a line that goes on with "|" leaves the name out */
static bool print_productions(FILE *grammar)
{
	bool is_complete = true, is_grammar = false;
	char line[512], text[256];
	int rule;

	while (fgets(line, sizeof(line), grammar)) {
		if (!strcmp(line, "Grammar\n"))
			is_grammar = true;
		if (!strncmp(line, "Terminals", strlen("Terminals")))
			break;
		if (!is_grammar || sscanf(line, "%d %255[^\n]", &rule, text) != 2)
			continue;
		/* The rule of the whole, and that of errors, are no part of an accepted policy */
		if (!rule || strstr(text, " error "))
			continue;
		printf("%8u  %s\n", coverage.used[rule], text);
		is_complete &= coverage.used[rule] > 0;
	}
	return is_complete && is_grammar;
}

int main(int argc, char *argv[])
{
	unsigned int count;
	bool is_complete;
	FILE *grammar;

	if (argc != 3) {
		fputs("usage: random-policies DIRECTORY COUNT\n", stderr);
		return 2;
	}
	count = strtoul(argv[2], NULL, 10);
	policy_debug = 1;
	if (!write_policies(argv[1], count))
		return EXIT_FAILURE;
	grammar = fopen(COVERAGE_GRAMMAR, "r");
	if (!grammar) {
		perror(COVERAGE_GRAMMAR);
		return EXIT_FAILURE;
	}
	printf("Productions of the grammar, and how often %u policies use them:\n", count);
	is_complete = print_productions(grammar);
	printf("%u policies accepted, %u refused%s\n", count, coverage.nr_refused,
	       is_complete ? "" : "; productions with 0 were never drawn");
	fclose(grammar);
	return is_complete ? EXIT_SUCCESS : EXIT_FAILURE;
}
