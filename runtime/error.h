/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RUNTIME_ERROR_H
#define RUNTIME_ERROR_H

/*
 * The message of a failure is written by the function that knows most about
 * it and printed once by the command; nothing in between prints or rewrites it.
 */
#include "libublkpol.h"

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
int error_set(struct ublkpol_error *err, enum ublkpol_error_kind kind, int code, const char *fmt,
	      ...) __attribute__((format(printf, 4, 5)));

#endif
