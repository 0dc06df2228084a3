// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <liburing.h>
#include <linux/ublk_cmd.h>

#include "queue.h"

/* All memory of the process is locked: the default of 8 MiB would be real */
#define QUEUE_STACK_SIZE (64 * 1024 + PTHREAD_STACK_MIN)

/*
 * DEFER_TASKRUN: the kernel's work for this ring runs only while the thread
 * waits in io_uring_enter(), where it always is.
 */
#define QUEUE_RING_FLAGS (IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN)

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

static int submit_all_fetches(struct queue *q, struct io_uring *ring)
{
	unsigned int tag;
	int ret;

	for (tag = 0; tag < q->depth; tag++) {
		ret = queue_command(q, ring, UBLK_U_IO_FETCH_REQ, (__u16)tag, 0);
		if (ret)
			return ret;
	}
	ret = io_uring_submit(ring);
	if (ret < 0)
		return ret;
	return (unsigned int)ret == q->depth ? 0 : -EIO;
}

/* A FETCH that the driver refuses has completed when io_uring_submit() returns */
static int refused_fetch(struct io_uring *ring)
{
	struct io_uring_cqe *cqe;

	if (io_uring_peek_cqe(ring, &cqe))
		return 0;
	return cqe->res < 0 ? cqe->res : 0;
}

/*
 * Return: how many FETCH commands ended for good. A request that the policy
 * redirects has no server to go to, so it fails.
 */
static unsigned int handle_completions(struct queue *q, struct io_uring *ring)
{
	struct io_uring_cqe *cqe;
	unsigned int ended = 0;

	while (!io_uring_peek_cqe(ring, &cqe)) {
		__u16 tag = (__u16)cqe->user_data;
		bool redirected = cqe->res == UBLK_IO_RES_OK;

		io_uring_cqe_seen(ring, cqe);
		if (!redirected) {
			ended++;
			continue;
		}
		count(&q->counters->redirected);
		if (queue_command(q, ring, UBLK_U_IO_COMMIT_AND_FETCH_REQ, tag, -EIO))
			ended++;
	}
	return ended;
}

static void run_until_aborted(struct queue *q, struct io_uring *ring)
{
	unsigned int fetches = q->depth;
	int ret;

	while (fetches) {
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

	ret = io_uring_queue_init(q->depth, &ring, QUEUE_RING_FLAGS);
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

static int create_thread(struct queue *q)
{
	sigset_t all, old;
	pthread_attr_t attr;
	int ret;

	ret = pthread_attr_init(&attr);
	if (ret)
		return -ret;
	pthread_attr_setstacksize(&attr, QUEUE_STACK_SIZE);

	/* A signal would make io_uring_enter() return to user mode */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ret = pthread_create(&q->thread, &attr, queue_main, q);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return -ret;
}

int queue_start(struct queue *queue, struct ublkpol_error *err)
{
	int ret;

	queue->setup_error = 0;
	sem_init(&queue->fetched, 0, 0);
	ret = create_thread(queue);
	if (ret) {
		sem_destroy(&queue->fetched);
		return error_set(err, UBLKPOL_ERR_FAILED, ret,
				 "cannot start the thread of queue %u: %s", queue->id,
				 strerror(-ret));
	}
	queue->started = true;

	while (sem_wait(&queue->fetched) && errno == EINTR)
		;
	if (queue->setup_error)
		return error_set(err, UBLKPOL_ERR_FAILED, queue->setup_error,
				 "cannot set up queue %u: %s", queue->id,
				 strerror(-queue->setup_error));
	return 0;
}

void queue_join(struct queue *queue)
{
	if (!queue->started)
		return;
	pthread_join(queue->thread, NULL);
	sem_destroy(&queue->fetched);
	queue->started = false;
}
