// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioload [options] FILE: a fixed number of O_DIRECT requests through io_uring,
 * and what each of them cost, as one JSON object. It measures to the
 * nanosecond and starts nothing else, so that a few thousand requests are
 * enough where a clock counts instructions. It submits as fio does: one system
 * call for each request, and one when it has to wait.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <liburing.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <linux/fs.h>

#define MAX_DEPTH    1024U
#define MIX_READS    70U /* percent of the requests of "mix" */
#define BUFFER_ALIGN 4096U

static const char usage_text[] =
	"usage: ioload [-w WORKLOAD] [-b BYTES] [-d DEPTH] [-n REQUESTS] [-u REQUESTS] [-s PID]\n"
	"              FILE\n"
	"  -w  randread, randwrite, read, write, mix (randread)\n"
	"  -b  bytes of a request (4096)\n"
	"  -d  requests in flight, 1 to 1024 (1)\n"
	"  -n  requests measured (10000)\n"
	"  -u  requests before that, to warm up (1000)\n"
	"  -s  also the CPU time of this process\n";

struct workload {
	const char *name;
	bool random;
	unsigned int reads; /* percent */
};

static const struct workload workloads[] = {
	{ "randread", true, 100 }, { "randwrite", true, 0 },   { "read", false, 100 },
	{ "write", false, 0 },	   { "mix", true, MIX_READS },
};

struct slot {
	void *buffer;
	uint64_t began;
};

/* What the whole machine, and the server, had done at one moment */
struct snapshot {
	uint64_t clock;
	uint64_t server_clock;
	uint64_t idle_ticks;
	uint64_t switches;
};

static struct {
	const struct workload *workload;
	const char *path;
	uint32_t bytes;
	unsigned int depth;
	uint64_t requests, warm_up;
	pid_t server;

	int fd;
	uint64_t blocks; /* of @bytes in the file */
	uint64_t next; /* block of sequential workloads */
	uint64_t random;
	struct io_uring ring;
	struct slot slots[MAX_DEPTH];
	uint64_t *latencies;
	uint64_t nr_latencies;
} load = {
	.workload = &workloads[0],
	.bytes = 4096,
	.depth = 1,
	.requests = 10000,
	.warm_up = 1000,
	.random = 88172645463325252ULL,
};

static void __attribute__((noreturn)) die(const char *what, int err)
{
	fprintf(stderr, "ioload: %s: %s\n", what, strerror(err));
	exit(1);
}

static uint64_t random64(void)
{
	load.random ^= load.random << 13;
	load.random ^= load.random >> 7;
	load.random ^= load.random << 17;
	return load.random;
}

static uint64_t read_clock(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* ---- the measured moments ------------------------------------------------ */

static void read_proc_stat(struct snapshot *snapshot)
{
	FILE *file = fopen("/proc/stat", "r");
	char line[512];
	uint64_t idle, iowait;

	if (!file)
		die("/proc/stat", errno);
	while (fgets(line, sizeof(line), file)) {
		if (!strncmp(line, "cpu ", 4) &&
		    sscanf(line, "cpu %*u %*u %*u %" SCNu64 " %" SCNu64, &idle, &iowait) == 2)
			snapshot->idle_ticks = idle + iowait;
		sscanf(line, "ctxt %" SCNu64, &snapshot->switches);
	}
	fclose(file);
}

static struct snapshot take_snapshot(bool begin)
{
	struct snapshot snapshot = { 0 };
	clockid_t server_clock;
	int err;

	/* The clock is read next to the requests: what reading costs stays outside */
	if (!begin)
		snapshot.clock = read_clock(CLOCK_MONOTONIC);
	read_proc_stat(&snapshot);
	if (load.server) {
		err = clock_getcpuclockid(load.server, &server_clock);
		if (err)
			die("the clock of the server", err);
		snapshot.server_clock = read_clock(server_clock);
	}
	if (begin)
		snapshot.clock = read_clock(CLOCK_MONOTONIC);
	return snapshot;
}

/* ---- requests ------------------------------------------------------------ */

static void submit(struct slot *slot)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&load.ring);
	uint64_t block = load.workload->random ? random64() : load.next++;
	uint64_t offset = block % load.blocks * load.bytes;
	int err;

	if (load.workload->reads == 100 ||
	    (load.workload->reads && random64() % 100 < load.workload->reads))
		io_uring_prep_read(sqe, load.fd, slot->buffer, load.bytes, offset);
	else
		io_uring_prep_write(sqe, load.fd, slot->buffer, load.bytes, offset);
	io_uring_sqe_set_data(sqe, slot);
	slot->began = read_clock(CLOCK_MONOTONIC);
	err = io_uring_submit(&load.ring);
	if (err < 0)
		die("io_uring_submit", -err);
}

static struct slot *wait_for_one(void)
{
	struct io_uring_cqe *cqe;
	struct slot *slot;
	int err;

