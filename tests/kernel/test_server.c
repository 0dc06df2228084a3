// SPDX-License-Identifier: GPL-2.0-only
/*
 * The server of a test device: it attaches the program, fetches the commands of
 * all tags and serves the requests that the program redirects.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <liburing.h>
#include <linux/falloc.h>

#include "test_server.h"

#define CHAR_NODE_WAIT_MS 5000

/* user_data of a read or write that serves a redirected request */
#define SERVING_FILE (1ULL << 32)

struct server_thread {
	struct test_device *dev;
	const char *descs; /* struct ublksrv_io_desc of each tag of the queue */
	int char_fd;
	unsigned int queue, first_tag;
	unsigned int fetched; /* FETCH commands that the driver has */
	pthread_t thread;
	struct io_uring ring;
	void *buffer;
	sem_t ready;
	int error; /* of the FETCH commands, when ready */
};

static const struct ublksrv_io_desc *desc_of(const struct server_thread *t, unsigned int tag)
{
	return (const struct ublksrv_io_desc *)t->descs + tag;
}

/* Its size has room for a command and an I/O of each tag */
static struct io_uring_sqe *next_sqe(struct server_thread *t)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&t->ring);

	if (!sqe) {
		fprintf(stderr, "test server: the ring is full\n");
		_exit(1);
	}
	memset(sqe, 0, sizeof(*sqe));
	return sqe;
}

void test_server_prepare(struct io_uring_sqe *sqe, int char_fd, unsigned int op,
			 const struct ublksrv_io_cmd *command)
{
	sqe->opcode = IORING_OP_URING_CMD;
	sqe->fd = char_fd;
	sqe->cmd_op = op;
	memcpy(sqe->cmd, command, sizeof(*command));
}

static void queue_command(struct server_thread *t, unsigned int op, unsigned int tag, int result)
{
	const struct ublksrv_io_cmd command = {
		.q_id = (__u16)t->queue,
		.tag = (__u16)tag,
		.result = result,
	};
	struct io_uring_sqe *sqe = next_sqe(t);

	test_server_prepare(sqe, t->char_fd, op, &command);
	sqe->user_data = tag;
	if (t->dev->flags & UBLK_F_AUTO_BUF_REG)
		sqe->addr = tag; /* struct ublk_auto_buf_reg: the index */
}

static void commit(struct server_thread *t, unsigned int tag, int result)
{
	queue_command(t, UBLK_U_IO_COMMIT_AND_FETCH_REQ, tag, result);
}

static int result_of(ssize_t n)
{
	return n < 0 ? -errno : (int)n;
}

/* What needs no payload; returns the request's result */
static int serve_range(int fd, const struct ublksrv_io_desc *desc)
{
	off_t off = (off_t)desc->start_sector << 9;
	off_t len = (off_t)desc->nr_sectors << 9;

	switch (ublksrv_get_op(desc)) {
	case UBLK_IO_OP_FLUSH:
		return result_of(fdatasync(fd));
	case UBLK_IO_OP_DISCARD:
		return result_of(
			fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, off, len));
	case UBLK_IO_OP_WRITE_ZEROES:
		return result_of(
			fallocate(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, off, len));
	default:
		return -EOPNOTSUPP;
	}
}

static int serve_user_copy(struct server_thread *t, unsigned int tag)
{
	const struct ublksrv_io_desc *desc = desc_of(t, tag);
	off_t request = UBLKSRV_IO_BUF_OFFSET + ((off_t)t->queue << UBLK_QID_OFF) +
			((off_t)tag << UBLK_TAG_OFF);
	off_t off = (off_t)desc->start_sector << 9;
	size_t len = (size_t)desc->nr_sectors << 9;
	ssize_t n;

	switch (ublksrv_get_op(desc)) {
	case UBLK_IO_OP_READ:
		n = pread(t->dev->serve_fd, t->buffer, len, off);
		return n < 0 ? -errno : result_of(pwrite(t->char_fd, t->buffer, n, request));
	case UBLK_IO_OP_WRITE:
		n = pread(t->char_fd, t->buffer, len, request);
		return n < 0 ? -errno : result_of(pwrite(t->dev->serve_fd, t->buffer, n, off));
	default:
		return serve_range(t->dev->serve_fd, desc);
	}
}

