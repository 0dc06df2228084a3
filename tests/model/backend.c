// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend.h"

void die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

int open_direct(const char *path, int flags, uint64_t *size)
{
	struct stat st;
	int fd = open(path, flags | O_DIRECT | O_CLOEXEC);

	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	if (fstat(fd, &st))
		die("%s: %s", path, strerror(errno));
	*size = st.st_size;
	if (S_ISBLK(st.st_mode) && ioctl(fd, BLKGETSIZE64, size))
		die("%s: %s", path, strerror(errno));
	return fd;
}

void *direct_memory(size_t size)
{
	void *p;

	if (posix_memalign(&p, 4096, size))
		die("out of memory");
	return p;
}

void read_all(int fd, const char *path, void *buf, size_t len, uint64_t offset)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, (char *)buf + done, len - done, offset + done);

		if (n < 0)
			die("%s: read of %zu bytes at %llu: %s", path, len - done,
			    (unsigned long long)(offset + done), strerror(errno));
		if (n == 0)
			die("%s ends at byte %llu", path, (unsigned long long)(offset + done));
		done += n;
	}
}
