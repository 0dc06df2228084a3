// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "suites.h"

static FILE *out;
static char *text;
static size_t size;
static struct json json;

static void setup(void)
{
	out = open_memstream(&text, &size);
	ck_assert_ptr_nonnull(out);
	json_init(&json, out);
}

static void teardown(void)
{
	free(text);
}

static void expect(const char *expected)
{
	fclose(out);
	ck_assert_str_eq(text, expected);
}

START_TEST(nests_and_separates)
{
	json_begin_object(&json, NULL);
	json_number(&json, "n", 18446744073709551615ULL);
	json_begin_array(&json, "a");
	json_bool(&json, NULL, true);
	json_bool(&json, NULL, false);
	json_null(&json, NULL);
	json_end_array(&json);
	json_begin_array(&json, "none");
	json_end_array(&json);
	json_string(&json, "s", "x");
	json_end_object(&json);
	expect("{\n\t\"n\": 18446744073709551615,\n\t\"a\": "
	       "[\n\t\ttrue,\n\t\tfalse,\n\t\tnull\n\t],"
	       "\n\t\"none\": [],\n\t\"s\": \"x\"\n}\n");
}
END_TEST

static const struct {
	const char *value;
	const char *written;
} strings[] = {
	{ "", "\"\"" },
	{ "plain", "\"plain\"" },
	{ "a\"b\\c/d", "\"a\\\"b\\\\c/d\"" },
	{ "\n\t\r\x01\x1f\x7f", "\"\\n\\t\\u000d\\u0001\\u001f\\u007f\"" },
	{ "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x92\xbe", "\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x92\xbe\"" },
	/* Not UTF-8: a stray byte, a cut sequence, an overlong form, a surrogate, too large */
	{ "a\xff"
	  "b",
	  "\"a\\ufffdb\"" },
	{ "\xe2\x82", "\"\\ufffd\\ufffd\"" },
	{ "\xe2\x82z", "\"\\ufffd\\ufffdz\"" },
	{ "\xc0\xaf", "\"\\ufffd\\ufffd\"" },
	{ "\xe0\x80\xaf", "\"\\ufffd\\ufffd\\ufffd\"" },
	{ "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"" },
	{ "\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"" },
};

START_TEST(escapes_strings)
{
	json_string(&json, NULL, strings[_i].value);
	expect(strings[_i].written);
}
END_TEST

START_TEST(escapes_keys)
{
	json_begin_object(&json, NULL);
	json_number(&json, "a\"b", 1);
	json_end_object(&json);
	expect("{\n\t\"a\\\"b\": 1\n}\n");
}
END_TEST

START_TEST(one_document_fits_in_a_line)
{
	json.one_line = true;
	json_begin_object(&json, NULL);
	json_number(&json, "a", 1);
	json_begin_array(&json, "b");
	json_bool(&json, NULL, true);
	json_end_array(&json);
	json_end_object(&json);
	expect("{\"a\": 1,\"b\": [true]}\n");
}
END_TEST

TCase *json_case(void)
{
	TCase *tc = tcase_create("json");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, nests_and_separates);
	tcase_add_loop_test(tc, escapes_strings, 0, sizeof(strings) / sizeof(strings[0]));
	tcase_add_test(tc, escapes_keys);
	tcase_add_test(tc, one_document_fits_in_a_line);
	return tc;
}
