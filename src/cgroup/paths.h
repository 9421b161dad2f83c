/* SPDX-License-Identifier: Apache-2.0 */
/* paths - from linux.cgroupsPath to the name of a directory; pure */
#ifndef CLEAT_CGROUP_PATHS_H
#define CLEAT_CGROUP_PATHS_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"

/*
 * cgroup_path_clean() - one spelling of a path below the root of a hierarchy
 *
 * "/" in front, single slashes, no "." names. ".." and line ends are refused, and so
 * is the root itself. Returns 0 or -errno.
 */
int cgroup_path_clean(struct arena *a, const char *path, const char **ret, struct err *e);

/*
 * cgroup_path_below() - the same of a path below a container's cgroup
 * @field: where it comes from, for messages
 *
 * "a/b", without "/" in front.
 */
int cgroup_path_below(struct arena *a, const char *field, const char *path, const char **ret,
		      struct err *e);

/*
 * cgroup_path_default() - where a container goes whose configuration does not say
 * @self: our own cgroup in that hierarchy
 *
 * "/<id>"; rootless beside our own cgroup, because the root is not ours, and what is
 * below our own could get no controllers while we are in it (cgroups(7), "no internal
 * processes").
 */
const char *cgroup_path_default(struct arena *a, const char *id, bool rootless, const char *self);

/* Where a @path of a configuration is that has no slash in front: rootless as above. */
const char *cgroup_path_beside(struct arena *a, const char *path, const char *self);

/* "a-b.slice" -> "/a.slice/a-b.slice"; "-.slice" -> "". Returns 0 or -EINVAL. */
int cgroup_slice_expand(struct arena *a, const char *slice, const char **ret, struct err *e);

#endif
