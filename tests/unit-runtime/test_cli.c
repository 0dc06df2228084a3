// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "suites.h"

START_TEST(numbers_are_decimal_and_bounded)
{
	int value = -7;

	ck_assert_int_eq(cli_parse_number("0", 0, 10, &value), 0);
	ck_assert_int_eq(value, 0);
	ck_assert_int_eq(cli_parse_number("10", 0, 10, &value), 0);
	ck_assert_int_eq(value, 10);
	ck_assert_int_ne(cli_parse_number("11", 0, 10, &value), 0);
	ck_assert_int_ne(cli_parse_number("0", 1, 10, &value), 0);
	ck_assert_int_ne(cli_parse_number("-1", -5, 10, &value), 0);
	ck_assert_int_ne(cli_parse_number("", 0, 10, &value), 0);
	ck_assert_int_ne(cli_parse_number(" 1", 0, 10, &value), 0);
	ck_assert_int_ne(cli_parse_number("1x", 0, 10, &value), 0);
	ck_assert_int_ne(cli_parse_number("0x1", 0, 10, &value), 0);
	ck_assert_int_ne(cli_parse_number("99999999999999999999", 0, 10, &value), 0);
	ck_assert_int_eq(value, 10);
}
END_TEST

static const struct {
	__u64 bytes;
	const char *text;
} sizes[] = {
	{ 0, "0 B" },	     { 1023, "1023 B" },	{ 1024, "1.0 KiB" },
	{ 1536, "1.5 KiB" }, { 3ULL << 30, "3.0 GiB" }, { ~0ULL, "16.0 EiB" },
};

START_TEST(bytes_have_binary_units)
{
	char buffer[32];

	ck_assert_str_eq(cli_format_bytes(buffer, sizes[_i].bytes), sizes[_i].text);
}
END_TEST

START_TEST(untrusted_text_cannot_control_the_terminal)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	cli_print_text(out, "a\x1b[2J\nb\x7f \xc3\xa9");
	fclose(out);
	ck_assert_str_eq(text, "a\\x1b[2J\\x0ab\\x7f \xc3\xa9");
	free(text);
}
END_TEST

/* Command lines that fail before anything is touched: argv, and what is said */
static const struct {
	const struct command *command;
	const char *argv[6];
	const char *message;
} wrong_lines[] = {
	{ &command_add, { "add" }, "which policy?" },
	{ &command_add, { "add", "p", "q" }, "unexpected argument 'q'" },
	{ &command_add, { "add", "p", "-b", "fd0" }, "'fd0' is not NAME=PATH" },
	{ &command_add, { "add", "p", "-b", "=x" }, "'=x' is not NAME=PATH" },
	{ &command_add, { "add", "p", "-b", "x=" }, "'x=' is not NAME=PATH" },
	{ &command_add, { "add", "-ba=1", "-ba=2", "p" }, "backend a is given twice" },
	{ &command_add, { "add", "p", "-q", "0" }, "queues must be 1 to 4096" },
	{ &command_add, { "add", "p", "-d", "4097" }, "depth must be 1 to 4096" },
	{ &command_add, { "add", "p", "-n", "1048576" }, "'1048576' is no device number" },
	{ &command_add, { "add", "p", "--bakcend" }, "unknown option --bakcend" },
	{ &command_add, { "add", "p", "-n" }, "-n needs a value" },
	{ &command_add, { "add", "p", "-r", "never" }, "recovery must be none, wait, reissue" },
	{ &command_add, { "add", "p", "-A", "x" }, "but no handler" },
	{ &command_swap, { "swap", "p" }, "which device? give -n ID" },
	{ &command_swap, { "swap", "-n", "1" }, "which policy?" },
	{ &command_swap, { "swap", "-n", "x", "p" }, "'x' is no device number" },
	{ &command_swap, { "swap", "-n1", "-bfd0", "p" }, "'fd0' is not NAME=PATH" },
	{ &command_set, { "set", "a=1" }, "which device? give -n ID" },
	{ &command_set, { "set", "-n", "1" }, "set what?" },
	{ &command_set, { "set", "-n", "1", "a" }, "'a' is not NAME=VALUE" },
	{ &command_recover, { "recover" }, "give either -n ID or -a" },
	{ &command_recover, { "recover", "-a", "-n", "1" }, "give either -n ID or -a" },
	{ &command_recover, { "recover", "-a", "-f" }, "-f takes one device" },
	{ &command_show, { "show" }, "which device? give -n ID" },
	{ &command_show, { "show", "1" }, "unexpected argument '1'" },
	{ &command_list, { "list", "x" }, "unexpected argument 'x'" },
	{ &command_stats, { "stats", "-n", "-1" }, "'-1' is no device number" },
	{ &command_del, { "del" }, "give either -n ID or -a" },
	{ &command_del, { "del", "-a", "-n", "0" }, "give either -n ID or -a" },
	{ &command_features, { "features", "x" }, "unexpected argument 'x'" },
};

START_TEST(wrong_command_lines_are_explained)
{
	char *argv[7] = { 0 };
	char printed[1024] = "";
	struct cli cli = { .command = wrong_lines[_i].command };
	FILE *file = tmpfile();
	int argc, exit_code;
	size_t used;

	for (argc = 0; wrong_lines[_i].argv[argc]; argc++)
		argv[argc] = strdup(wrong_lines[_i].argv[argc]);
	/* Each test runs in a process of its own */
	ck_assert_ptr_nonnull(file);
	stderr = file;
	optind = 0;
	exit_code = cli.command->run(&cli, argc, argv);

	rewind(file);
	used = fread(printed, 1, sizeof(printed) - 1, file);
	ck_assert_int_eq(exit_code, UBLKPOL_ERR_USAGE);
	ck_assert_msg(strstr(printed, wrong_lines[_i].message), "printed: %.*s", (int)used,
		      printed);
	ck_assert_ptr_nonnull(strstr(printed, "see ublkpol help"));
	for (argc = 0; argv[argc]; argc++)
		free(argv[argc]);
}
END_TEST

TCase *cli_case(void)
{
	TCase *tc = tcase_create("cli");

	tcase_add_test(tc, numbers_are_decimal_and_bounded);
	tcase_add_loop_test(tc, bytes_have_binary_units, 0, sizeof(sizes) / sizeof(sizes[0]));
	tcase_add_test(tc, untrusted_text_cannot_control_the_terminal);
	tcase_add_loop_test(tc, wrong_command_lines_are_explained, 0,
			    sizeof(wrong_lines) / sizeof(wrong_lines[0]));
	return tc;
}
