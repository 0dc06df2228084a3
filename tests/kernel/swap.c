// SPDX-License-Identifier: GPL-2.0-only
/*
 * swap OBJECT WRITER SWAPS BACKEND0 BACKEND1 COPY STATE: replaces the program and
 * the backends of a device, under the load of WRITER ("acknowledged"), which
 * notices nothing; detaches and attaches it; and checks that what was written
 * before a replacement is flushed.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "test_device.h"
#include "test_io.h"
#include "test_program.h"

#define DEVICE_BYTES (8U << 20)
#define HALF_BYTES   (DEVICE_BYTES / 2)

enum routing { STRAIGHT, CROSSED, WITH_COPY, NR_ROUTINGS };

struct swap_test {
	struct test_device dev;
	int progs[NR_ROUTINGS];
	const char *paths[3]; /* the backends and the copy */
	int exclusive[3]; /* open block devices; of other files 0 */
	enum routing routing;
	const char *writer, *state;
	pid_t load;
};

static const char *const routing_names[] = { "straight", "crossed", "with_copy" };

/* --- replacing --- */

static int replace(struct swap_test *t, enum routing routing, struct ublk_bpf_slot *slots,
		   unsigned int nr)
{
	struct ublk_bpf_attach attach = {
		.prog_fd = t->progs[routing],
		.flags = UBLK_BPF_ATTACH_REPLACE,
		.max_items = 8,
		.nr_slots = nr,
		.slots = (unsigned long)slots,
	};
	int ret = ublk_command(UBLK_U_CMD_ATTACH_BPF, t->dev.id, &attach, sizeof(attach), 0);

	if (!ret)
		t->routing = routing;
	return ret;
}

/* The slot that has the device's first half */
static int first_slot(enum routing routing)
{
	return routing == CROSSED ? 1 : 0;
}

/* A block device is open exclusively, so a new opening has to be the same file */
static int open_backend(const struct swap_test *t, unsigned int i)
{
	if (t->exclusive[i] > 0)
		return dup(t->exclusive[i]);
	return require_fd(open(t->paths[i], O_RDWR | O_DIRECT), t->paths[i]);
}

/* With the backends that are there; the copy is opened when it comes */
static int replace_keeping(struct swap_test *t, enum routing routing)
{
	bool cross = first_slot(routing) != first_slot(t->routing);
	struct ublk_bpf_slot slots[3] = {
		{ .fd = cross, .flags = UBLK_BPF_SLOT_KEEP },
		{ .fd = !cross, .flags = UBLK_BPF_SLOT_KEEP },
		{ .fd = 2, .flags = UBLK_BPF_SLOT_KEEP },
	};
	bool opened = routing == WITH_COPY && t->routing != WITH_COPY;
	int ret;

	if (opened) {
		slots[2].fd = open_backend(t, 2);
		slots[2].flags = 0;
	}
	ret = replace(t, routing, slots, routing == WITH_COPY ? 3 : 2);
	if (opened)
		close(slots[2].fd);
	return ret;
}

static int replace_opening(struct swap_test *t, enum routing routing)
{
	struct ublk_bpf_slot slots[3];
	unsigned int i, nr = routing == WITH_COPY ? 3 : 2;
	int ret;

	for (i = 0; i < nr; i++) {
		unsigned int backend = i < 2 && first_slot(routing) ? 1 - i : i;

		slots[i] = (struct ublk_bpf_slot){ .fd = open_backend(t, backend) };
	}
	ret = replace(t, routing, slots, nr);
	for (i = 0; i < nr; i++)
		close(slots[i].fd);
	return ret;
}

/* --- load --- */

static void start_load(struct swap_test *t)
{
	char node[32];

	snprintf(node, sizeof(node), "/dev/ublkb%d", t->dev.id);
	fflush(stdout);
	t->load = fork();
	require(t->load < 0 ? -errno : 0, "fork");
	if (!t->load) {
		execl(t->writer, t->writer, "write", node, t->state, "16", NULL);
		_exit(127);
	}
}

static bool load_runs(const struct swap_test *t)
{
	return waitpid(t->load, NULL, WNOHANG) == 0;
}

static bool end_load(struct swap_test *t)
{
	char node[32];
	int status;
	pid_t pid;

	kill(t->load, SIGTERM);
	if (waitpid(t->load, &status, 0) != t->load || status)
		return false;
	snprintf(node, sizeof(node), "/dev/ublkb%d", t->dev.id);
	fflush(stdout);
	pid = fork();
	require(pid < 0 ? -errno : 0, "fork");
	if (!pid) {
		execl(t->writer, t->writer, "verify", node, t->state, NULL);
		_exit(127);
	}
	return waitpid(pid, &status, 0) == pid && !status;
}

static void check_under_load(struct swap_test *t, unsigned int swaps)
{
	unsigned int i;
	int ret = 0;

	start_load(t);
	for (i = 0; !ret && i < swaps && load_runs(t); i++) {
		enum routing next = (enum routing)((unsigned int)rand() % NR_ROUTINGS);

		ret = rand() % 4 ? replace_keeping(t, next) : replace_opening(t, next);
	}
	check(!ret && i == swaps, "%u of %u replacements under load (%d)", i, swaps, ret);
	check(load_runs(t), "the load goes on");
	check(end_load(t), "no write is lost or misplaced");
	check(t->dev.counters->redirected == 0, "no request went to the server");
}

