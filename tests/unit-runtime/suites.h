/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_RUNTIME_SUITES_H
#define UNIT_RUNTIME_SUITES_H

/* One test case per module of runtime/ that works without the kernel's help */
#include <check.h>

TCase *backend_case(void);
TCase *cli_case(void);
TCase *device_params_case(void);
TCase *json_case(void);
TCase *kernel_features_case(void);
TCase *redirect_case(void);
TCase *state_case(void);

#endif
