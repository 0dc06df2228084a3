/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TEST_SERVER_H
#define TEST_SERVER_H

#include "test_device.h"

struct io_uring_sqe;

/** test_server_main() - the server's process; does not return */
void test_server_main(struct test_device *dev, bool recover, int report_fd);

/** test_server_char_node() - open /dev/ublkcN when the server before is gone; or an errno */
int test_server_char_node(int id);

/** test_server_prepare() - make @sqe, which is zero, a command on the device's requests */
void test_server_prepare(struct io_uring_sqe *sqe, int char_fd, unsigned int op,
			 const struct ublksrv_io_cmd *command);

#endif
