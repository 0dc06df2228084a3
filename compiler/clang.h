/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILER_CLANG_H
#define COMPILER_CLANG_H

/**
 * clang_find() - the clang to use
 *
 * $UBLKPOLC_CLANG, or the newest one in $PATH. Return: a name for
 * clang_compile(), or NULL after a message on stderr.
 */
const char *clang_find(void);

/**
 * clang_compile() - compile a policy program
 * @clang: from clang_find()
 * @directory: where clang runs: it holds the program and its headers, and its
 *	       name does not get into the object
 * @input: C file in @directory
 * @output: BPF object to write there
 *
 * clang's own messages go to stderr; they mean a defect of ublkpolc or of the
 * installation, never of the policy. Return: 0 or a negative errno; -EINTR if
 * a signal asked this process to end.
 */
int clang_compile(const char *clang, const char *directory, const char *input, const char *output);

#endif
