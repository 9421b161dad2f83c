/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_cpuset - cpus and mems; config-linux.md "CPU", cpuset(7)
 *
 * On v1 a group without cpus or mems takes no process, so what the configuration
 * leaves open is copied down from the parents when the directory is made
 * (cpuset.c), never the other way.
 */
#include "cgroup/ctl.h"

static bool given(const char *list)
{
	return list && *list;
}

static int cpuset_v1(struct ctl_out *o, const struct oci_linux_resources *r)
{
	const struct oci_linux_cpu *c = r->cpu;

	/* hierarchies mounted with "noprefix" have the bare names */
	if (c && given(c->cpus))
		ctl_otherwise(o, ctl_put(o, "cpu.cpus", "cpuset.cpus", "%s", c->cpus), "cpus",
			      c->cpus);
	if (c && given(c->mems))
		ctl_otherwise(o, ctl_put(o, "cpu.mems", "cpuset.mems", "%s", c->mems), "mems",
			      c->mems);
	return 0;
}

static int cpuset_v2(struct ctl_out *o, const struct oci_linux_resources *r)
{
	const struct oci_linux_cpu *c = r->cpu;

	if (c && given(c->cpus))
		ctl_put(o, "cpu.cpus", "cpuset.cpus", "%s", c->cpus);
	if (c && given(c->mems))
		ctl_put(o, "cpu.mems", "cpuset.mems", "%s", c->mems);
	return 0;
}

const struct ctl ctl_cpuset = {
	.name = "cpuset", .v1_name = "cpuset", .v1 = cpuset_v1, .v2 = cpuset_v2
};
