/* SPDX-License-Identifier: Apache-2.0 */
/* proc_plan - every word of the configuration about the process as what the kernel takes */
#include "proc/parts.h"

static int plan_attributes(struct arena *a, const struct spec *spec, struct proc_plan *p,
			   struct err *e)
{
	const struct oci_process *oci = p->process->oci;
	int r = plan_sched(oci->scheduler, p, e);

	if (r == 0)
		r = plan_ioprio(oci->io_priority, p, e);
	if (r == 0)
		r = plan_affinity(a, oci, p, e);
	if (r == 0 && p->linux)
		r = plan_personality(p->linux, p, e);
	if (r == 0 && p->linux)
		r = plan_mempolicy(a, p->linux, p, e);
	if (r == 0 && p->linux)
		r = plan_sysctls(a, spec, p, e);
	return r;
}

int proc_plan_make(struct arena *a, const struct spec *spec, const struct spec_process *process,
		   const struct host *host, struct proc_plan *ret, struct err *e)
{
	struct proc_plan p = {
		.process = process,
		.args = (const char *const *)process->oci->args,
		.n_args = process->oci->n_args,
		.linux = spec->config->linux,
		.ioprio = -1,
	};
	int r;

	plan_env(a, &p);
	plan_cores(spec, &p);
	r = plan_names(spec, &p, e);
	if (r == 0)
		r = plan_groups(spec, host, &p, e);
	if (r == 0)
		r = plan_attributes(a, spec, &p, e);
	if (r < 0)
		return r;
	*ret = p;
	return 0;
}
