/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RUNTIME_ERROR_H
#define RUNTIME_ERROR_H

/*
 * A failure as the user reads it: one sentence that says what failed, where,
 * and what to do. The function that knows most writes it, and the command
 * prints it once; nothing in between prints or rewrites it.
 */
#include <stddef.h>

/* What kind of failure it is: also the exit code of ublkpol */
enum error_kind {
	ERROR_NONE = 0,
	ERROR_FAILED = 1,	/* an operation failed */
	ERROR_USAGE = 2,	/* the command line is wrong */
	ERROR_KERNEL = 3,	/* the kernel lacks the program type or a feature */
	ERROR_INPUT = 4,	/* a policy or a backend cannot be used */
	ERROR_NO_DEVICE = 5,	/* there is no such policy device */
};

struct error {
	enum error_kind kind;
	char text[1024];
};

/**
 * error_set() - write the message of a failure
 * @err: where to; may be NULL
 * @kind: exit code of the command
 * @code: negative errno, returned as it is
 * @fmt: printf format, a sentence without a full stop or newline at its end
 *
 * A message that is there already is kept: the first failure is the cause.
 * Return: @code, so that a function can end with "return error_set(...)".
 */
int error_set(struct error *err, enum error_kind kind, int code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif
