// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "backend.h"
#include "suites.h"

static char folder[] = "/tmp/unit-runtime-XXXXXX";

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chdir(folder), 0);
}

static void teardown(void)
{
	static const char *const files[] = { "a", "b", "link", "hard", "fifo" };
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		unlink(files[i]);
	rmdir("dir");
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(rmdir(folder), 0);
}

static void make_file(const char *name, off_t size)
{
	int fd = open(name, O_CREAT | O_RDWR, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, size), 0);
	close(fd);
}

static void expect_refused(struct backend *backends, unsigned int count, const char *why)
{
	struct ublkpol_error err = { 0 };

	ck_assert_int_lt(backends_open(backends, count, NULL, &err), 0);
	ck_assert_int_eq(err.kind, UBLKPOL_ERR_INPUT);
	ck_assert_msg(strstr(err.text, why), "said: %s", err.text);
	backends_close(backends, count);
}

START_TEST(files_are_opened_for_writing)
{
	struct backend b[] = { { .name = "x", .path = "a" }, { .name = "y", .path = "link" } };
	struct ublkpol_error err = { 0 };
	unsigned int i;

	make_file("a", 1 << 20);
	make_file("b", (1 << 20) + 513);
	ck_assert_int_eq(symlink("b", "link"), 0);
	ck_assert_msg(!backends_open(b, 2, NULL, &err), "said: %s", err.text);
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(fcntl(b[i].fd, F_GETFL) & O_ACCMODE, O_RDWR);
		ck_assert_int_eq(!!(fcntl(b[i].fd, F_GETFL) & O_DIRECT), b[i].direct);
		ck_assert_int_eq(fcntl(b[i].fd, F_GETFD), FD_CLOEXEC);
		ck_assert(b[i].real_path[0] == '/');
	}
	ck_assert_str_eq(strrchr(b[1].real_path, '/'), "/b");
	ck_assert_uint_eq(b[0].size, 1 << 20);
	ck_assert_uint_eq(backend_sectors(&b[0], 4096), 2048);
	ck_assert_uint_eq(backend_sectors(&b[1], 512), 2049);
	ck_assert_uint_eq(backend_sectors(&b[1], 4096), 2048);
	backends_close(b, 2);
	ck_assert_int_eq(b[0].fd, -1);
}
END_TEST

START_TEST(what_cannot_be_a_backend_is_refused)
{
	struct backend b = { .name = "x" };

	b.path = "nosuch";
	expect_refused(&b, 1, "backend x: cannot open nosuch: No such file or directory");
	ck_assert_int_eq(mkdir("dir", 0700), 0);
	b.path = "dir";
	expect_refused(&b, 1, "backend x: dir is a directory");
	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	b.path = "fifo";
	expect_refused(&b, 1, "backend x: fifo is neither a regular file nor a block device");
	make_file("a", 0);
	b.path = "a";
	expect_refused(&b, 1, "backend x: a holds 0 bytes, less than one block");
	make_file("a", 511);
	expect_refused(&b, 1, "backend x: a holds 511 bytes, less than one block");
}
END_TEST

START_TEST(one_file_cannot_be_two_backends)
{
	struct backend b[] = { { .name = "x", .path = "a" },
			       { .name = "y", .path = "b" },
			       { .name = "z", .path = "hard" } };

	make_file("a", 4096);
	make_file("b", 4096);
	ck_assert_int_eq(link("a", "hard"), 0);
	expect_refused(b, 3, "backends x and z are both");
}
END_TEST

START_TEST(a_file_serves_one_device_at_a_time)
{
	struct backend first = { .name = "x", .path = "a" }, second = first;
	struct ublkpol_error err = { 0 };

	make_file("a", 4096);
	ck_assert_int_eq(backends_open(&first, 1, NULL, &err), 0);
	expect_refused(&second, 1, "backend x: a is locked by another process");
	backends_close(&first, 1);
	ck_assert_int_eq(backends_open(&second, 1, NULL, &err), 0);
	backends_close(&second, 1);
}
END_TEST

