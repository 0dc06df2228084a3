/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RUNTIME_QUEUE_H
#define RUNTIME_QUEUE_H

/*
 * Queue threads: one per hardware queue, each with an io_uring of its own.
 *
 * A thread hands the driver one FETCH command per tag and then waits. The
 * kernel routes requests and submits their backend I/O from inside this wait
 * (as task work of the thread); it posts no completions, so the thread does
 * not return to user mode until the device stops, except for requests that the
 * policy sends to the handler.
 */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdbool.h>
#include <linux/types.h>

#include "error.h"
#include "redirect.h"

/* Kept in memory that other processes can read, see state.h */
struct queue_counters {
	__u64 user_returns; /* io_uring_enter() calls that returned */
	__u64 redirected; /* requests the policy sent to the handler */
	__u32 tid;
	__u32 reserved;
};

struct queue {
	int device; /* number of the device */
	unsigned int id;
	unsigned int depth;
	int char_fd; /* /dev/ublkcN */
	int exit_fd; /* eventfd, written when the thread ends */
	cpu_set_t cpus; /* empty: anywhere */
	struct queue_counters *counters;
	struct redirect redirect; /* handler and handler_state */

	int wake_fd; /* eventfd: look at redirect and giving_up */
	bool giving_up;
	pthread_t thread;
	bool started;
	sem_t fetched; /* posted once, when setup_error is valid */
	int setup_error;
};

/**
 * queue_start() - start the thread and wait until its FETCH commands are in
 * @queue: the first block of fields is set by the caller; char_fd, exit_fd
 *	   and counters must live until queue_join()
 * @err: what failed
 *
 * After a failure the thread may still run, with some FETCH commands in the
 * driver: stop the device, then join.
 */
int queue_start(struct queue *queue, struct ublkpol_error *err);

/**
 * queue_give_up() - let the thread end although the device was not stopped
 *
 * The kernel takes that for the death of the daemon. Harmless on a queue that
 * was not started.
 */
void queue_give_up(struct queue *queue);

/**
 * queue_join() - wait for the end of the thread
 *
 * It ends when the driver aborts its FETCH commands, so stop the device or
 * give up before. Harmless on a queue that was not started.
 */
void queue_join(struct queue *queue);

#endif
