/* SPDX-License-Identifier: Apache-2.0 */
/* host_cgroup - the options of the host's cgroup v2 tree, across a run of CRIU */
#ifndef CLEAT_CRIU_HOST_CGROUP_H
#define CLEAT_CRIU_HOST_CGROUP_H

#include <stdbool.h>

#include "base/arena.h"

struct host_cgroup {
	const char *path;    /* where it is mounted; NULL: there is none */
	const char *options; /* of its superblock, "rw,nsdelegate" */
	int dir;	     /* that directory, locked while CRIU works; -1: not */
};

/*
 * host_cgroup_begin() - note the options of the first cgroup2 mount that we see
 *
 * Others whose CRIU works meanwhile have noted them as well, and are asked. Never fails: what
 * cannot be noted will not be put back. The strings are @a's. To be ended.
 */
void host_cgroup_begin(struct arena *a, struct host_cgroup *ret);

/* Make the options what they were at the beginning; where that fails a warning says so. */
void host_cgroup_end(struct arena *a, struct host_cgroup *h);

#endif
