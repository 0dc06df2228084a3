// SPDX-License-Identifier: GPL-2.0-only
#include <stddef.h>

#include "json.h"

#define REPLACEMENT "\\ufffd"

void json_init(struct json *json, FILE *out)
{
	*json = (struct json){ .out = out };
}

/*
 * Length of the UTF-8 sequence at @s, 0 if it is none: overlong forms,
 * surrogates and what lies beyond U+10FFFF are refused.
 */
static size_t utf8_length(const unsigned char *s)
{
	size_t length, i;
	unsigned int c, min;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf) {
		length = 2;
		c = s[0] & 0x1f;
		min = 0x80;
	} else if (s[0] >= 0xe0 && s[0] <= 0xef) {
		length = 3;
		c = s[0] & 0x0f;
		min = 0x800;
	} else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
		length = 4;
		c = s[0] & 0x07;
		min = 0x10000;
	} else {
		return 0;
	}

	/* The NUL at the end is no continuation byte, so this stays inside */
	for (i = 1; i < length; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < min || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	return length;
}

static void put_string(FILE *out, const char *value)
{
	const unsigned char *s = (const unsigned char *)value;

	fputc('"', out);
	while (*s) {
		size_t length = utf8_length(s);

		if (!length)
			fputs(REPLACEMENT, out);
		else if (*s == '"' || *s == '\\')
			fprintf(out, "\\%c", *s);
		else if (*s == '\n')
			fputs("\\n", out);
		else if (*s == '\t')
			fputs("\\t", out);
		else if (*s < 0x20 || *s == 0x7f)
			fprintf(out, "\\u%04x", *s);
		else
			fwrite(s, 1, length, out);
		s += length ? length : 1;
	}
	fputc('"', out);
}

static void new_line(struct json *json)
{
	unsigned int i;

	if (json->one_line)
		return;
	fputc('\n', json->out);
	for (i = 0; i < json->depth; i++)
		fputc('\t', json->out);
}

static void begin_value(struct json *json, const char *key)
{
	if (json->depth) {
		if (json->has_member[json->depth])
			fputc(',', json->out);
		json->has_member[json->depth] = true;
		new_line(json);
	}
	if (key) {
		put_string(json->out, key);
		fputs(": ", json->out);
	}
}

static void begin_container(struct json *json, const char *key, char bracket)
{
	begin_value(json, key);
	fputc(bracket, json->out);
	json->depth++;
	json->has_member[json->depth] = false;
}

static void end_container(struct json *json, char bracket)
{
	bool has_member = json->has_member[json->depth];

	json->depth--;
	if (has_member)
		new_line(json);
	fputc(bracket, json->out);
	if (!json->depth)
		fputc('\n', json->out);
}

void json_begin_object(struct json *json, const char *key)
{
	begin_container(json, key, '{');
}

void json_end_object(struct json *json)
{
	end_container(json, '}');
}

void json_begin_array(struct json *json, const char *key)
{
	begin_container(json, key, '[');
}

void json_end_array(struct json *json)
{
	end_container(json, ']');
}

void json_string(struct json *json, const char *key, const char *value)
{
	begin_value(json, key);
	put_string(json->out, value);
}

void json_number(struct json *json, const char *key, __u64 value)
{
	begin_value(json, key);
	fprintf(json->out, "%llu", (unsigned long long)value);
}

void json_bool(struct json *json, const char *key, bool value)
{
	begin_value(json, key);
	fputs(value ? "true" : "false", json->out);
}

void json_null(struct json *json, const char *key)
{
	begin_value(json, key);
	fputs("null", json->out);
}
