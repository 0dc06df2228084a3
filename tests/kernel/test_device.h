/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TEST_DEVICE_H
#define TEST_DEVICE_H

/*
 * A ublk device with a BPF program as a test wants it, whose server is a child
 * process: it can be killed, and another one can recover the device. Nothing of
 * the runtime is between the test and the driver.
 */
#include <stdbool.h>
#include <sys/types.h>
#include <linux/ublk_bpf.h>
#include <linux/ublk_cmd.h>

#define TEST_MAX_SLOTS 8

/* How the server answers requests that the program redirects */
enum serve_mode {
	SERVE_EIO, /* it fails them */
	SERVE_USER_COPY, /* pread() and pwrite() on /dev/ublkcN and on a file */
	SERVE_AUTO_BUF, /* READ_FIXED and WRITE_FIXED with the buffer that ublk registered */
};

/* What the server's process tells the test */
struct test_counters {
	unsigned long redirected; /* requests that reached the server */
	unsigned long user_returns; /* io_uring_enter() calls that returned, of all threads */
	int char_fd; /* the number of /dev/ublkcN's descriptor there */
};

struct test_device {
	/* Set by the test; 0 takes a default */
	__u64 flags; /* UBLK_F_*, beside UBLK_F_BPF */
	bool plain; /* without UBLK_F_BPF */
	unsigned int queues, depth; /* 1, 16 */
	__u64 sectors;
	unsigned int max_sectors; /* 1024 */
	unsigned int chunk_sectors; /* no boundary */
	__u32 attrs; /* UBLK_ATTR_* */
	struct ublk_param_discard discard; /* not advertised */
	int prog_fd; /* -1: attach nothing */
	int complete_fd; /* 0: no complete program */
	unsigned int max_items; /* 8 */
	struct ublk_bpf_slot slots[TEST_MAX_SLOTS];
	unsigned int nr_slots;
	enum serve_mode serve;
	int serve_fd; /* the file that serves redirected requests */
	unsigned int serve_us; /* how long a request is with the server, at least */
	bool leaves; /* when a command ends, not when all have */
	unsigned int threads_per_queue; /* 1; each has tags of its own */
	unsigned int ring_flags; /* SINGLE_ISSUER and DEFER_TASKRUN */
	uid_t server_uid; /* of the threads that have the rings */

	/* Set by test_device_start() */
	int id;
	int disk_fd; /* O_DIRECT */
	pid_t server;
	struct test_counters *counters;
};

/**
 * ublk_command() - one control command
 * @op: UBLK_U_CMD_*
 * @id: device, or -1
 * @buffer: its buffer, or NULL
 * @data: its word of data
 *
 * Return: what the driver said
 */
int ublk_command(unsigned int op, int id, void *buffer, size_t len, __u64 data);

/** test_device_add() - ADD_DEV and SET_PARAMS; returns 0 or the first command's errno */
int test_device_add(struct test_device *dev);

/**
 * test_device_serve() - start a server in a child process
 * @recover: take over from a server that is gone
 *
 * Return: 0 when it serves; the errno of the step that failed, whose server has
 * exited then
 */
int test_device_serve(struct test_device *dev, bool recover);

/** test_device_open() - open the disk: sets disk_fd */
void test_device_open(struct test_device *dev);

/** test_device_start() - all three; the test ends if one fails */
void test_device_start(struct test_device *dev);

/** test_device_char_fd() - a descriptor of our own for the server's /dev/ublkcN */
int test_device_char_fd(const struct test_device *dev);

/** test_device_kill() - kill the server and wait for its end */
void test_device_kill(struct test_device *dev);

/** test_device_remove() - stop and delete the device; its server ends */
void test_device_remove(struct test_device *dev);

#endif
