// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clang.h"

/* Newest first */
static const char *const clang_names[] = {
	"clang-21", "clang-20", "clang-19", "clang-18", "clang-17",
	"clang-16", "clang-15", "clang-14", "clang",
};

static bool clang_is_in_path(const char *name)
{
	const char *path = getenv("PATH");
	char file[4096];

	while (path && *path) {
		size_t length = strcspn(path, ":");

		snprintf(file, sizeof(file), "%.*s/%s", (int)length, path, name);
		if (!access(file, X_OK))
			return true;
		path += length + (path[length] == ':');
	}
	return false;
}

const char *clang_find(void)
{
	const char *chosen = getenv("UBLKPOLC_CLANG");

	if (chosen && *chosen)
		return chosen;
	for (size_t i = 0; i < sizeof(clang_names) / sizeof(clang_names[0]); i++) {
		if (clang_is_in_path(clang_names[i]))
			return clang_names[i];
	}
	fputs("ublkpolc: clang is not installed (Debian: apt install clang-19); "
	      "UBLKPOLC_CLANG may name one\n",
	      stderr);
	return NULL;
}

static pid_t clang_pid;
static volatile sig_atomic_t clang_signal;

static void clang_on_signal(int number)
{
	clang_signal = number;
	if (clang_pid > 0)
		kill(clang_pid, SIGTERM);
}

/* While clang runs, a signal must not end this process before it has cleaned up */
static void clang_catch_signals(struct sigaction old[3])
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = clang_on_signal };

	for (int i = 0; i < 3; i++)
		sigaction(signals[i], &action, &old[i]);
}

static void clang_restore_signals(const struct sigaction old[3])
{
	sigaction(SIGINT, &old[0], NULL);
	sigaction(SIGTERM, &old[1], NULL);
	sigaction(SIGHUP, &old[2], NULL);
}

static int clang_run(char *const argv[], const char *directory)
{
	struct sigaction old[3];
	int status = 0;
	pid_t pid;

	clang_catch_signals(old);
	pid = fork();
	if (!pid) {
		clang_restore_signals(old);
		if (!chdir(directory))
			execvp(argv[0], argv);
		fprintf(stderr, "ublkpolc: cannot run %s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	clang_pid = pid;
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	clang_restore_signals(old);

	if (pid < 0)
		return -errno;
	if (clang_signal)
		return -EINTR;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EIO;
}

int clang_compile(const char *clang, const char *directory, const char *input, const char *output)
{
	char *const argv[] = {
		(char *)clang,
		"-target",
		"bpf",
		"-mcpu=v3",
		"-O2",
		"-g",
		"-Wall",
		"-Werror",
		/* The verifier's log quotes source lines, which clang reads from here */
		"-fdebug-compilation-dir=.",
		"-I.",
		/* clang for BPF does not look where this machine's <asm/types.h> is */
		"-idirafter",
		"/usr/include/" UBLKPOL_MULTIARCH,
		"-c",
		(char *)input,
		"-o",
		(char *)output,
		NULL,
	};

	return clang_run(argv, directory);
}
