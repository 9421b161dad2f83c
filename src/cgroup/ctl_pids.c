/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_pids - how many processes and threads; config-linux.md "PIDs"
 *
 * Written when init is inside already: a limit of 0 is legal and lets the one process
 * that is there live, but no process could be born into such a cgroup. What systemd has
 * limited before is lifted until then: cgroup_plan.c.
 */
#include <inttypes.h>

#include "cgroup/ctl.h"

static int pids(struct ctl_out *o, const struct oci_linux_resources *r)
{
	if (!r->pids || !r->pids->has_limit)
		return 0;
	if (r->pids->limit < 0)
		ctl_put_late(o, "pids.limit", "pids.max", "max")->optional = true;
	else
		ctl_put_late(o, "pids.limit", "pids.max", "%" PRId64, r->pids->limit);
	return 0;
}

const struct ctl ctl_pids = { .name = "pids", .v1_name = "pids", .v1 = pids, .v2 = pids };
