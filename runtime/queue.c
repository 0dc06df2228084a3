// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <liburing.h>
#include <linux/ublk_cmd.h>

#include "queue.h"
#include "thread.h"

/* All memory of the process is locked: the default of 8 MiB would be real */
#define QUEUE_STACK_SIZE (64 * 1024 + PTHREAD_STACK_MIN)

/*
 * DEFER_TASKRUN: the kernel's work for this ring runs only while the thread
 * waits in io_uring_enter(), where it always is.
 */
#define QUEUE_RING_FLAGS (IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN)

/* user_data of the poll on wake_fd; that of a command is its tag */
#define QUEUE_WAKE (~0ULL)

static void count(__u64 *counter)
{
	/* One writer; readers are other processes */
	__atomic_store_n(counter, *counter + 1, __ATOMIC_RELAXED);
}

static int queue_command(struct queue *q, struct io_uring *ring, __u32 op, __u16 tag, __s32 result)
{
	const struct ublksrv_io_cmd command = {
		.q_id = (__u16)q->id,
		.tag = tag,
		.result = result,
	};
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

	if (!sqe)
		return -EBUSY;

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_URING_CMD;
	sqe->fd = q->char_fd;
	sqe->cmd_op = op;
	sqe->user_data = tag;
	memcpy(sqe->cmd, &command, sizeof(command));
	return 0;
}

/* What other threads want of this one shows up as a completion, too */
static int watch_wake_fd(struct queue *q, struct io_uring *ring)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

	if (!sqe)
		return -EBUSY;
	io_uring_prep_poll_add(sqe, q->wake_fd, POLLIN);
	sqe->user_data = QUEUE_WAKE;
	return 0;
}

static int submit_all_fetches(struct queue *q, struct io_uring *ring)
{
	unsigned int tag;
	int ret;

	for (tag = 0; tag < q->depth; tag++) {
		ret = queue_command(q, ring, UBLK_U_IO_FETCH_REQ, (__u16)tag, 0);
		if (ret)
			return ret;
	}
	ret = watch_wake_fd(q, ring);
	if (ret)
		return ret;
	ret = io_uring_submit(ring);
	if (ret < 0)
		return ret;
	return (unsigned int)ret == q->depth + 1 ? 0 : -EIO;
}

/* A FETCH that the driver refuses has completed when io_uring_submit() returns */
static int refused_fetch(struct io_uring *ring)
{
	struct io_uring_cqe *cqe;

	if (io_uring_peek_cqe(ring, &cqe))
		return 0;
	return cqe->res < 0 ? cqe->res : 0;
}

/* Return: how many FETCH commands ended for good */
static unsigned int commit(struct queue *q, struct io_uring *ring, unsigned int tag, int result)
{
	return queue_command(q, ring, UBLK_U_IO_COMMIT_AND_FETCH_REQ, (__u16)tag, result) ? 1 : 0;
}

static unsigned int handle_wake(struct queue *q, struct io_uring *ring)
{
	unsigned int ended = 0;
	eventfd_t count;
	int tag, result;

	eventfd_read(q->wake_fd, &count);
	while ((tag = redirect_next_done(&q->redirect, &result)) >= 0)
		ended += commit(q, ring, (unsigned int)tag, result);
	if (watch_wake_fd(q, ring))
		__atomic_store_n(&q->giving_up, true, __ATOMIC_RELAXED);
	return ended;
}

/* Return: how many FETCH commands ended for good */
static unsigned int handle_fetch(struct queue *q, struct io_uring *ring, unsigned int tag, int res)
{
	if (res != UBLK_IO_RES_OK)
		return 1;
	count(&q->counters->redirected);
	if (!q->redirect.handler)
		return commit(q, ring, tag, -EIO);
	redirect_begin(&q->redirect, tag);
	return 0;
}