/* The file's completion commits the request */
static void serve_auto_buf(struct server_thread *t, unsigned int tag)
{
	const struct ublksrv_io_desc *desc = desc_of(t, tag);
	unsigned int op = ublksrv_get_op(desc);
	struct io_uring_sqe *sqe;

	if (op != UBLK_IO_OP_READ && op != UBLK_IO_OP_WRITE) {
		commit(t, tag, serve_range(t->dev->serve_fd, desc));
		return;
	}
	sqe = next_sqe(t);
	sqe->opcode = op == UBLK_IO_OP_READ ? IORING_OP_READ_FIXED : IORING_OP_WRITE_FIXED;
	sqe->fd = t->dev->serve_fd;
	sqe->off = desc->start_sector << 9;
	sqe->len = desc->nr_sectors << 9;
	sqe->buf_index = (__u16)tag;
	sqe->user_data = tag | SERVING_FILE;
}

static void serve(struct server_thread *t, unsigned int tag)
{
	__atomic_fetch_add(&t->dev->counters->redirected, 1, __ATOMIC_RELAXED);
	if (t->dev->serve_us)
		usleep(t->dev->serve_us);
	switch (t->dev->serve) {
	case SERVE_USER_COPY:
		commit(t, tag, serve_user_copy(t, tag));
		break;
	case SERVE_AUTO_BUF:
		serve_auto_buf(t, tag);
		break;
	default:
		commit(t, tag, -EIO);
	}
}

static void handle_completions(struct server_thread *t)
{
	struct io_uring_cqe *cqe;

	while (!io_uring_peek_cqe(&t->ring, &cqe)) {
		__u64 data = cqe->user_data;
		int res = cqe->res;

		io_uring_cqe_seen(&t->ring, cqe);
		if (data & SERVING_FILE)
			commit(t, (unsigned int)(data & ~SERVING_FILE), res);
		else if (res == UBLK_IO_RES_OK)
			serve(t, (unsigned int)data);
		else
			t->fetched = t->dev->leaves ? 0 : t->fetched - 1;
	}
}

/* Returns 0 or the errno of a FETCH that the driver refused */
static int fetch_all(struct server_thread *t)
{
	struct io_uring_cqe *cqe;
	unsigned int tag;

	for (tag = t->first_tag; tag < t->dev->depth; tag += t->dev->threads_per_queue) {
		queue_command(t, UBLK_U_IO_FETCH_REQ, tag, 0);
		t->fetched++;
	}
	if (io_uring_submit(&t->ring) != (int)t->fetched)
		return -EIO;
	/* the thread of an SQPOLL ring has not looked at them yet */
	if (t->dev->ring_flags & IORING_SETUP_SQPOLL)
		io_uring_wait_cqe(&t->ring, &cqe);
	return io_uring_peek_cqe(&t->ring, &cqe) ? 0 : cqe->res;
}

static int set_up_ring(struct server_thread *t)
{
	int ret;

	/* only this thread's credentials; setresuid() would change all threads */
	if (t->dev->server_uid && syscall(SYS_setresuid, -1, t->dev->server_uid, -1))
		return -errno;
	ret = io_uring_queue_init(2 * t->dev->depth, &t->ring, t->dev->ring_flags);
	if (!ret && t->dev->flags & UBLK_F_AUTO_BUF_REG)
		ret = io_uring_register_buffers_sparse(&t->ring, t->dev->depth);
	return ret ?: fetch_all(t);
}

static void *thread_main(void *arg)
{
	struct server_thread *t = arg;

	t->error = set_up_ring(t);
	sem_post(&t->ready);
	while (!t->error && t->fetched) {
		int ret = io_uring_submit_and_wait(&t->ring, 1);

		__atomic_fetch_add(&t->dev->counters->user_returns, 1, __ATOMIC_RELAXED);
		if (ret < 0 && ret != -EINTR && ret != -EAGAIN && ret != -EBUSY)
			break;
		handle_completions(t);
	}
	/* what it has served is committed before it leaves */
	io_uring_submit(&t->ring);
	return NULL;
}

