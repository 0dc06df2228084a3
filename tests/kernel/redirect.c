// SPDX-License-Identifier: GPL-2.0-only
/*
 * redirect OBJECT BACKEND FILE: the first half of a device is routed to BACKEND
 * in the kernel, the second half and flushes are redirected to the server, which
 * serves them from FILE: with UBLK_F_USER_COPY and with UBLK_F_AUTO_BUF_REG.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>

#include "test_device.h"
#include "test_io.h"
#include "test_program.h"

#define DEVICE_BYTES (8U << 20)
#define HALF_BYTES   (DEVICE_BYTES / 2)

struct variant {
	const char *name;
	__u64 flags;
	enum serve_mode serve;
	unsigned int queues, threads_per_queue;
};

static const struct variant variants[] = {
	{ "USER_COPY", UBLK_F_USER_COPY, SERVE_USER_COPY, 1, 1 },
	{ "USER_COPY, two queues with two threads each", UBLK_F_USER_COPY, SERVE_USER_COPY, 2, 2 },
	{ "AUTO_BUF_REG", UBLK_F_AUTO_BUF_REG, SERVE_AUTO_BUF, 1, 1 },
	{ "AUTO_BUF_REG, two queues with two threads each", UBLK_F_AUTO_BUF_REG, SERVE_AUTO_BUF, 2,
	  2 },
};

struct redirect {
	const struct variant *variant;
	struct test_device dev;
	int backend, file;
};

static unsigned long redirected(const struct redirect *t)
{
	return __atomic_load_n(&t->dev.counters->redirected, __ATOMIC_RELAXED);
}

static void check_data(struct redirect *t)
{
	char *out = random_bytes(DEVICE_BYTES, (unsigned int)(t->variant - variants));
	char *in = zero_bytes(DEVICE_BYTES);
	const char *name = t->variant->name;
	unsigned long before;

	check(!transfer(t->dev.disk_fd, true, 0, out, DEVICE_BYTES, 16), "%s: write", name);
	check(!transfer(t->dev.disk_fd, false, 0, in, DEVICE_BYTES, 16), "%s: read", name);
	check(!memcmp(in, out, DEVICE_BYTES), "%s: what was written is read", name);
	check(holds(t->backend, 0, out, HALF_BYTES), "%s: the policy's half is on its backend",
	      name);
	check(holds(t->file, HALF_BYTES, out + HALF_BYTES, HALF_BYTES),
	      "%s: the server's half is in its file", name);
	check(!holds(t->file, 0, out, 4096), "%s: nothing of the policy's half reached the server",
	      name);

	before = redirected(t);
	check(!transfer(t->dev.disk_fd, true, 0, out, HALF_BYTES, 16) && redirected(t) == before,
	      "%s: the policy's half takes no redirect", name);
	check(!transfer(t->dev.disk_fd, true, HALF_BYTES, out, 512, 1) &&
		      redirected(t) == before + 1,
	      "%s: one request behind the boundary takes one", name);
	check(!fsync(t->dev.disk_fd) && redirected(t) == before + 2, "%s: so does a flush", name);
	free(in);
	free(out);
}

/* The server's errors and short answers are the request's */
static void check_errors(struct redirect *t)
{
	char *bytes = random_bytes(1 << 16, 99);
	int file = t->file;

	check(!ftruncate(file, HALF_BYTES + 4096), "%s: shorten the file", t->variant->name);
	check(transfer(t->dev.disk_fd, false, HALF_BYTES + 65536, bytes, 4096, 1) == -EIO,
	      "%s: a server that answers a read with 0 bytes gives EIO", t->variant->name);
	check(!ftruncate(file, DEVICE_BYTES), "%s: lengthen the file", t->variant->name);
	check(!transfer(t->dev.disk_fd, false, HALF_BYTES + 65536, bytes, 4096, 1),
	      "%s: and then it serves again", t->variant->name);
	free(bytes);
}

/*
 * A request that the kernel serves is none of the server's, whatever tag it
 * has: its payload must not be within reach of /dev/ublkcN.
 */
