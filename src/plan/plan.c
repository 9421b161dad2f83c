/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/plan.h"

int plan_make(struct arena *a, const struct spec *spec, const struct host *host,
	      const struct plan_options *opt, struct plan **ret, struct err *e)
{
	const struct mount_plan_options mounts = { .no_pivot = opt->no_pivot };
	const struct cgroup_plan_options cgroups = {
		.manager = opt->cgroup_manager,
		.id = opt->id,
		.rootless = host_is_rootless(host),
		.leniency = opt->leniency,
		.require_limits = opt->require_limits,
	};
	struct plan *p = arena_new(a, struct plan);
	int r;

	if (!spec->has_process && !opt->start_later)
		return err_user(e, "process", "config.json: process is missing");
	p->spec = spec;
	p->options = *opt;
	r = ns_plan_make(a, spec, host, &p->ns, e);
	if (r == 0)
		r = mount_plan_make(a, spec, host, &mounts, &p->mount, e);
	if (r == 0)
		r = dev_plan_make(a, spec, host, &p->dev, e);
	if (r == 0)
		r = cgroup_plan_make(a, spec, host, &cgroups, &p->cgroup, e);
	if (r == 0)
		r = sec_plan_make(a, spec, &spec->process, host, opt->id, !opt->no_new_keyring,
				  &p->sec, e);
	if (r == 0)
		r = proc_plan_make(a, spec, &spec->process, host, &p->proc, e);
	if (r == 0)
		r = net_plan_make(a, spec, host, &p->net, e);
	if (r == 0)
		r = rdt_plan_make(a, spec, opt->id, &p->rdt, e);
	if (r < 0)
		return r;
	hook_plan_make(spec, &p->hooks);
	*ret = p;
	return 0;
}

int plan_make_exec(struct arena *a, const struct spec *spec, const struct spec_process *process,
		   const struct host *host, const struct plan_options *opt, struct plan **ret,
		   struct err *e)
{
	struct plan *p = arena_new(a, struct plan);
	int r;

	p->spec = spec;
	p->options = *opt;
	p->mount.rootfs = spec->rootfs_path;
	r = sec_plan_make(a, spec, process, host, opt->id, !opt->no_new_keyring, &p->sec, e);
	if (r == 0)
		r = proc_plan_make(a, spec, process, host, &p->proc, e);
	if (r == 0)
		r = rdt_plan_make(a, spec, opt->id, &p->rdt, e);
	if (r < 0)
		return r;
	p->proc.exec = true;
	*ret = p;
	return 0;
}
