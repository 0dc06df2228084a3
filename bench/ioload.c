// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioload [options] FILE: O_DIRECT requests through io_uring, a fixed number or for a
 * fixed time, and what each of them cost, as one JSON object. It measures to the
 * nanosecond and starts nothing else, so that a few thousand requests are
 * enough where a clock counts instructions, and what it measures of CPUs and tasks is
 * that of the requests alone. It submits as fio does: one system call for each request,
 * and one when it has to wait. A latency begins before the system call that submits.
 */
#define _GNU_SOURCE
#include <dirent.h>
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
#define NS_PER_MS    1000000ULL
#define MAX_PER_MS   4000ULL /* requests of a timed run */

static const char usage_text[] =
	"usage: ioload [-w WORKLOAD] [-b BYTES] [-d DEPTH] [-n REQUESTS] [-u REQUESTS] [-s PID]\n"
	"              FILE\n"
	"       ioload [-w WORKLOAD] [-b BYTES] [-d DEPTH] -t MS [-r MB] [-s PID] FILE\n"
	"  -w  randread, randwrite, read, write, mix (randread)\n"
	"  -b  bytes of a request (4096)\n"
	"  -d  requests in flight, 1 to 1024 (1)\n"
	"  -n  requests measured (10000)\n"
	"  -u  requests before that, to warm up (1000)\n"
	"  -t  milliseconds measured, after a fifth of them to warm up\n"
	"  -r  at most so many megabytes (10^6) per second\n"
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
	uint64_t server_user_ticks;
	uint64_t busy_ticks; /* of all CPUs: tasks, kernel threads, interrupts */
	uint64_t switches;
};

static struct {
	const struct workload *workload;
	const char *path;
	uint32_t bytes;
	unsigned int depth;
	uint64_t requests, warm_up;
	uint64_t ms, megabytes; /* 0: a number of requests, no limit */
	pid_t server;

	int fd;
	uint64_t blocks; /* of @bytes in the file */
	uint64_t next; /* block of sequential workloads */
	uint64_t random;
	struct io_uring ring;
	struct slot slots[MAX_DEPTH];
	uint64_t *latencies;
	uint64_t nr_latencies, max_latencies;
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
	uint64_t user, nice, system, irq, softirq;

	if (!file)
		die("/proc/stat", errno);
	while (fgets(line, sizeof(line), file)) {
		if (!strncmp(line, "cpu ", 4) &&
		    sscanf(line,
			   "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %*u %*u %" SCNu64 " %" SCNu64,
			   &user, &nice, &system, &irq, &softirq) == 5)
			snapshot->busy_ticks = user + nice + system + irq + softirq;
		sscanf(line, "ctxt %" SCNu64, &snapshot->switches);
	}
	fclose(file);
}

static uint64_t user_ticks_of(const char *path)
{
	FILE *file = fopen(path, "r");
	char line[1024], *name_end;
	uint64_t ticks = 0;

	/* A thread that has ended meanwhile */
	if (!file)
		return 0;
	name_end = fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
	if (name_end)
		sscanf(name_end, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64, &ticks);
	fclose(file);
	return ticks;
}

/*
 * The user time of the server's threads, one by one: of the process the kernel would
 * divide the sum by samples, and charge the user mode of the thread that set things up to
 * those that work now.
 */
static uint64_t server_user_ticks(void)
{
	char path[64];
	uint64_t ticks = 0;
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", load.server);
	dir = opendir(path);
	if (!dir)
		die(path, errno);
	while ((entry = readdir(dir))) {
		if (*entry->d_name == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%.16s/stat", load.server,
			 entry->d_name);
		ticks += user_ticks_of(path);
	}
	closedir(dir);
	return ticks;
}

static struct snapshot take_snapshot(bool begin)
{
	struct snapshot snapshot = { 0 };
	clockid_t server_clock;
	int err;

	/* The clock is read next to the requests: what reading costs stays outside */
	if (!begin) {
		snapshot.clock = read_clock(CLOCK_MONOTONIC);
		read_proc_stat(&snapshot);
	}
	if (load.server) {
		err = clock_getcpuclockid(load.server, &server_clock);
		if (err)
			die("the clock of the server", err);
		snapshot.server_clock = read_clock(server_clock);
		snapshot.server_user_ticks = server_user_ticks();
	}
	if (begin) {
		read_proc_stat(&snapshot);
		snapshot.clock = read_clock(CLOCK_MONOTONIC);
	}
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

static struct slot *reap(struct io_uring_cqe *cqe)
{
	struct slot *slot;

	if (cqe->res < 0)
		die(load.path, -cqe->res);
	if ((uint32_t)cqe->res != load.bytes)
		die("short transfer", EIO);
	slot = io_uring_cqe_get_data(cqe);
	io_uring_cqe_seen(&load.ring, cqe);
	if (load.nr_latencies == load.max_latencies)
		die("more requests than it has room for", EOVERFLOW);
	load.latencies[load.nr_latencies++] = read_clock(CLOCK_MONOTONIC) - slot->began;
	return slot;
}

static struct slot *wait_for_one(void)
{
	struct io_uring_cqe *cqe;
	int err = io_uring_wait_cqe(&load.ring, &cqe);

