/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CLI_SERVE_H
#define CLI_SERVE_H

/* What the verbs share that leave a daemon with a device behind: add, recover */
#include "cli.h"

struct serve {
	/* Brings the device up, in the daemon */
	int (*start)(const struct serve *serve, struct ublkpol_device **device,
		     struct ublkpol_error *err);
	const char *handler; /* path of a shared object, or NULL */
	const char *handler_argument; /* or NULL */
	struct ublkpol_handler_options loaded; /* from these, before start() */
	bool foreground; /* do not fork */
	void *arg;
};

/**
 * serve_run() - run a device until it is deleted, or a signal ends it
 *
 * Prints the name of the device when it is up; the command returns then, unless
 * it stays in the foreground. Return: the exit code.
 */
int serve_run(const struct cli *cli, struct serve *serve);

#endif
