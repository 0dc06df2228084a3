/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RUNTIME_STATE_TEXT_H
#define RUNTIME_STATE_TEXT_H

/*
 * The text of a state file: one "key=value" per line; in values, backslash and
 * newline are written as "\\" and "\n". Keys of a list repeat, and what
 * belongs to an entry follows its name.
 */
#include "libublkpol.h"

/* A state with more values cannot be read */
#define STATE_MAX_VALUES 4096U

/**
 * state_format() - write such a text
 *
 * Return: a string to be freed, or NULL without memory
 */
char *state_format(const struct ublkpol_info *info);

/**
 * state_parse() - read such a text
 * @text: NUL-terminated, is cut up
 * @info: zeroed by the caller except id; to be freed also after a failure
 *
 * Unknown keys are skipped, so that a newer version may add some.
 * Return: 0, -EINVAL or -ENOMEM
 */
int state_parse(char *text, struct ublkpol_info *info);

/**
 * state_parse_number() - a decimal number and nothing else
 *
 * Return: 0 or -EINVAL
 */
int state_parse_number(const char *text, __u64 max, __u64 *value);

#endif
