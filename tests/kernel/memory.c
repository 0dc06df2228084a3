// SPDX-License-Identifier: GPL-2.0-only
/*
 * memory hold LEFT_MIB: lock memory until only LEFT_MIB of the machine's are
 *	available, say so, and keep it until the standard input ends
 * memory swap MIB: fill MIB of memory, which should be more than is available,
 *	and check it in another order, twice
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>

#include "test_program.h"

#define MIB	   (1UL << 20)
#define PAGE_BYTES 4096
#define PAGE_WORDS (PAGE_BYTES / 8)
#define ROUNDS	   2

static unsigned long available_mib(void)
{
	static const char name[] = "MemAvailable:";
	FILE *file = fopen("/proc/meminfo", "r");
	unsigned long kib = 0;
	char line[256];

	require(file ? 0 : -errno, "/proc/meminfo");
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)))
			kib = strtoul(line + strlen(name), NULL, 10);
	fclose(file);
	return kib / 1024;
}

static void *map(size_t bytes)
{
	void *memory =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	require(memory == MAP_FAILED ? -errno : 0, "map %zu MiB", bytes / MIB);
	return memory;
}

/* Were this the OOM killer's victim, the test would go on with all the memory */
static void survive(void)
{
	int fd = require_fd(open("/proc/self/oom_score_adj", O_WRONLY), "oom_score_adj");

	require(write(fd, "-1000", 5) == 5 ? 0 : -errno, "oom_score_adj");
	close(fd);
}

static int hold(unsigned long left)
{
	unsigned long before = available_mib(), available;
	size_t bytes;
	char byte;

	survive();
	/* what is available is an estimate, and cached files fall victim meanwhile */
	while ((available = available_mib()) > left) {
		bytes = (available - left) * MIB;
		require(mlock(map(bytes), bytes) ? -errno : 0, "lock %zu MiB", bytes / MIB);
	}
	printf("%lu MiB were available, now %lu are\n", before, available);
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}

/* Different in each word and round */
static __u64 word_of(size_t page, size_t word, unsigned int round)
{
	return (page * PAGE_WORDS + word) * 11400714819323198485ULL + round;
}

static bool check_page(const __u64 *pages, size_t page, unsigned int round)
{
	size_t i;

	for (i = 0; i < PAGE_WORDS; i++)
		if (pages[page * PAGE_WORDS + i] != word_of(page, i, round))
			return false;
	return true;
}

static int swap(unsigned long mib)
{
	size_t nr = mib * MIB / PAGE_BYTES, i, wrong = 0;
	__u64 *pages = map(nr * PAGE_BYTES);
	unsigned int round;

	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < nr * PAGE_WORDS; i++)
			pages[i] = word_of(i / PAGE_WORDS, i % PAGE_WORDS, round);
		/* a stride without a factor in common with their number: each page once */
		for (i = 0; i < nr; i++)
			wrong += !check_page(pages, (i * 7919) % nr, round);
	}
	check(!wrong, "%zu pages, %u times: %zu are not as they were", nr, round, wrong);
	return check_result();
}

int main(int argc, char **argv)
{
	unsigned long mib = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;

	if (mib && !strcmp(argv[1], "hold"))
		return hold(mib);
	if (mib && !strcmp(argv[1], "swap"))
		return swap(mib);
	fprintf(stderr, "usage: memory hold LEFT_MIB\n"
			"       memory swap MIB\n");
	return 2;
}
