/* SPDX-License-Identifier: Apache-2.0 */
/* dev_room - what the files of this room share; nobody else includes it */
#ifndef CLEAT_DEV_DEV_ROOM_H
#define CLEAT_DEV_DEV_ROOM_H

#include <sys/stat.h>

#include "dev/dev.h"

bool dev_is_node(const struct stat *st, const struct dev_node *n);

/*
 * Put the detached tree of one file over @name in directory @dir: over an empty file, made
 * for it where nothing is, or over the same device as @n (NULL: over any character device).
 * A link is never followed and, like all else, refused with -EEXIST. @path is for messages.
 */
int dev_attach_file(int tree, int dir, const char *name, const char *path, const struct dev_node *n,
		    struct err *e);

/* The directory of @path below @root, made where it is missing; *ret_name is the rest. */
int dev_open_parent(int root, const char *path, int *ret_dir, const char **ret_name, struct err *e);

/* --- dev_outside.c: init; a node can be cloned between show and hide. */
int dev_outside_show(int tree, int root, struct err *e);
int dev_outside_clone(int tree, const struct dev_node *n, struct err *e);
int dev_outside_hide(int tree, struct err *e);

#endif
