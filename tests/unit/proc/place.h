/* SPDX-License-Identifier: Apache-2.0 */
/* place - somewhere for tests to be: a root of their own, files in it */
#ifndef CLEAT_TESTS_PROC_PLACE_H
#define CLEAT_TESTS_PROC_PLACE_H

#include <stdbool.h>
#include <sys/types.h>

/* Make the test's directory our root; skips the test where that is not to be had. */
void place_enter_root(void);

/* A mount namespace of our own, in which nothing spreads; skips the test without. */
void place_own_mounts(void);

/* Files and directories at @path with exactly this mode; "" is an empty file. */
void place_file(const char *path, mode_t mode, const char *text);
void place_dir(const char *path, mode_t mode);

/* Are we root, with the right to change ids? */
bool place_is_root(void);

#endif
