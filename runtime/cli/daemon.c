// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>

#include "daemon.h"

#define READY_FD 3

static volatile pid_t daemon_pid;

static void forward_signal(int signal)
{
	(void)signal;
	kill(daemon_pid, SIGTERM);
}

static void forward_signals(void)
{
	const struct sigaction forward = { .sa_handler = forward_signal };

	sigaction(SIGINT, &forward, NULL);
	sigaction(SIGTERM, &forward, NULL);
	sigaction(SIGHUP, &forward, NULL);
}

/* The daemon says that it is ready with one byte; if it fails, it just exits */
static int wait_for_daemon(pid_t pid, int fd)
{
	ssize_t n;
	int status;
	char byte;

	do {
		n = read(fd, &byte, 1);
	} while (n < 0 && errno == EINTR);
	if (n == 1)
		return 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status))
		return WEXITSTATUS(status);
	fprintf(stderr,
		"ublkpol: the daemon was killed during set-up (signal %d): see ublkpol list\n",
		WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	return 1;
}

int daemon_start(int *exit_code)
{
	sigset_t ending, old;
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	fflush(NULL);

	/* Held back until both sides know what to do with them */
	sigemptyset(&ending);
	sigaddset(&ending, SIGINT);
	sigaddset(&ending, SIGTERM);
	sigaddset(&ending, SIGHUP);
	sigprocmask(SIG_BLOCK, &ending, &old);

	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid > 0) {
		close(fds[1]);
		daemon_pid = pid;
		forward_signals();
		sigprocmask(SIG_SETMASK, &old, NULL);
		*exit_code = wait_for_daemon(pid, fds[0]);
		return 0;
	}

	setsid();
	/* Whatever else the caller had open must not stay open with the device */
	if (fds[1] != READY_FD && dup2(fds[1], READY_FD) < 0)
		_exit(1);
	fcntl(READY_FD, F_SETFD, FD_CLOEXEC);
	close_range(READY_FD + 1, ~0U, 0);
	return READY_FD;
}

void daemon_ready(int ready_fd)
{
	const char byte = 0;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	fflush(NULL);
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		close(null);
	}
	/* A command that is gone by now has nothing to learn from this byte */
	if (chdir("/") || write(ready_fd, &byte, 1) != 1)
		errno = 0;
	close(ready_fd);
}