/* Detached, the server serves: here by failing what it gets */
static void check_detach(struct swap_test *t)
{
	struct ublk_bpf_attach attach = {
		.prog_fd = t->progs[STRAIGHT],
		.max_items = 8,
		.nr_slots = 2,
		.slots = (unsigned long)t->dev.slots,
	};
	void *bytes = random_bytes(65536, 1);
	unsigned long before;
	int ret;

	check(!ublk_command(UBLK_U_CMD_DETACH_BPF, t->dev.id, NULL, 0, 0), "detach");
	before = t->dev.counters->redirected;
	check(transfer(t->dev.disk_fd, false, 0, bytes, 65536, 4) == -EIO &&
		      t->dev.counters->redirected > before,
	      "detach: requests go to the server");
	check(ublk_command(UBLK_U_CMD_DETACH_BPF, t->dev.id, NULL, 0, 0) == -EINVAL,
	      "detach: there is nothing to detach twice");
	ret = ublk_command(UBLK_U_CMD_ATTACH_BPF, t->dev.id, &attach, sizeof(attach), 0);
	t->routing = STRAIGHT;
	before = t->dev.counters->redirected;
	check(!ret, "attach to the live device (%d)", ret);
	check(!transfer(t->dev.disk_fd, true, 0, bytes, 65536, 4) &&
		      holds(t->dev.slots[0].fd, 0, bytes, 65536) &&
		      t->dev.counters->redirected == before,
	      "attach: requests are routed again");
	attach.flags = UBLK_BPF_ATTACH_REPLACE;
	attach.no_flush = 1ULL << attach.nr_slots;
	ret = ublk_command(UBLK_U_CMD_ATTACH_BPF, t->dev.id, &attach, sizeof(attach), 0);
	check(ret == -EINVAL, "replace: no_flush names a slot that there is not (%d)", ret);
	free(bytes);
}

/* --- flushes --- */

/* Flush requests that a disk has had, of /sys/dev/block/.../stat */
static unsigned long flushes(const char *path)
{
	unsigned long fields[17] = {};
	char stat_path[64], line[512];
	struct stat st;
	char *next;
	FILE *file;
	int i;

	require(stat(path, &st) ? -errno : 0, "%s", path);
	snprintf(stat_path, sizeof(stat_path), "/sys/dev/block/%u:%u/stat", major(st.st_rdev),
		 minor(st.st_rdev));
	file = fopen(stat_path, "r");
	require(file && fgets(line, sizeof(line), file) ? 0 : -EIO, "%s", stat_path);
	fclose(file);
	next = line;
	for (i = 0; i < 17; i++)
		fields[i] = strtoul(next, &next, 10);
	return fields[15];
}

static void write_first_half(struct swap_test *t)
{
	void *bytes = random_bytes(65536, 2);

	require(transfer(t->dev.disk_fd, true, 4096, bytes, 65536, 4), "write");
	free(bytes);
}

static void check_flushes(struct swap_test *t)
{
	unsigned long copy, kept;

	require(replace_opening(t, WITH_COPY), "replace");
	write_first_half(t);
	copy = flushes(t->paths[2]);
	kept = flushes(t->paths[0]);
	check(!replace_keeping(t, STRAIGHT), "flush: drop a backend that was written");
	check(flushes(t->paths[2]) > copy, "flush: it was flushed when the command returned");
	write_first_half(t);
	kept = flushes(t->paths[0]);
	check(!replace_keeping(t, CROSSED) && !fdatasync(t->dev.disk_fd),
	      "flush: the device, after a replacement that keeps the backends");
	check(flushes(t->paths[0]) > kept, "flush: it reaches what was written before");
	check(!replace_opening(t, STRAIGHT), "flush: replace all backends by new openings of them");
	check(!fdatasync(t->dev.disk_fd), "flush: the device again");
}

int main(int argc, char **argv)
{
	const __u64 half = HALF_BYTES / 512;
	struct bpf_object *object;
	struct swap_test t = {};
	int i;

	if (argc != 8) {
		fprintf(stderr, "usage: swap OBJECT WRITER SWAPS BACKEND0 BACKEND1 COPY STATE\n");
		return 2;
	}
	object = programs_open(argv[1]);
	constant_set(object, "half_sectors", &half, sizeof(half));
	programs_load(object);
	t.writer = argv[2];
	t.state = argv[7];
	t.dev = (struct test_device){
		.flags = UBLK_F_USER_COPY,
		.queues = 2,
		.sectors = DEVICE_BYTES / 512,
		.attrs = UBLK_ATTR_VOLATILE_CACHE | UBLK_ATTR_FUA,
		.nr_slots = 2,
	};
	for (i = 0; i < NR_ROUTINGS; i++)
		t.progs[i] = program_fd(object, routing_names[i]);
	for (i = 0; i < 3; i++) {
		t.paths[i] = argv[4 + i];
		if (!strncmp(t.paths[i], "/dev/", 5))
			t.exclusive[i] = require_fd(open(t.paths[i], O_RDWR | O_DIRECT | O_EXCL),
						    t.paths[i]);
	}
	for (i = 0; i < 2; i++)
		t.dev.slots[i].fd = open_backend(&t, i);
	t.dev.prog_fd = t.progs[STRAIGHT];
	test_device_start(&t.dev);
	check_under_load(&t, (unsigned int)atoi(argv[3]));
	check_detach(&t);
	if (!strncmp(t.paths[0], "/dev/", 5))
		check_flushes(&t);
	test_device_remove(&t.dev);
	return check_result();
}
