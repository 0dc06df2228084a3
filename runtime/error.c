// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>

#include "error.h"

int error_set(struct ublkpol_error *err, enum ublkpol_error_kind kind, int code, const char *fmt,
	      ...)
{
	va_list args;

	if (!err || err->kind != UBLKPOL_ERR_NONE)
		return code;

	err->kind = kind;
	va_start(args, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
	return code;
}