	err = io_uring_wait_cqe(&load.ring, &cqe);
	if (err)
		die("io_uring_wait_cqe", -err);
	if (cqe->res < 0)
		die(load.path, -cqe->res);
	if ((uint32_t)cqe->res != load.bytes)
		die("short transfer", EIO);
	slot = io_uring_cqe_get_data(cqe);
	io_uring_cqe_seen(&load.ring, cqe);
	load.latencies[load.nr_latencies++] = read_clock(CLOCK_MONOTONIC) - slot->began;
	return slot;
}

/*
 * Nothing is in flight when it begins and when it ends. Of the requests that were, more or
 * less of the work could be done, and a depth of large ones is some percent of all.
 */
static void run(uint64_t requests)
{
	uint64_t submitted = 0;

	load.nr_latencies = 0;
	while (submitted < requests && submitted < load.depth)
		submit(&load.slots[submitted++]);
	for (; submitted < requests; submitted++)
		submit(wait_for_one());
	while (load.nr_latencies < requests)
		wait_for_one();
}

/* ---- set-up and report --------------------------------------------------- */

static void open_target(void)
{
	struct stat st;
	uint64_t size;

	load.fd = open(load.path, O_RDWR | O_DIRECT);
	if (load.fd < 0 || fstat(load.fd, &st))
		die(load.path, errno);
	size = (uint64_t)st.st_size;
	if (S_ISBLK(st.st_mode) && ioctl(load.fd, BLKGETSIZE64, &size))
		die(load.path, errno);
	load.blocks = size / load.bytes;
	if (!load.blocks)
		die("the file is smaller than a request", EINVAL);
}

static void set_up_ring(void)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_COOP_TASKRUN | IORING_SETUP_SINGLE_ISSUER |
			 IORING_SETUP_DEFER_TASKRUN,
	};
	uint64_t most = load.requests > load.warm_up ? load.requests : load.warm_up;
	int err;

	err = io_uring_queue_init_params(load.depth, &load.ring, &params);
	if (err)
		die("io_uring_queue_init", -err);
	for (unsigned int i = 0; i < load.depth; i++) {
		err = posix_memalign(&load.slots[i].buffer, BUFFER_ALIGN, load.bytes);
		if (err)
			die("memory", err);
		memset(load.slots[i].buffer, 0xa5, load.bytes);
	}
	load.latencies = calloc(most, sizeof(*load.latencies));
	if (!load.latencies)
		die("memory", ENOMEM);
	memset(load.latencies, 1, most * sizeof(*load.latencies));
}

static int compare_latencies(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void report(const struct snapshot *begin, const struct snapshot *end)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; i < load.requests; i++)
		sum += load.latencies[i];
	qsort(load.latencies, load.requests, sizeof(*load.latencies), compare_latencies);
	printf("{\"requests\":%" PRIu64 ",\"ns\":%" PRIu64 ",\"latency_mean_ns\":%" PRIu64
	       ",\"latency_p99_ns\":%" PRIu64 ",\"switches\":%" PRIu64 ",\"idle_ticks\":%" PRIu64,
	       load.requests, end->clock - begin->clock, sum / load.requests,
	       load.latencies[load.requests * 99 / 100], end->switches - begin->switches,
	       end->idle_ticks - begin->idle_ticks);
	if (load.server)
		printf(",\"server_ns\":%" PRIu64, end->server_clock - begin->server_clock);
	printf("}\n");
}

static void __attribute__((noreturn)) usage(void)
{
	fputs(usage_text, stderr);
	exit(2);
}

static uint64_t number(const char *text, uint64_t min, uint64_t max)
{
	char *end;
	uint64_t value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || end == text || *end || value < min || value > max)
		usage();
	return value;
}

static const struct workload *find_workload(const char *name)
{
	for (size_t i = 0; i < sizeof(workloads) / sizeof(workloads[0]); i++) {
		if (!strcmp(workloads[i].name, name))
			return &workloads[i];
	}
	usage();
}

static void parse_arguments(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "w:b:d:n:u:s:")) != -1) {
		switch (option) {
		case 'w':
			load.workload = find_workload(optarg);
			break;
		case 'b':
			load.bytes = (uint32_t)number(optarg, 512, 1 << 30);
			break;
		case 'd':
			load.depth = (unsigned int)number(optarg, 1, MAX_DEPTH);
			break;
		case 'n':
			load.requests = number(optarg, 1, 1 << 30);
			break;
		case 'u':
			load.warm_up = number(optarg, 0, 1 << 30);
			break;
		case 's':
			load.server = (pid_t)number(optarg, 1, 1 << 30);
			break;
		default:
			usage();
		}
	}
	if (optind + 1 != argc)
		usage();
	load.path = argv[optind];
}

int main(int argc, char **argv)
{
	struct snapshot begin, end;

	parse_arguments(argc, argv);
	open_target();
	set_up_ring();
	run(load.warm_up);
	begin = take_snapshot(true);
	run(load.requests);
	end = take_snapshot(false);
	report(&begin, &end);
	return 0;
}
