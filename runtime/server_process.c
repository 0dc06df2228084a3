// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "server_process.h"

/* Every arena of malloc reserves memory, which mlockall() would make real */
#define MALLOC_ARENAS 1

#define OOM_ADJUST_FILE "/proc/self/oom_score_adj"
#define OOM_NEVER	"-1000"

static void warn(ublkpol_report_fn report, void *arg, int code, const char *what)
{
	char text[256];

	if (!report)
		return;
	snprintf(text, sizeof(text), "%s: %s; under memory pressure the device may stall", what,
		 strerror(code));
	report(arg, UBLKPOL_REPORT_WARNING, text);
}

static int forbid_oom_kill(void)
{
	int fd = open(OOM_ADJUST_FILE, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return errno;
	if (write(fd, OOM_NEVER, strlen(OOM_NEVER)) < 0)
		ret = errno;
	close(fd);
	return ret;
}

void server_process_prepare(ublkpol_report_fn report, void *report_arg)
{
	int ret;

	mallopt(M_ARENA_MAX, MALLOC_ARENAS);

	if (prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0))
		warn(report, report_arg, errno, "cannot mark the daemon as an I/O flusher");
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		warn(report, report_arg, errno, "cannot lock the memory of the daemon");
	ret = forbid_oom_kill();
	if (ret)
		warn(report, report_arg, ret, "cannot exempt the daemon from the OOM killer");
}