/* What a live device has, it keeps: no lock is in the way, no file stays open here */
START_TEST(files_of_a_live_device_are_kept)
{
	struct backend old[] = { { .name = "x", .path = "a" }, { .name = "y", .path = "b" } };
	struct backend new[] = { { .name = "y", .path = "link" }, { .name = "z", .path = "hard" } };
	struct ublkpol_backend_info has[2];
	const struct ublkpol_info live = { .backends = has, .nr_backends = 2 };
	struct ublkpol_error err = { 0 };
	unsigned int i;

	make_file("a", 4096);
	make_file("b", 8192);
	make_file("hard", 4096);
	ck_assert_int_eq(symlink("b", "link"), 0);
	ck_assert_int_eq(backends_open(old, 2, NULL, &err), 0);
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(old[i].keep, -1);
		has[i] = (struct ublkpol_backend_info){ .dev = old[i].dev,
							.ino = old[i].ino,
							.can = 40 + i };
	}
	ck_assert_msg(!backends_open(new, 2, &live, &err), "said: %s", err.text);
	ck_assert_int_eq(new[0].keep, 1);
	ck_assert_int_eq(new[0].fd, -1);
	ck_assert_uint_eq(new[0].size, 8192);
	ck_assert_uint_eq(new[0].can, 41);
	ck_assert_int_eq(new[1].keep, -1);
	ck_assert_int_ge(new[1].fd, 0);
	backends_close(new, 2);

	/* The name of a backend does not matter, another file of that name does */
	ck_assert_int_eq(unlink("link"), 0);
	ck_assert_int_eq(symlink("hard", "link"), 0);
	ck_assert_int_eq(backends_open(new, 1, &live, &err), 0);
	ck_assert_int_eq(new[0].keep, -1);
	backends_close(new, 1);
	backends_close(old, 2);
}
END_TEST

/* A device goes on with that very file, as large as it was, or not at all */
START_TEST(the_file_of_a_device_is_expected)
{
	struct backend old = { .name = "x", .path = "a" }, new = old;
	struct ublkpol_error err = { 0 };
	struct ublkpol_backend_info has;

	make_file("a", 8192);
	ck_assert_int_eq(backends_open(&old, 1, NULL, &err), 0);
	has = (struct ublkpol_backend_info){ .dev = old.dev, .ino = old.ino, .size = old.size };
	backends_close(&old, 1);
	new.expected = &has;

	ck_assert_int_eq(truncate("a", 12288), 0);
	ck_assert_msg(!backends_open(&new, 1, NULL, &err), "said: %s", err.text);
	ck_assert_uint_eq(new.size, 8192);
	backends_close(&new, 1);
	ck_assert_int_eq(truncate("a", 4096), 0);
	expect_refused(&new, 1, "a holds 4096 bytes, and had 8192");
	ck_assert_int_eq(truncate("a", 8192), 0);
	has.ino++;
	expect_refused(&new, 1, "a is not what the device has there");
	has.ino--;
	has.disk_sequence = 1;
	expect_refused(&new, 1, "a is not what the device has there");
}
END_TEST

/* Trying it out must not leave a trace */
START_TEST(operations_are_tried_behind_the_end)
{
	struct backend b = { .name = "x", .path = "a" };
	struct ublkpol_error err = { 0 };
	char content[512];
	struct stat before, after;
	int fd;

	make_file("a", 4096 + 512);
	fd = open("a", O_RDWR);
	memset(content, 'x', sizeof(content));
	ck_assert_int_eq(pwrite(fd, content, 512, 4096), 512);
	ck_assert_int_eq(fsync(fd), 0);
	ck_assert_int_eq(fstat(fd, &before), 0);
	ck_assert_int_eq(backends_open(&b, 1, NULL, &err), 0);
	/* Every file system that tests run on can punch holes */
	ck_assert(b.can & UBLKPOL_CAN_DISCARD);
	ck_assert_uint_ge(b.discard_granularity, 512);
	ck_assert_int_eq(fstat(fd, &after), 0);
	ck_assert_int_eq(after.st_size, before.st_size);
	ck_assert_int_eq(after.st_blocks, before.st_blocks);
	memset(content, 0, sizeof(content));
	ck_assert_int_eq(pread(fd, content, 512, 4096), 512);
	ck_assert(content[0] == 'x' && content[511] == 'x');
	backends_close(&b, 1);
	close(fd);
}
END_TEST

START_TEST(the_strictest_limits_hold)
{
	const struct backend b[] = {
		{ .block_size = 512, .physical_block_size = 4096, .memory_align = 1 },
		{ .block_size = 1024, .physical_block_size = 1024, .memory_align = 512 },
		{ .block_size = 512, .physical_block_size = 512, .memory_align = 4 },
	};
	const struct backend big = { .block_size = 4096,
				     .physical_block_size = 512,
				     .memory_align = 1 };
	struct backend_limits limits;

	limits = backends_limits(b, 3);
	ck_assert_uint_eq(limits.block_size, 1024);
	ck_assert_uint_eq(limits.physical_block_size, 4096);
	ck_assert_uint_eq(limits.memory_align, 512);

	/* The block layer refuses a physical block below the logical one */
	limits = backends_limits(&big, 1);
	ck_assert_uint_eq(limits.block_size, 4096);
	ck_assert_uint_eq(limits.physical_block_size, 4096);
	ck_assert_uint_eq(limits.memory_align, 4);

	limits = backends_limits(NULL, 0);
	ck_assert_uint_eq(limits.block_size, 512);
}
END_TEST

