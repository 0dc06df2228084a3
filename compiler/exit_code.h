/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILER_EXIT_CODE_H
#define COMPILER_EXIT_CODE_H

/* What ublkpolc tells its caller; documented in docs/language.md */
enum exit_code {
	EXIT_CODE_OK = 0,
	EXIT_CODE_POLICY = 1, /* the policy has errors */
	EXIT_CODE_USAGE = 2, /* the command line has errors */
	EXIT_CODE_SYSTEM = 3, /* files, memory or clang failed */
};

#endif
