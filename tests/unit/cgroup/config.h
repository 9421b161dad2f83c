/* SPDX-License-Identifier: Apache-2.0 */
/* config - hosts, resources and plans for the tests of the cgroup room */
#ifndef CLEAT_TESTS_CGROUP_CONFIG_H
#define CLEAT_TESTS_CGROUP_CONFIG_H

#include "cgroup/cgroup.h"

/* linux.resources from a text in which ' stands for ". Ends the test when it is wrong. */
struct oci_linux_resources *config_resources(struct arena *a, const char *json);

/* Made up hosts: v2; v1 with all hierarchies, or a few; some of them, and v2. */
void plan_host_v2(struct host *h);
void plan_host_v1(struct host *h);
void plan_host_few_v1(struct host *h);
void plan_host_hybrid(struct host *h);

int plan_with(struct arena *a, void (*make)(struct host *), const struct spec *spec,
	      const struct cgroup_plan_options *opt, struct cgroup_plan *ret, struct err *e);
/* With all devices allowed, unless @json says otherwise: else the rules would be in each row. */
int plan_resources(struct arena *a, void (*make)(struct host *), const char *json, const char *path,
		   bool rootless, struct cgroup_plan *ret, struct err *e);

/* All values of a plan in one line; see plan.c. Good until the next call. */
const char *plan_values_text(const struct cgroup_plan *p);

#endif