START_TEST(sizes_count_whole_blocks)
{
	struct backend b = { .size = (1ULL << 60) + 4095 };

	ck_assert_uint_eq(backend_sectors(&b, 512), (1ULL << 51) + 7);
	ck_assert_uint_eq(backend_sectors(&b, 4096), 1ULL << 51);
}
END_TEST

START_TEST(what_is_missing_promises_all)
{
	struct backend b[] = { { .name = "x", .path = "a", .is_leg = true },
			       { .name = "y", .path = UBLKPOL_MISSING, .is_leg = true } };
	struct ublkpol_error err = { 0 };
	char byte = 0;

	make_file("a", 1 << 20);
	ck_assert_msg(!backends_open(b, 2, NULL, &err), "said: %s", err.text);
	ck_assert(!b[0].missing);
	ck_assert(b[1].missing);
	ck_assert_ptr_null(b[1].problem);
	ck_assert_str_eq(b[1].real_path, UBLKPOL_MISSING);
	ck_assert_uint_eq(b[1].size, b[0].size);
	ck_assert_uint_eq(b[1].can, UBLKPOL_CAN_DISCARD | UBLKPOL_CAN_WRITE_ZEROES);
	ck_assert_int_eq(pwrite(b[1].fd, &byte, 1, 0), -1);
	ck_assert_int_eq(pread(b[1].fd, &byte, 1, 0), -1);
	backends_close(b, 2);

	b[1].is_leg = false;
	expect_refused(b, 2, "backend y: only a leg of a mirror can be missing");
	b[1].is_leg = true;
	b[0].path = UBLKPOL_MISSING;
	expect_refused(b, 2, "all backends are missing");
}
END_TEST

START_TEST(what_is_given_up_may_be_gone)
{
	struct backend b[] = { { .name = "x", .path = "a", .is_leg = true },
			       { .name = "y", .path = "b", .is_leg = true } };
	struct ublkpol_error err = { 0 };

	make_file("a", 1 << 20);
	expect_refused(b, 2, "backend y: cannot open b: No such file or directory (ublkpol add");
	b[1].given_up = true;
	ck_assert_msg(!backends_open(b, 2, NULL, &err), "said: %s", err.text);
	ck_assert(b[1].missing);
	ck_assert_msg(strstr(b[1].problem, "cannot open b"), "said: %s", b[1].problem);
	ck_assert_str_eq(err.text, "");
	backends_close(b, 2);

	/* What is there is not gone */
	b[1].given_up = true;
	b[1].path = "dir";
	ck_assert_int_eq(mkdir("dir", 0700), 0);
	expect_refused(b, 2, "is a directory: a backend is a regular file or a block device");
}
END_TEST

START_TEST(what_has_moved_keeps_its_size)
{
	const struct ublkpol_backend_info expected = { .dev = 1, .ino = 1, .size = 1 << 20 };
	struct backend b = { .name = "x", .path = "a", .expected = &expected, .moved = true };
	struct ublkpol_error err = { 0 };

	make_file("a", 2 << 20);
	ck_assert_msg(!backends_open(&b, 1, NULL, &err), "said: %s", err.text);
	ck_assert_uint_eq(b.size, 1 << 20);
	backends_close(&b, 1);
	make_file("b", 1 << 19);
	b.path = "b";
	expect_refused(&b, 1, "make it as large again");
	b.moved = false;
	expect_refused(&b, 1, "is not what the device has there");
}
END_TEST

TCase *backend_case(void)
{
	TCase *tc = tcase_create("backend");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, files_are_opened_for_writing);
	tcase_add_test(tc, what_cannot_be_a_backend_is_refused);
	tcase_add_test(tc, one_file_cannot_be_two_backends);
	tcase_add_test(tc, a_file_serves_one_device_at_a_time);
	tcase_add_test(tc, files_of_a_live_device_are_kept);
	tcase_add_test(tc, the_file_of_a_device_is_expected);
	tcase_add_test(tc, operations_are_tried_behind_the_end);
	tcase_add_test(tc, the_strictest_limits_hold);
	tcase_add_test(tc, sizes_count_whole_blocks);
	tcase_add_test(tc, what_is_missing_promises_all);
	tcase_add_test(tc, what_is_given_up_may_be_gone);
	tcase_add_test(tc, what_has_moved_keeps_its_size);
	return tc;
}