static unsigned int handle_completions(struct queue *q, struct io_uring *ring)
{
	struct io_uring_cqe *cqe;
	unsigned int ended = 0;

	while (!io_uring_peek_cqe(ring, &cqe)) {
		__u64 data = cqe->user_data;
		int res = cqe->res;

		io_uring_cqe_seen(ring, cqe);
		if (data == QUEUE_WAKE)
			ended += handle_wake(q, ring);
		else
			ended += handle_fetch(q, ring, (unsigned int)data, res);
	}
	return ended;
}

static void run_until_aborted(struct queue *q, struct io_uring *ring)
{
	unsigned int fetches = q->depth;
	int ret;

	while (fetches && !__atomic_load_n(&q->giving_up, __ATOMIC_RELAXED)) {
		ret = io_uring_submit_and_wait(ring, 1);
		count(&q->counters->user_returns);
		if (ret < 0 && ret != -EINTR && ret != -EAGAIN && ret != -EBUSY)
			break;
		fetches -= handle_completions(q, ring);
	}
}

static void *queue_main(void *arg)
{
	struct io_uring ring;
	struct queue *q = arg;
	char name[16];
	int ret;

	snprintf(name, sizeof(name), "ublkpol_q%u", q->id);
	pthread_setname_np(pthread_self(), name);
	q->counters->tid = (__u32)gettid();
	/* A CPU set that a cpuset forbids only costs locality */
	if (CPU_COUNT(&q->cpus))
		sched_setaffinity(0, sizeof(q->cpus), &q->cpus);

	/* One entry more than tags, for the wake-up */
	ret = io_uring_queue_init(q->depth + 1, &ring, QUEUE_RING_FLAGS);
	if (ret < 0) {
		q->setup_error = ret;
		sem_post(&q->fetched);
		goto out;
	}

	ret = submit_all_fetches(q, &ring);
	q->setup_error = refused_fetch(&ring);
	if (!q->setup_error)
		q->setup_error = ret;
	sem_post(&q->fetched);
	if (!ret)
		run_until_aborted(q, &ring);
	io_uring_queue_exit(&ring);
out:
	eventfd_write(q->exit_fd, 1);
	return NULL;
}

static int start_handler(struct queue *q, struct ublkpol_error *err)
{
	if (!q->redirect.handler)
		return 0;
	q->redirect.char_fd = q->char_fd;
	q->redirect.done_fd = q->wake_fd;
	return redirect_start(&q->redirect, q->device, q->id, q->depth, err);
}

int queue_start(struct queue *queue, struct ublkpol_error *err)
{
	int ret;

	queue->setup_error = 0;
	queue->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (queue->wake_fd < 0)
		return error_set(err, UBLKPOL_ERR_FAILED, -errno, "cannot set up queue %u: %s",
				 queue->id, strerror(errno));
	ret = start_handler(queue, err);
	if (ret)
		goto close_wake;

	sem_init(&queue->fetched, 0, 0);
	/* A signal would make io_uring_enter() return to user mode */
	ret = thread_start(&queue->thread, QUEUE_STACK_SIZE, queue_main, queue);
	if (ret) {
		error_set(err, UBLKPOL_ERR_FAILED, ret, "cannot start the thread of queue %u: %s",
			  queue->id, strerror(-ret));
		goto destroy;
	}
	queue->started = true;

	while (sem_wait(&queue->fetched) && errno == EINTR)
		;
	if (queue->setup_error)
		return error_set(err, UBLKPOL_ERR_FAILED, queue->setup_error,
				 "cannot set up queue %u: %s", queue->id,
				 strerror(-queue->setup_error));
	return 0;
destroy:
	sem_destroy(&queue->fetched);
close_wake:
	redirect_stop(&queue->redirect);
	close(queue->wake_fd);
	return ret;
}

void queue_give_up(struct queue *queue)
{
	if (!queue->started)
		return;
	__atomic_store_n(&queue->giving_up, true, __ATOMIC_RELAXED);
	eventfd_write(queue->wake_fd, 1);
}

void queue_join(struct queue *queue)
{
	if (!queue->started)
		return;
	pthread_join(queue->thread, NULL);
	redirect_stop(&queue->redirect);
	close(queue->wake_fd);
	sem_destroy(&queue->fetched);
	queue->started = false;
}
