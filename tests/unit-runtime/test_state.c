// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "pins.h"
#include "state.h"
#include "state_text.h"
#include "suites.h"

static char folder[] = "/tmp/unit-runtime-XXXXXX";
static char root[sizeof(folder) + 4], pins[sizeof(folder) + 5];

static struct ublkpol_backend_info backends[] = {
	{ .name = (char *)"fd0",
	  .path = (char *)"/plain",
	  .dev = 7,
	  .disk_sequence = ~0ULL,
	  .size = 1ULL << 60,
	  .can = 3,
	  .stale = true,
	  .named = true },
	{ .name = (char *)"fd1", .path = (char *)"/new\nline=and\\back\\n\"\xff", .ino = ~0ULL },
};

static struct ublkpol_value_info values[] = {
	{ .name = (char *)"hot", .text = (char *)"0-1MiB,\n2MiB-3MiB" },
	{ .name = (char *)"empty", .text = (char *)"" },
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
	.values = values,
	.nr_values = 2,
	.recovery = UBLKPOL_RECOVERY_REISSUE,
	.generation = 12,
	.prog_id = 99,
	.handler = (char *)"/handler.so",
	.handler_argument = (char *)"a=b",
};

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(root, sizeof(root), "%s/run", folder);
	state_set_root(root);
	/* Without this, the test would unpin maps of a real device */
	snprintf(pins, sizeof(pins), "%s/pins", folder);
	pins_set_root(pins);
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
	ck_assert_int_eq(info->recovery, sample.recovery);
	ck_assert_uint_eq(info->generation, sample.generation);
	ck_assert_uint_eq(info->prog_id, sample.prog_id);
	ck_assert_str_eq(info->handler, sample.handler);
	ck_assert_str_eq(info->handler_argument, sample.handler_argument);
	ck_assert_str_eq(info->policy, sample.policy);
	ck_assert_uint_eq(info->nr_backends, sample.nr_backends);
	for (i = 0; i < sample.nr_backends; i++) {
		ck_assert_str_eq(info->backends[i].name, backends[i].name);
		ck_assert_str_eq(info->backends[i].path, backends[i].path);
		ck_assert_uint_eq(info->backends[i].dev, backends[i].dev);
		ck_assert_uint_eq(info->backends[i].ino, backends[i].ino);
		ck_assert_uint_eq(info->backends[i].disk_sequence, backends[i].disk_sequence);
		ck_assert_uint_eq(info->backends[i].size, backends[i].size);
		ck_assert_uint_eq(info->backends[i].can, backends[i].can);
		ck_assert_int_eq(info->backends[i].stale, backends[i].stale);
		ck_assert_int_eq(info->backends[i].named, backends[i].named);
	}
	ck_assert_uint_eq(info->nr_values, sample.nr_values);
	for (i = 0; i < sample.nr_values; i++) {
		ck_assert_str_eq(info->values[i].name, values[i].name);
		ck_assert_str_eq(info->values[i].text, values[i].text);
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
	REQUIRED "backend_dev=1\n",
	REQUIRED "backend_name=a\nbackend_path=/a\nbackend_ino=x\n",
	REQUIRED "value_text=of nothing\n",
	REQUIRED "value_name=a\n", /* without a text */
	REQUIRED "recovery=4\n",
	REQUIRED "handler=a\nhandler=b\n",
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
	const struct state_files files = {
		.object = "object",
		.object_size = 6,
		.image = image,
		.image_size = sizeof(image),
	};
	struct ublkpol_error err = { 0 };
	int lock_fd;

	ck_assert_msg(!state_lock(&lock_fd, &err), "said: %s", err.text);
	ck_assert_msg(!state_create(7, queues, 2, &err), "said: %s", err.text);
	ck_assert_msg(!state_save_files(7, 12, &files, &err), "said: %s", err.text);
	ck_assert_msg(!state_save(&sample, &err), "said: %s", err.text);
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

	ck_assert_int_eq(state_load_image(7, 12, &image, &size), 0);
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

/* Renaming the note is what makes the next generation the current one */
START_TEST(a_generation_becomes_current_at_once)
{
	struct ublkpol_error err = { 0 };
	struct ublkpol_info next = sample, info;
	struct state_queues queues;
	char path[PATH_MAX];
	void *image;
	size_t size;

	create_sample(&queues);
	ck_assert(!state_has_next(7));
	next.generation = 13;
	next.nr_values = 0;
	ck_assert_int_eq(state_save_next(&next, &err), 0);
	ck_assert(state_has_next(7));
	ck_assert_int_eq(state_load(7, &info), 0);
	expect_sample(&info);
	state_free_info(&info);
	ck_assert_int_eq(state_load_next(7, &info), 0);
	ck_assert_uint_eq(info.generation, 13);
	state_free_info(&info);

	state_drop_next(7);
	ck_assert(!state_has_next(7));
	ck_assert_int_eq(state_load_next(7, &info), -ENOENT);
	state_free_info(&info);

	ck_assert_int_eq(state_save_next(&next, &err), 0);
	ck_assert_int_eq(state_commit_next(7, &err), 0);
	ck_assert_int_eq(state_load(7, &info), 0);
	ck_assert_uint_eq(info.generation, 13);
	ck_assert_uint_eq(info.nr_values, 0);
	state_free_info(&info);

	ck_assert_int_eq(access(state_object_path(path, 7, 12), F_OK), 0);
	state_remove_files(7, 12);
	ck_assert_int_ne(access(state_object_path(path, 7, 12), F_OK), 0);
	ck_assert_int_eq(state_load_image(7, 12, &image, &size), -ENOENT);
	state_close(&queues);
	state_remove(7);
}
END_TEST

/* Who reads its files may find them gone, or those of the next device of that number */
START_TEST(a_reader_is_told_that_its_generation_is_gone)
{
	struct ublkpol_error err = { .kind = UBLKPOL_ERR_INPUT, .text = "no such file" };
	struct ublkpol_info next = sample;
	struct state_queues queues;

	create_sample(&queues);
	ck_assert_int_eq(state_read_failed(&sample, -EIO, &err), -EIO);
	ck_assert_str_eq(err.text, "no such file");

	next.generation = sample.generation + 1;
	ck_assert_int_eq(state_read_failed(&next, -EIO, &err), -ESTALE);
	ck_assert_int_eq(err.kind, UBLKPOL_ERR_FAILED);
	ck_assert_str_eq(err.text, "device 7 was swapped or deleted meanwhile");
	ck_assert_int_eq(state_read_failed(&next, -EIO, NULL), -ESTALE);
	state_close(&queues);
	state_remove(7);
	ck_assert_int_eq(state_read_failed(&sample, -EIO, &err), -ESTALE);

	/* It never had files */
	next.policy = "";
	ck_assert_int_eq(state_read_failed(&next, -ENOENT, &err), -ENOENT);
}
END_TEST

START_TEST(one_process_at_a_time_replaces_a_policy)
{
	struct state_queues queues;
	int fd, other;

	ck_assert_int_eq(state_try_lock_device(7, &fd), -ENOENT);
	create_sample(&queues);
	ck_assert_int_eq(state_lock_device(7, &fd), 0);
	ck_assert_int_eq(state_try_lock_device(7, &other), -EBUSY);
	ck_assert(state_lock_is_current(7, fd));

	/* Another device got the number: the lock is of the one before */
	state_close(&queues);
	state_remove(7);
	ck_assert(!state_lock_is_current(7, fd));
	create_sample(&queues);
	ck_assert(!state_lock_is_current(7, fd));
	ck_assert_int_eq(state_try_lock_device(7, &other), 0);
	ck_assert(state_lock_is_current(7, other));
	close(fd);
	close(other);
	state_close(&queues);
	state_remove(7);
}
END_TEST

START_TEST(a_new_daemon_adopts_the_folder)
{
	struct state_queues queues;
	struct ublkpol_error err = { 0 };
	struct ublkpol_info info;

	create_sample(&queues);
	queues.counters[0].user_returns = 5;
	state_close(&queues);
	ck_assert_int_eq(state_adopt(7, &queues, 2, &err), 0);
	ck_assert_uint_eq(queues.counters[0].user_returns, 0);
	ck_assert(alive_for_other_process(7));
	ck_assert_int_eq(state_load(7, &info), 0);
	expect_sample(&info);
	state_free_info(&info);
	state_close(&queues);
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
	tcase_add_test(tc, a_generation_becomes_current_at_once);
	tcase_add_test(tc, a_reader_is_told_that_its_generation_is_gone);
	tcase_add_test(tc, one_process_at_a_time_replaces_a_policy);
	tcase_add_test(tc, a_new_daemon_adopts_the_folder);
	tcase_add_test(tc, only_root_may_look);
	return tc;
}
