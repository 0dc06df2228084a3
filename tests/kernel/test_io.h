/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TEST_IO_H
#define TEST_IO_H

/* I/O of a test on a device: many requests at once, and what they should bring */
#include <stdbool.h>
#include <stddef.h>

/** random_bytes() - a buffer for O_DIRECT, full of bytes that depend on @seed */
void *random_bytes(size_t len, unsigned int seed);

/** zero_bytes() - a buffer for O_DIRECT, full of zeroes */
void *zero_bytes(size_t len);

/**
 * transfer() - read or write a range in pieces of random size and order
 * @fd: device or file
 * @off: first byte, a multiple of 512
 * @buffer: @len bytes, @len is a multiple of 512
 * @depth: requests in flight
 *
 * Return: 0, or the first request's error; -EPIPE if one was short
 */
int transfer(int fd, bool write, long long off, void *buffer, size_t len, unsigned int depth);

/** holds() - does the file or device @fd hold exactly these bytes there? */
bool holds(int fd, long long off, const void *bytes, size_t len);

#endif
