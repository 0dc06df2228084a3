/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TEST_SERVER_H
#define TEST_SERVER_H

#include "test_device.h"

/** test_server_main() - the server's process; does not return */
void test_server_main(struct test_device *dev, bool recover, int report_fd);

#endif
