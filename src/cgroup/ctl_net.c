/* SPDX-License-Identifier: Apache-2.0 */
/* ctl_net - class and priority of packets, v1 only; config-linux.md "Network" */
#include <string.h>

#include "cgroup/ctl.h"

static int classid(struct ctl_out *o, const struct oci_linux_resources *r)
{
	if (r->network && r->network->class_id)
		ctl_put(o, "network.classID", "net_cls.classid", "%u", r->network->class_id);
	return 0;
}

static int priorities(struct ctl_out *o, const struct oci_linux_resources *r)
{
	for (size_t i = 0; r->network && i < r->network->n_priorities; i++) {
		const struct oci_linux_interface_priority *p = r->network->priorities[i];

		if (!p->name || !*p->name || strpbrk(p->name, " \t\n"))
			return err_user(o->err, "linux.resources.network.priorities",
					"linux.resources.network.priorities[%zu]: '%s' is no name "
					"of an interface",
					i, p->name ? p->name : "");
		ctl_put(o, "network.priorities", "net_prio.ifpriomap", "%s %u", p->name,
			p->priority);
	}
	return 0;
}

static int classid_v2(struct ctl_out *o, const struct oci_linux_resources *r)
{
	if (r->network && r->network->class_id)
		ctl_ignored(o, "network.classID", NO_EQUIVALENT);
	return 0;
}

static int priorities_v2(struct ctl_out *o, const struct oci_linux_resources *r)
{
	if (r->network && r->network->n_priorities)
		ctl_ignored(o, "network.priorities", NO_EQUIVALENT);
	return 0;
}

const struct ctl ctl_net_cls = { .v1_name = "net_cls", .v1 = classid, .v2 = classid_v2 };
const struct ctl ctl_net_prio = { .v1_name = "net_prio", .v1 = priorities, .v2 = priorities_v2 };
