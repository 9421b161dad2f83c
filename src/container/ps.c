/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ps - who is inside
 *
 * The processes of the container's cgroup. Where it has none of its own, init alone is
 * known to belong to it.
 */
#include "container/internal.h"

int container_pids(struct arena *a, const struct context *ctx, const char *id, pid_t **ret,
		   size_t *ret_n, struct err *e)
{
	struct container c;
	struct cgroup *cg;
	int r = container_open(a, ctx, id, &c, e);

	if (r < 0)
		return r;
	*ret = NULL;
	*ret_n = 0;
	cg = container_cgroup(a, &c);
	if (cg) {
		r = cgroup_pids(cg, a, ret, ret_n, e);
		cgroup_close(cg);
	} else if (c.pidfd >= 0) {
		*ret = arena_new(a, pid_t);
		**ret = c.state->pid;
		*ret_n = 1;
	}
	container_close(&c);
	return r < 0 ? err_note(e, "container '%s'", id) : 0;
}
