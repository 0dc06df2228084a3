// SPDX-License-Identifier: GPL-2.0-only
/*
 * A sparse file stands for the character device: descriptors at its start,
 * payloads where UBLK_F_USER_COPY has them.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/eventfd.h>

#include "redirect.h"
#include "suites.h"

#define QUEUE 1
#define DEPTH 4

static char path[] = "/tmp/unit-runtime-XXXXXX";
static struct redirect redirect;

static off_t payload(unsigned int tag)
{
	return (off_t)(UBLKSRV_IO_BUF_OFFSET + ((__u64)QUEUE << UBLK_QID_OFF) +
		       ((__u64)tag << UBLK_TAG_OFF));
}

static void describe(unsigned int tag, __u32 op_flags, __u64 sector, __u32 sectors)
{
	const struct ublksrv_io_desc descriptor = {
		.op_flags = op_flags,
		.start_sector = sector,
		.nr_sectors = sectors,
	};
	off_t at = (off_t)((QUEUE * UBLKPOL_MAX_DEPTH + tag) * sizeof(descriptor));

	ck_assert_int_eq(pwrite(redirect.char_fd, &descriptor, sizeof(descriptor), at),
			 sizeof(descriptor));
}

static void start(const struct ublkpol_handler *handler, void *state)
{
	struct ublkpol_error err = { 0 };

	strcpy(strrchr(path, '-'), "-XXXXXX");
	redirect = (struct redirect){ .handler = handler, .handler_state = state };
	redirect.char_fd = mkstemp(path);
	redirect.done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ck_assert_int_ge(redirect.char_fd, 0);
	ck_assert_int_ge(redirect.done_fd, 0);
	unlink(path);
	ck_assert_int_eq(ftruncate(redirect.char_fd, 1 << 20), 0);
	ck_assert_msg(!redirect_start(&redirect, 7, QUEUE, DEPTH, &err), "said: %s", err.text);
}

static void stop(void)
{
	int char_fd = redirect.char_fd, done_fd = redirect.done_fd;

	redirect_stop(&redirect);
	close(char_fd);
	close(done_fd);
}

static int wait_for_result(unsigned int tag)
{
	struct pollfd fd = { .fd = redirect.done_fd, .events = POLLIN };
	eventfd_t count;
	int result = 1;

	ck_assert_int_eq(poll(&fd, 1, -1), 1);
	eventfd_read(redirect.done_fd, &count);
	ck_assert_int_eq(redirect_next_done(&redirect, &result), (int)tag);
	ck_assert_int_eq(redirect_next_done(&redirect, &result), -1);
	return result;
}

static int remember(void *state, const struct ublkpol_request *request)
{
	*(struct ublkpol_request *)state = *request;
	return 0;
}

START_TEST(the_handler_sees_the_request)
{
	static const struct ublkpol_handler handler = { .handle = remember };
	struct ublkpol_request seen;

	start(&handler, &seen);
	describe(2, UBLK_IO_OP_WRITE | UBLK_IO_F_FUA, 1ULL << 33, 16);
	redirect_begin(&redirect, 2);
	ck_assert_int_eq(wait_for_result(2), 8192);
	ck_assert_int_eq(seen.id, 7);
	ck_assert_uint_eq(seen.queue, QUEUE);
	ck_assert_uint_eq(seen.tag, 2);
	ck_assert_int_eq(seen.op, UBLKPOL_WRITE);
	ck_assert_uint_eq(seen.flags, UBLK_IO_F_FUA);
	ck_assert_uint_eq(seen.offset, 1ULL << 42);
	ck_assert_uint_eq(seen.length, 8192);

	describe(0, UBLK_IO_OP_FLUSH, 0, 0);
	redirect_begin(&redirect, 0);
	ck_assert_int_eq(wait_for_result(0), 0);
	ck_assert_int_eq(seen.op, UBLKPOL_FLUSH);
	/* 2 GiB, the most that a device offers */
	describe(0, UBLK_IO_OP_DISCARD, 8, 1 << 22);
	redirect_begin(&redirect, 0);
	ck_assert_int_eq(wait_for_result(0), 0);
	ck_assert_int_eq(seen.op, UBLKPOL_DISCARD);
	ck_assert_uint_eq(seen.length, 1ULL << 31);
	stop();
}
END_TEST

