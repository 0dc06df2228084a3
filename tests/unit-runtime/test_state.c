// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "state.h"
#include "suites.h"

static char folder[] = "/tmp/unit-runtime-XXXXXX";
static char root[sizeof(folder) + 4];

static struct ublkpol_backend_info backends[] = {
	{ "fd0", "/plain" },
	{ "fd1", "/new\nline=and\\back\\n\"\xff" },
};

static struct ublkpol_info sample = {
	.id = 7,
	.pid = 4242,
	.queues = 2,
	.depth = 128,
	.block_size = 4096,
	.sectors = 1ULL << 40,
	.policy = (char *)"/a policy\n.bpf.o",
	.backends = backends,
	.nr_backends = 2,
	.counters_id = 99,
};

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(root, sizeof(root), "%s/run", folder);
	state_set_root(root);
}

static void teardown(void)
{
	rmdir(root);
	ck_assert_int_eq(rmdir(folder), 0);
}

static void expect_sample(const struct ublkpol_info *info)
{
	unsigned int i;

	ck_assert_int_eq(info->pid, sample.pid);
	ck_assert_uint_eq(info->queues, sample.queues);
	ck_assert_uint_eq(info->depth, sample.depth);
	ck_assert_uint_eq(info->block_size, sample.block_size);
	ck_assert_uint_eq(info->sectors, sample.sectors);
	ck_assert_uint_eq(info->counters_id, sample.counters_id);
	ck_assert_str_eq(info->policy, sample.policy);
	ck_assert_uint_eq(info->nr_backends, sample.nr_backends);
	for (i = 0; i < sample.nr_backends; i++) {
		ck_assert_str_eq(info->backends[i].name, backends[i].name);
		ck_assert_str_eq(info->backends[i].path, backends[i].path);
	}
}

START_TEST(text_survives_the_round_trip)
{
	char *text = state_format(&sample);
	struct ublkpol_info info = { 0 };

	ck_assert_ptr_nonnull(text);
	ck_assert_int_eq(state_parse(text, &info), 0);
	expect_sample(&info);
	state_free_info(&info);
	free(text);
}
END_TEST

#define REQUIRED "pid=1\nqueues=1\npolicy=p\n"

START_TEST(unknown_keys_are_skipped)
{
	char text[] = REQUIRED "future=1\n\nbackend_name=a\nbackend_path=/a\n";
	struct ublkpol_info info = { 0 };

	ck_assert_int_eq(state_parse(text, &info), 0);
	ck_assert_uint_eq(info.nr_backends, 1);
	state_free_info(&info);
}
END_TEST

static const char *const broken_texts[] = {
	"",
	"queues=1\npolicy=p\n", /* pid is missing */
	"pid=1\npolicy=p\n",
	"pid=1\nqueues=1\n",
	REQUIRED "no equals sign\n",
	REQUIRED "depth=\n",
	REQUIRED "depth=-1\n",
	REQUIRED "depth=4294967296\n",
	REQUIRED "depth=1x\n",
	REQUIRED "sectors=18446744073709551616\n",
	REQUIRED "policy=twice\n",
	REQUIRED "backend_path=/of nothing\n",
	REQUIRED "backend_name=a\n", /* without a path */
	REQUIRED "backend_name=a\nbackend_path=/a\nbackend_path=/b\n",
	REQUIRED "backend_name=a\nbackend_path=/a\\x\n", /* no such escape */
	REQUIRED "backend_name=a\nbackend_path=/a\\",
};

START_TEST(broken_text_is_refused)
{
	char *text = strdup(broken_texts[_i]);
	struct ublkpol_info info = { 0 };

	ck_assert_int_eq(state_parse(text, &info), -EINVAL);
	state_free_info(&info);
	free(text);
}
END_TEST

static void create_sample(struct state_queues *queues)
{
	static const char image[] = "an image\0with a NUL";
	struct ublkpol_error err = { 0 };
	int lock_fd;

	ck_assert_msg(!state_lock(&lock_fd, &err), "said: %s", err.text);
	ck_assert_msg(!state_create(7, queues, 2, &err), "said: %s", err.text);
	ck_assert_msg(!state_save(&sample, image, sizeof(image), &err), "said: %s", err.text);
	close(lock_fd);
}

START_TEST(other_processes_read_what_the_daemon_wrote)
{
	struct queue_counters counters[2];
	struct state_queues queues;
	struct ublkpol_info info;
	size_t size, count;
	void *image;
	int *ids;

	create_sample(&queues);
	queues.counters[1].user_returns = 5;

	ck_assert_int_eq(state_load(7, &info), 0);
	expect_sample(&info);
	ck_assert_int_eq(info.id, 7);
	state_free_info(&info);

	ck_assert_int_eq(state_load_image(7, &image, &size), 0);
	ck_assert_uint_eq(size, 20);
	ck_assert_mem_eq(image, "an image\0with a NUL", 20);
	free(image);

	ck_assert_int_eq(state_load_queues(7, counters, 2), 0);
	ck_assert_uint_eq(counters[0].user_returns, 0);
	ck_assert_uint_eq(counters[1].user_returns, 5);
	ck_assert_int_eq(state_load_queues(7, counters, 1), -EINVAL);

	ck_assert_int_eq(state_ids(&ids, &count), 0);
	ck_assert_uint_eq(count, 1);
	ck_assert_int_eq(ids[0], 7);
	free(ids);

	state_close(&queues);
	state_remove(7);
	ck_assert_int_eq(state_load(7, &info), -ENOENT);
	ck_assert_str_eq(info.policy, "");
	state_free_info(&info);
	ck_assert_int_eq(state_ids(&ids, &count), 0);
	ck_assert_uint_eq(count, 0);
}
END_TEST

static bool alive_for_other_process(int id)
{
	struct ublkpol_info info;
	int status;
	pid_t pid = fork();

	if (!pid) {
		state_load(id, &info);
		_exit(info.daemon_alive);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

START_TEST(the_daemon_is_alive_as_long_as_it_holds_the_queues)
{
	struct state_queues queues, again;
	struct ublkpol_error err = { 0 };

	create_sample(&queues);
	ck_assert(alive_for_other_process(7));
	ck_assert(!alive_for_other_process(8));
	state_close(&queues);
	ck_assert(!alive_for_other_process(7));

	/* What a dead daemon left is replaced */
	ck_assert_int_eq(state_create(7, &again, 1, &err), 0);
	ck_assert(alive_for_other_process(7));
	state_close(&again);
	state_remove(7);
}
END_TEST

START_TEST(only_root_may_look)
{
	struct state_queues queues;
	struct stat st;

	create_sample(&queues);
	ck_assert_int_eq(stat(root, &st), 0);
	ck_assert_int_eq(st.st_mode & 077, 0);
	state_close(&queues);
	state_remove(7);
}
END_TEST

TCase *state_case(void)
{
	TCase *tc = tcase_create("state");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, text_survives_the_round_trip);
	tcase_add_test(tc, unknown_keys_are_skipped);
	tcase_add_loop_test(tc, broken_text_is_refused, 0,
			    sizeof(broken_texts) / sizeof(broken_texts[0]));
	tcase_add_test(tc, other_processes_read_what_the_daemon_wrote);
	tcase_add_test(tc, the_daemon_is_alive_as_long_as_it_holds_the_queues);
	tcase_add_test(tc, only_root_may_look);
	return tc;
}
