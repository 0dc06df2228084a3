/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LIBUBLKPOL_H
#define LIBUBLKPOL_H

/*
 * libublkpol: run a compiled policy as a ublk block device.
 *
 * A policy device needs a process that owns it (its "daemon"), although no
 * request passes through that process: it holds the backends open, and its
 * threads lend the kernel their io_uring. The daemon calls
 *
 *	ublkpol_device_add();		the device is live, /dev/ublkbN exists
 *	ublkpol_device_wait();		sleeps until the device is stopped
 *	ublkpol_device_remove();	stops and deletes it, frees everything
 *
 * and any process with CAP_SYS_ADMIN can list, read and delete devices by
 * number with the functions at the end.
 *
 * Functions return 0 or a negative errno, and describe a failure in the
 * struct ublkpol_error that they are given (which may be NULL). Nothing is
 * printed. Nothing is left behind by a call that failed. All calls on one
 * device belong to the thread that added it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <linux/types.h>

#define UBLKPOL_STATE_DIR	"/run/ublkpol"

#define UBLKPOL_DEFAULT_QUEUES	1U
#define UBLKPOL_DEFAULT_DEPTH	128U

/* What kind of failure it is: also the exit code of ublkpol */
enum ublkpol_error_kind {
	UBLKPOL_ERR_NONE = 0,
	UBLKPOL_ERR_FAILED = 1,		/* an operation failed */
	UBLKPOL_ERR_USAGE = 2,		/* the command line is wrong */
	UBLKPOL_ERR_KERNEL = 3,		/* the kernel lacks the program type or a feature */
	UBLKPOL_ERR_INPUT = 4,		/* a policy or a backend cannot be used */
	UBLKPOL_ERR_NO_DEVICE = 5,	/* there is no such policy device */
};

/* A failure as the user reads it: what failed, where, and what to do */
struct ublkpol_error {
	enum ublkpol_error_kind kind;
	char text[1024];
};
