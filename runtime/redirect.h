/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RUNTIME_REDIRECT_H
#define RUNTIME_REDIRECT_H

/*
 * Requests that a policy sends to user code. Each queue with a handler has a
 * second thread, which calls it: the queue's own thread must stay in
 * io_uring_enter(), where the kernel does the I/O of all other requests.
 */
#include <pthread.h>
#include <stdbool.h>
#include <linux/ublk_cmd.h>

#include "error.h"

struct redirect_job {
	struct ublkpol_request request;
	__u64 copied; /* bytes the handler has put into the payload */
	struct redirect_job *next;
	int result; /* for the driver: bytes or a negative errno */
};

struct redirect {
	const struct ublkpol_handler *handler; /* NULL: there is none, and no thread */
	void *handler_state;
	int char_fd;
	const struct ublksrv_io_desc *descriptors; /* of the queue, by tag */
	size_t descriptors_size;
	struct redirect_job *jobs; /* by tag */

	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t work;
	struct redirect_job *todo, **todo_end;
	struct redirect_job *done;
	bool stopping;
	int done_fd; /* eventfd of the queue's thread: look for finished ones */
};

/**
 * redirect_start() - map the descriptors, start the thread
 * @redirect: handler, handler_state, char_fd and done_fd are set by the caller
 * @id: of the device
 * @queue, @depth: of the queue
 *
 * To be ended with redirect_stop(), also after a failure.
 */
int redirect_start(struct redirect *redirect, int id, unsigned int queue, unsigned int depth,
		   struct ublkpol_error *err);

/** redirect_stop() - after the last request ended; harmless if not started */
void redirect_stop(struct redirect *redirect);

/** redirect_begin() - hand the request of @tag to the handler's thread */
void redirect_begin(struct redirect *redirect, unsigned int tag);

/**
 * redirect_next_done() - take a finished request
 * @result: set to what the driver is to be told
 *
 * Return: its tag, or -1 if there is none
 */
int redirect_next_done(struct redirect *redirect, int *result);

#endif
