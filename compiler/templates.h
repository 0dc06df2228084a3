/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILER_TEMPLATES_H
#define COMPILER_TEMPLATES_H

/*
 * The files of bpf_templates/ and the kernel ABI headers, inside the compiler:
 * it works wherever its binary is, and never with headers of another version.
 */
#include <stddef.h>

struct template_file {
	const char *path; /* in the directory that clang searches */
	const char *text;
	const char *end;
};

/* What a policy program includes */
extern const struct template_file template_headers[];
extern const size_t template_nr_headers;

/* The frame of a policy program, with @NAMES@ for what depends on the policy */
extern const struct template_file template_policy;

#endif