static int start_thread(struct server_thread *t)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t descs = (t->dev->depth * sizeof(struct ublksrv_io_desc) + page - 1) & ~(page - 1);
	size_t stride = UBLK_MAX_QUEUE_DEPTH * sizeof(struct ublksrv_io_desc);

	t->descs = mmap(NULL, descs, PROT_READ, MAP_SHARED, t->char_fd,
			(off_t)(UBLKSRV_CMD_BUF_OFFSET + t->queue * stride));
	if (t->descs == MAP_FAILED)
		return -errno;
	if (posix_memalign(&t->buffer, 4096, t->dev->max_sectors << 9))
		return -ENOMEM;
	sem_init(&t->ready, 0, 0);
	if (pthread_create(&t->thread, NULL, thread_main, t))
		return -EAGAIN;
	while (sem_wait(&t->ready))
		;
	return t->error;
}

int test_server_char_node(int id)
{
	char node[32];
	int fd, ms;

	snprintf(node, sizeof(node), "/dev/ublkc%d", id);
	for (ms = 0; ms < CHAR_NODE_WAIT_MS; ms++) {
		fd = open(node, O_RDWR | O_CLOEXEC);
		if (fd >= 0)
			return fd;
		/* EBUSY: the server before this one is not gone yet */
		if (errno != ENOENT && errno != EBUSY)
			break;
		usleep(1000);
	}
	return -errno;
}

static int start_recovery(int id)
{
	int ret, ms;

	for (ms = 0; ms < CHAR_NODE_WAIT_MS; ms++) {
		ret = ublk_command(UBLK_U_CMD_START_USER_RECOVERY, id, NULL, 0, 0);
		if (ret != -EBUSY)
			break;
		usleep(1000);
	}
	return ret;
}

static int start(struct test_device *dev, bool recover, struct server_thread **threads)
{
	struct ublk_bpf_attach attach = {
		.prog_fd = dev->prog_fd,
		.max_items = dev->max_items,
		.nr_slots = dev->nr_slots,
		.slots = (unsigned long)dev->slots,
		.flags = dev->complete_fd ? UBLK_BPF_ATTACH_COMPLETE : 0,
		.complete_fd = dev->complete_fd,
	};
	unsigned int i, nr = dev->queues * dev->threads_per_queue;
	int char_fd, ret;

	ret = recover ? start_recovery(dev->id) : 0;
	if (ret)
		return ret;
	char_fd = test_server_char_node(dev->id);
	if (char_fd < 0)
		return char_fd;
	dev->counters->char_fd = char_fd;
	if (dev->prog_fd >= 0)
		ret = ublk_command(UBLK_U_CMD_ATTACH_BPF, dev->id, &attach, sizeof(attach), 0);
	if (ret)
		return ret;

	*threads = calloc(nr, sizeof(**threads));
	for (i = 0; i < nr; i++) {
		struct server_thread *t = *threads + i;

		t->dev = dev;
		t->char_fd = char_fd;
		t->queue = i / dev->threads_per_queue;
		t->first_tag = i % dev->threads_per_queue;
		ret = start_thread(t);
		if (ret)
			return ret;
	}
	return ublk_command(recover ? UBLK_U_CMD_END_USER_RECOVERY : UBLK_U_CMD_START_DEV, dev->id,
			    NULL, 0, (__u64)getpid());
}

void test_server_main(struct test_device *dev, bool recover, int report_fd)
{
	unsigned int i, nr = dev->queues * dev->threads_per_queue;
	struct server_thread *threads = NULL;
	int ret;

	ret = start(dev, recover, &threads);
	if (write(report_fd, &ret, sizeof(ret)) != sizeof(ret) || ret)
		_exit(1);
	close(report_fd);
	for (i = 0; i < nr; i++)
		pthread_join(threads[i].thread, NULL);
	_exit(0);
}
