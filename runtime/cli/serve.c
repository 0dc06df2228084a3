// SPDX-License-Identifier: GPL-2.0-only
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/signalfd.h>

#include "daemon.h"
#include "json.h"
#include "serve.h"

/* The signals that end the device are blocked, and read from the descriptor */
static int open_ending_signals(void)
{
	sigset_t ending;

	/* Whoever reads our output may go before us */
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&ending);
	sigaddset(&ending, SIGINT);
	sigaddset(&ending, SIGTERM);
	sigaddset(&ending, SIGHUP);
	sigprocmask(SIG_BLOCK, &ending, NULL);
	return signalfd(-1, &ending, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void print_device(const struct cli *cli, int id)
{
	char node[32];
	struct json json;

	snprintf(node, sizeof(node), UBLKPOL_NODE, id);
	if (!cli->json) {
		puts(node);
		return;
	}
	json_init(&json, stdout);
	json_begin_object(&json, NULL);
	json_number(&json, "id", (__u64)id);
	json_string(&json, "node", node);
	json_end_object(&json);
}

static int load_handler(struct serve *serve, struct ublkpol_error *err)
{
	void *object;

	if (!serve->handler)
		return 0;
	object = dlopen(serve->handler, RTLD_NOW | RTLD_LOCAL);
	if (object)
		serve->loaded.handler = dlsym(object, UBLKPOL_HANDLER_SYMBOL);
	if (!serve->loaded.handler) {
		err->kind = UBLKPOL_ERR_INPUT;
		snprintf(err->text, sizeof(err->text), "cannot use the handler %s: %s",
			 serve->handler, dlerror());
		return -ENOENT;
	}
	serve->loaded.path = serve->handler;
	serve->loaded.argument = serve->handler_argument;
	return 0;
}

static bool signal_came(int signal_fd)
{
	struct signalfd_siginfo signal;

	return read(signal_fd, &signal, sizeof(signal)) > 0;
}

/*
 * Until the device is stopped, by a signal or by somebody else. A signal does not take it
 * away from under a file system: at a shutdown it may come before that is unmounted.
 */
static void wait_for_end(const struct cli *cli, struct ublkpol_device *device, int signal_fd)
{
	int id = ublkpol_device_id(device);

	for (;;) {
		ublkpol_device_wait(device, signal_fd);
		if (!signal_came(signal_fd) || ublkpol_device_stop_unused(device) != -EBUSY)
			return;
		fprintf(stderr,
			"ublkpol %s: " UBLKPOL_NODE " is in use and goes on; 'ublkpol del -n %d "
			"--force' ends it\n",
			cli->command->name, id, id);
	}
}

/* In the process that owns the device, until the device is gone */
static int own_device(const struct cli *cli, struct serve *serve, int ready_fd)
{
	struct ublkpol_error err = { 0 };
	struct ublkpol_device *device;
	int signal_fd;

	signal_fd = open_ending_signals();
	if (signal_fd < 0) {
		snprintf(err.text, sizeof(err.text), "cannot wait for signals: %s",
			 strerror(errno));
		return cli_fail(cli, &err);
	}
	if (load_handler(serve, &err) || serve->start(serve, &device, &err))
		return cli_fail(cli, &err);
	if (signal_came(signal_fd) && ublkpol_device_stop_unused(device) != -EBUSY) {
		ublkpol_device_remove(device);
		snprintf(err.text, sizeof(err.text), "interrupted");
		return cli_fail(cli, &err);
	}

	print_device(cli, ublkpol_device_id(device));
	fflush(stdout);
	if (ready_fd >= 0)
		daemon_ready(ready_fd);
	wait_for_end(cli, device, signal_fd);
	ublkpol_device_remove(device);
	return 0;
}

int serve_run(const struct cli *cli, struct serve *serve)
{
	struct ublkpol_error err = { 0 };
	int ready_fd, exit_code = 0;

	if (serve->foreground)
		return own_device(cli, serve, -1);

	ready_fd = daemon_start(&exit_code);
	if (ready_fd < 0) {
		snprintf(err.text, sizeof(err.text), "cannot start the daemon: %s",
			 strerror(-ready_fd));
		return cli_fail(cli, &err);
	}
	/* The daemon does not go on with what the caller has to do */
	if (ready_fd)
		exit(own_device(cli, serve, ready_fd));
	return exit_code;
}