struct intruder {
	struct redirect *t;
	int char_fd;
	bool stop;
	unsigned long tries, hits;
};

static void *intrude(void *arg)
{
	struct intruder *intruder = arg;
	unsigned int tag = 0;
	char byte[512];

	while (!__atomic_load_n(&intruder->stop, __ATOMIC_RELAXED)) {
		off_t at = UBLKSRV_IO_BUF_OFFSET + ((off_t)tag << UBLK_TAG_OFF);

		intruder->hits += pread(intruder->char_fd, byte, sizeof(byte), at) >= 0;
		intruder->hits += pwrite(intruder->char_fd, byte, sizeof(byte), at) >= 0;
		intruder->tries += 2;
		tag = (tag + 1) % intruder->t->dev.depth;
	}
	return NULL;
}

static void check_intruder(struct redirect *t)
{
	struct intruder intruder = { .t = t };
	char *bytes = random_bytes(HALF_BYTES, 5);
	pthread_t thread;
	int round;

	intruder.char_fd = test_device_char_fd(&t->dev);
	require(-pthread_create(&thread, NULL, intrude, &intruder), "thread");
	for (round = 0; round < 6; round++)
		if (transfer(t->dev.disk_fd, round & 1, 0, bytes, HALF_BYTES, 16))
			break;
	__atomic_store_n(&intruder.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	check(intruder.tries > 1000 && !intruder.hits,
	      "%s: payloads of the kernel's requests are out of the server's reach (%lu tries)",
	      t->variant->name, intruder.tries);
	close(intruder.char_fd);
	free(bytes);
}

/* Its requests in flight end when the server dies, wherever they are */
static void check_death(struct redirect *t)
{
	char *bytes = random_bytes(DEVICE_BYTES, 6);
	pid_t client = fork();
	int status;

	require(client < 0 ? -errno : 0, "fork");
	if (!client) {
		while (!transfer(t->dev.disk_fd, true, 0, bytes, DEVICE_BYTES, 16))
			;
		_exit(0);
	}
	usleep(300000);
	test_device_kill(&t->dev);
	check(waitpid(client, &status, 0) == client && status == 0,
	      "%s: requests end when the server dies", t->variant->name);
	free(bytes);
}

static void run(struct redirect *t, int prog_fd)
{
	const struct variant *variant = t->variant;

	t->dev = (struct test_device){
		.flags = variant->flags,
		.queues = variant->queues,
		.threads_per_queue = variant->threads_per_queue,
		.sectors = DEVICE_BYTES / 512,
		.chunk_sectors = HALF_BYTES / 512,
		.attrs = UBLK_ATTR_VOLATILE_CACHE,
		.prog_fd = prog_fd,
		.slots = { { .fd = t->backend } },
		.nr_slots = 1,
		.serve = variant->serve,
		.serve_fd = t->file,
	};
	test_device_start(&t->dev);
	check_data(t);
	check_errors(t);
	if (variant->flags & UBLK_F_USER_COPY)
		check_intruder(t);
	check_death(t);
	test_device_remove(&t->dev);
}

int main(int argc, char **argv)
{
	const __u64 from = HALF_BYTES / 512;
	const __u32 yes = 1;
	struct bpf_object *object;
	struct redirect t = {};
	size_t i;

	if (argc != 4) {
		fprintf(stderr, "usage: redirect OBJECT BACKEND FILE\n");
		return 2;
	}
	object = programs_open(argv[1]);
	constant_set(object, "redirect_from", &from, sizeof(from));
	constant_set(object, "redirect_flush", &yes, sizeof(yes));
	programs_load(object);
	t.backend = require_fd(open(argv[2], O_RDWR | O_DIRECT | O_EXCL), argv[2]);
	t.file = require_fd(open(argv[3], O_RDWR), argv[3]);
	for (i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
		t.variant = &variants[i];
		run(&t, program_fd(object, "route"));
	}
	return check_result();
}
