/* SPDX-License-Identifier: Apache-2.0 */
/* host_cgroup - the options of the host's cgroup v2 tree, across a run of CRIU */
#ifndef CLEAT_CRIU_HOST_CGROUP_H
#define CLEAT_CRIU_HOST_CGROUP_H

#include <stdbool.h>

#include "base/arena.h"

struct host_cgroup {
	const char *path;    /* where it is mounted */
	const char *options; /* of its superblock, "rw,nsdelegate" */
};

/* Of the first cgroup2 mount that we see; false: there is none. The strings are @a's. */
bool host_cgroup_read(struct arena *a, struct host_cgroup *ret);

/* Make the options what they were in @before; where that fails a warning says so. */
void host_cgroup_put_back(struct arena *a, const struct host_cgroup *before);

#endif
