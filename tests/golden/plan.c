/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan HOST FILE: print the plan of a configuration for a host that is made up
 *
 * The facts of the host are those of a Debian system with cgroup v2 alone, both kinds, v1
 * alone or none, as root; "user" is v2 for somebody with the uid 1000. The first one's
 * environment names a receiver of seccomp listeners. What cannot be planned is printed as "error: ...".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "plan/plan.h"

#define V1                                                                             \
	"12:hugetlb:/\n11:rdma:/\n10:pids:/sys\n9:net_cls,net_prio:/\n8:memory:/sys\n" \
	"7:freezer:/\n6:devices:/sys\n5:cpuset:/\n4:cpu,cpuacct:/sys\n3:blkio:/\n1:name=systemd:/sys\n"

static const struct {
	const char *name;
	enum host_cgroups cgroups;
	const char *lines; /* of /proc/self/cgroup */
	uid_t euid;
	const char *receiver; /* RUN_OCI_SECCOMP_RECEIVER */
} hosts[] = {
	{ "v2", HOST_CGROUP_V2, "0::/sys\n", 0, "/run/env" },
	{ "hybrid", HOST_CGROUP_HYBRID, V1 "0::/sys\n", 0, NULL },
	{ "v1", HOST_CGROUP_V1, V1, 0, NULL },
	{ "none", HOST_CGROUP_NONE, "", 0, NULL },
	{ "user", HOST_CGROUP_V2, "0::/user.slice\n", 1000, NULL },
};

static bool make_host(const char *name, struct host *ret)
{
	for (size_t i = 0; i < COUNT(hosts); i++) {
		if (!str_eq(hosts[i].name, name))
			continue;
		ret->euid = ret->egid = hosts[i].euid;
		ret->cgroups = hosts[i].cgroups;
		ret->last_cap = 40;
		ret->seccomp_receiver = hosts[i].receiver;
		str_copy(ret->text, sizeof(ret->text), hosts[i].lines);
		host_parse_cgroups(ret, ret->text);
		for (size_t k = 0; k < ret->n_v1; k++)
			ret->v1[k].mounted = true;
		return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	static struct host host;
	struct plan_options opt = { .id = "id", .cgroup_manager = CGROUP_FS };
	auto_arena a = arena_make();
	struct err e = { 0 };
	struct spec *spec;
	struct plan *plan;

	if (argc == 4 && str_eq(argv[1], "systemd"))
		opt.cgroup_manager = CGROUP_SYSTEMD;
	else if (argc != 3)
		return EXIT_FAILURE;
	if (!make_host(argv[argc - 2], &host))
		return EXIT_FAILURE;
	if (spec_load(&a, "/", argv[argc - 1], &spec, &e) < 0 ||
	    plan_make(&a, spec, &host, &opt, &plan, &e) < 0)
		printf("error: %s\n", e.text);
	else
		fputs(plan_print(&a, plan), stdout);
	return EXIT_SUCCESS;
}