	if (err)
		die("io_uring_wait_cqe", -err);
	return reap(cqe);
}

/* NULL if none ends within @ns */
static struct slot *wait_for_one_within(uint64_t ns)
{
	struct __kernel_timespec timeout = { ns / 1000000000, ns % 1000000000 };
	struct io_uring_cqe *cqe;
	int err = io_uring_wait_cqe_timeout(&load.ring, &cqe, &timeout);

	if (err == -ETIME)
		return NULL;
	if (err)
		die("io_uring_wait_cqe_timeout", -err);
	return reap(cqe);
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

/*
 * When request @nr may be submitted, of a run that began at @began: at some moment of its
 * interval. The kernel's ticks sample what CPUs do; they would always meet a regular load,
 * or never.
 */
static uint64_t due(uint64_t began, uint64_t nr)
{
	uint64_t interval;

	if (!load.megabytes)
		return began;
	interval = load.bytes * 1000ULL / load.megabytes;
	return began + nr * interval + random64() % interval;
}

/*
 * For @ms, or a little longer: nothing is in flight at its end, either. With a limit,
 * requests wait for their time, and for others to end while a depth is in flight.
 */
static void run_for(uint64_t ms)
{
	uint64_t began = read_clock(CLOCK_MONOTONIC), now = began, next;
	struct slot *idle[MAX_DEPTH], *slot;
	unsigned int nr_idle;
	uint64_t submitted = 0;

	load.nr_latencies = 0;
	for (nr_idle = 0; nr_idle < load.depth; nr_idle++)
		idle[nr_idle] = &load.slots[nr_idle];
	next = due(began, submitted);
	while (now - began < ms * NS_PER_MS) {
		if (nr_idle && next <= now) {
			submit(idle[--nr_idle]);
			next = due(began, ++submitted);
		} else {
			slot = nr_idle ? wait_for_one_within(next - now) : wait_for_one();
			if (slot)
				idle[nr_idle++] = slot;
		}
		now = read_clock(CLOCK_MONOTONIC);
	}
	while (nr_idle < load.depth)
		idle[nr_idle++] = wait_for_one();
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
	int err;

	load.max_latencies = load.requests > load.warm_up ? load.requests : load.warm_up;
	if (load.ms)
		load.max_latencies = load.ms * MAX_PER_MS;
	err = io_uring_queue_init_params(load.depth, &load.ring, &params);
	if (err)
		die("io_uring_queue_init", -err);
	for (unsigned int i = 0; i < load.depth; i++) {
		err = posix_memalign(&load.slots[i].buffer, BUFFER_ALIGN, load.bytes);
		if (err)
			die("memory", err);
		memset(load.slots[i].buffer, 0xa5, load.bytes);
	}
	load.latencies = calloc(load.max_latencies, sizeof(*load.latencies));
	if (!load.latencies)
		die("memory", ENOMEM);
	memset(load.latencies, 1, load.max_latencies * sizeof(*load.latencies));
}

static int compare_latencies(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void report(const struct snapshot *begin, const struct snapshot *end)
{
	uint64_t requests = load.nr_latencies, sum = 0;
	uint64_t ns = end->clock - begin->clock;
	uint64_t ns_per_tick = 1000000000 / (uint64_t)sysconf(_SC_CLK_TCK);

	if (!requests)
		die("no request in this time", ETIMEDOUT);
	for (uint64_t i = 0; i < requests; i++)
		sum += load.latencies[i];
	qsort(load.latencies, requests, sizeof(*load.latencies), compare_latencies);
	printf("{\"requests\":%" PRIu64 ",\"ns\":%" PRIu64 ",\"latency_mean_ns\":%" PRIu64
	       ",\"latency_p99_ns\":%" PRIu64 ",\"switches\":%" PRIu64 ",\"busy_ns\":%" PRIu64,
	       requests, ns, sum / requests, load.latencies[requests * 99 / 100],
	       end->switches - begin->switches,
	       (end->busy_ticks - begin->busy_ticks) * ns_per_tick);
	if (load.server)
		printf(",\"server_ns\":%" PRIu64 ",\"server_user_ns\":%" PRIu64,
		       end->server_clock - begin->server_clock,
		       (end->server_user_ticks - begin->server_user_ticks) * ns_per_tick);
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

	while ((option = getopt(argc, argv, "w:b:d:n:u:t:r:s:")) != -1) {
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
		case 't':
			load.ms = number(optarg, 1, 60000);
			break;
		case 'r':
			load.megabytes = number(optarg, 1, 1000000);
			break;
		case 's':
			load.server = (pid_t)number(optarg, 1, 1 << 30);
			break;
		default:
			usage();
		}
	}
	if (optind + 1 != argc || (load.megabytes && !load.ms))
		usage();
	load.path = argv[optind];
}

int main(int argc, char **argv)
{
	struct snapshot begin, end;

	parse_arguments(argc, argv);
	open_target();
	set_up_ring();
	if (load.ms)
		run_for(load.ms / 5);
	else
		run(load.warm_up);
	begin = take_snapshot(true);
	if (load.ms)
		run_for(load.ms);
	else
		run(load.requests);
	end = take_snapshot(false);
	report(&begin, &end);
	return 0;
}