static int give(void *state, const struct ublkpol_request *request)
{
	ck_assert_int_eq(ublkpol_request_get(request, state, 0, 4), -EINVAL);
	ck_assert_int_eq(ublkpol_request_put(request, state, request->length - 3, 4), -EINVAL);
	ck_assert_int_eq(ublkpol_request_put(request, state, 512, 512), 0);
	return ublkpol_request_put(request, state, 0, 512);
}

static int take(void *state, const struct ublkpol_request *request)
{
	ck_assert_int_eq(ublkpol_request_put(request, state, 0, 4), -EINVAL);
	ck_assert_int_eq(ublkpol_request_get(request, state, 513, 512), -EINVAL);
	return ublkpol_request_get(request, state, 512, 512);
}

START_TEST(payloads_are_read_and_written)
{
	static const struct ublkpol_handler giver = { .handle = give };
	static const struct ublkpol_handler taker = { .handle = take };
	char content[1024], expected[1024];

	memset(expected, 'a', sizeof(expected));
	start(&giver, expected);
	describe(3, UBLK_IO_OP_READ, 0, 2);
	redirect_begin(&redirect, 3);
	ck_assert_int_eq(wait_for_result(3), 1024);
	ck_assert_int_eq(pread(redirect.char_fd, content, 1024, payload(3)), 1024);
	ck_assert_mem_eq(content, expected, 1024);
	stop();

	start(&taker, content);
	memset(expected, 'b', sizeof(expected));
	ck_assert_int_eq(pwrite(redirect.char_fd, expected, 1024, payload(1)), 1024);
	describe(1, UBLK_IO_OP_WRITE, 0, 2);
	redirect_begin(&redirect, 1);
	ck_assert_int_eq(wait_for_result(1), 1024);
	ck_assert_mem_eq(content, expected, 512);
	stop();
}
END_TEST

static int put_half(void *state, const struct ublkpol_request *request)
{
	return ublkpol_request_put(request, state, 0, request->length / 2);
}

static int refuse(void *state, const struct ublkpol_request *request)
{
	(void)request;
	return *(int *)state;
}

/* A page that nobody filled would show the reader old memory of the kernel */
START_TEST(a_read_that_is_not_filled_fails)
{
	static const struct ublkpol_handler handler = { .handle = put_half };
	char content[1024] = "";

	start(&handler, content);
	describe(0, UBLK_IO_OP_READ, 0, 2);
	redirect_begin(&redirect, 0);
	ck_assert_int_eq(wait_for_result(0), -EIO);
	stop();
}
END_TEST

START_TEST(errors_of_the_handler_are_passed_on)
{
	static const struct ublkpol_handler handler = { .handle = refuse };
	int code = -ENOSPC;

	start(&handler, &code);
	describe(0, UBLK_IO_OP_WRITE, 0, 2);
	redirect_begin(&redirect, 0);
	ck_assert_int_eq(wait_for_result(0), -ENOSPC);
	code = 17;
	redirect_begin(&redirect, 0);
	ck_assert_int_eq(wait_for_result(0), -EIO);
	code = -4096;
	redirect_begin(&redirect, 0);
	ck_assert_int_eq(wait_for_result(0), -EIO);
	stop();
}
END_TEST

TCase *redirect_case(void)
{
	TCase *tc = tcase_create("redirect");

	tcase_add_test(tc, the_handler_sees_the_request);
	tcase_add_test(tc, payloads_are_read_and_written);
	tcase_add_test(tc, a_read_that_is_not_filled_fails);
	tcase_add_test(tc, errors_of_the_handler_are_passed_on);
	return tc;
}
