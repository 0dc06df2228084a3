/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CLI_DAEMON_H
#define CLI_DAEMON_H

/*
 * A command that leaves a daemon behind: the command returns when the daemon
 * has succeeded or failed to set up, with the daemon's exit code. Until then
 * the daemon writes to the command's standard output and error.
 */

/**
 * daemon_start() - fork the daemon
 * @exit_code: in the command, set when the daemon is ready or dead
 *
 * Signals that end a command reach the daemon while the command waits.
 * Return: in the command, 0; in the daemon, a descriptor for daemon_ready()
 * that is > 0; or a negative errno.
 */
int daemon_start(int *exit_code);

/**
 * daemon_ready() - in the daemon: let the command return with exit code 0
 * @ready_fd: from daemon_start(), closed
 *
 * Gives up the terminal and the working directory.
 */
void daemon_ready(int ready_fd);

#endif
