/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RUNTIME_JSON_H
#define RUNTIME_JSON_H

/*
 * Writes JSON, one value after the other; commas and escapes are done here,
 * pairing begin and end is the caller's. In an array, @key is NULL.
 */
#include <stdbool.h>
#include <stdio.h>
#include <linux/types.h>

#define JSON_MAX_DEPTH 16

struct json {
	FILE *out;
	bool one_line; /* for one document a line; set it after json_init() */
	unsigned int depth;
	bool has_member[JSON_MAX_DEPTH];
};

void json_init(struct json *json, FILE *out);

void json_begin_object(struct json *json, const char *key);
void json_end_object(struct json *json);
void json_begin_array(struct json *json, const char *key);
void json_end_array(struct json *json);

/**
 * json_string() - write a string of any bytes
 * @value: bytes that are not UTF-8 become U+FFFD, as JSON has no way to carry
 *	   them
 */
void json_string(struct json *json, const char *key, const char *value);
void json_number(struct json *json, const char *key, __u64 value);
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);

#endif
