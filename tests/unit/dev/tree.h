/* SPDX-License-Identifier: Apache-2.0 */
/* tree - a root for devices, in a mount namespace of the test's own */
#ifndef CLEAT_TESTS_DEV_TREE_H
#define CLEAT_TESTS_DEV_TREE_H

#include <stdbool.h>
#include <sys/stat.h>

/* A root on a tmpfs of its own, with or without /dev; skips the test without the rights. */
int tree_make(bool with_dev);

/* lstat below the root; false when it is not there. */
bool tree_stat(int root, const char *path, struct stat *st);

/* The target of the link at @path, "" when it is none. */
const char *tree_link(int root, const char *path);

/* An empty file, or one with text. */
void tree_file(int root, const char *path, const char *text);

#endif
