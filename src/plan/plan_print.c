/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan_print - the plan as text
 *
 * One line an operation, in the order of execution, without anything that differs
 * from host to host but what the host decides (cgroup files). Golden tests compare it;
 * people read it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/str.h"
#include "plan/plan.h"
#include "sys/missing.h"

struct out {
	struct arena *arena;
	char *text;
	size_t len, size;
};

static void put(struct out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void put(struct out *o, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(o->text + o->len, o->size - o->len, fmt, ap);
	va_end(ap);
	if ((size_t)n >= o->size - o->len) {
		size_t size = (o->size + (size_t)n) * 2;
		char *text = arena_alloc(o->arena, size);

		memcpy(text, o->text, o->len);
		o->text = text;
		o->size = size;
		vsnprintf(o->text + o->len, o->size - o->len, fmt, again);
	}
	va_end(again);
	o->len += (size_t)n;
}

static const int ns_types[] = { CLONE_NEWUSER, CLONE_NEWNS,  CLONE_NEWPID,    CLONE_NEWNET,
				CLONE_NEWIPC,  CLONE_NEWUTS, CLONE_NEWCGROUP, CLONE_NEWTIME };

static void put_namespaces(struct out *o, const struct plan *p)
{
	for (size_t i = 0; i < COUNT(ns_types); i++)
		if (p->ns.create & (uint64_t)ns_types[i])
			put(o, "namespace new %s\n", spec_ns_name(ns_types[i]));
	for (size_t i = 0; i < p->ns.n_join; i++)
		put(o, "namespace join %s %s\n", spec_ns_name(p->ns.join[i].type),
		    p->ns.join[i].path);
	for (size_t i = 0; i < p->ns.n_uid_maps; i++)
		put(o, "map uid %u %u %u\n", p->ns.uid_maps[i].inside, p->ns.uid_maps[i].outside,
		    p->ns.uid_maps[i].size);
	for (size_t i = 0; i < p->ns.n_gid_maps; i++)
		put(o, "map gid %u %u %u\n", p->ns.gid_maps[i].inside, p->ns.gid_maps[i].outside,
		    p->ns.gid_maps[i].size);
}

static void put_values(struct out *o, const char *when, const struct cgroup_value *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put(o, "cgroup %s %s = %s\n", when, v[i].file, v[i].value);
}

static void put_cgroup(struct out *o, const struct cgroup_plan *c)
{
	for (size_t i = 0; i < c->n_dirs; i++) {
		const struct cgroup_dir_plan *d = &c->dirs[i];

		put(o, "cgroup %s %s\n", d->hierarchy ? d->hierarchy : "v2", d->path);
		put_values(o, "early", d->early, d->n_early);
		put_values(o, "late", d->late, d->n_late);
	}
	if (c->device_prog)
		put(o, "cgroup devices: a program of %zu instructions\n", c->device_len);
}

static void put_network(struct out *o, const struct net_plan *n)
{
	if (n->loopback)
		put(o, "network lo up\n");
	for (size_t i = 0; i < n->n_devices; i++)
		put(o, "network device %s as %s\n", n->devices[i].from, n->devices[i].to);
}

/* Lines, of which each is shown with its own beginning. */
static void put_lines(struct out *o, const char *what, const char *lines)
{
	while (lines && *lines) {
		size_t n = strcspn(lines, "\n");

		put(o, "%s %.*s\n", what, (int)n, lines);
		lines += n + (lines[n] == '\n');
	}
}

static void put_rdt(struct out *o, const struct rdt_plan *r)
{
	if (!r->wanted)
		return;
	put(o, "resctrl group %s%s\n", r->group, r->must_exist ? " that exists" : "");
	put_lines(o, "resctrl schema", r->schema);
	put_lines(o, "resctrl schema", r->schemata);
	if (r->monitor)
		put(o, "resctrl group %s\n", r->monitor);
}

static const char *const kind_names[] = { "mount", "bind", "cgroup", "remount", "link" };

static void put_mounts(struct out *o, const struct mount_plan *m)
{
	put(o, "root %s%s%s\n", m->rootfs, m->readonly_root ? " readonly" : "",
	    m->no_pivot ? " no-pivot" : "");
	for (size_t i = 0; i < m->n_ops; i++) {
		const struct mount_op *op = &m->ops[i];

		put(o, "%s %s from %s%s%s", kind_names[op->kind], op->target, op->source,
		    op->type ? " type " : "", op->type ? op->type : "");
		if (op->flags.attr_set)
			put(o, " attr 0x%llx", (unsigned long long)op->flags.attr_set);
		if (op->flags.attr_clear)
			put(o, " clear 0x%llx", (unsigned long long)op->flags.attr_clear);
		if (op->flags.propagation)
			put(o, " propagation 0x%llx", (unsigned long long)op->flags.propagation);
		for (size_t k = 0; k < op->n_data; k++)
			put(o, " %s%s%s", op->data[k].key, op->data[k].value ? "=" : "",
			    op->data[k].value ? op->data[k].value : "");
		put(o, "\n");
	}
	for (size_t i = 0; i < m->n_masked; i++)
		put(o, "mask %s\n", m->masked[i]);
	for (size_t i = 0; i < m->n_readonly; i++)
		put(o, "readonly %s\n", m->readonly[i]);
}

static void put_devices(struct out *o, const struct dev_plan *d)
{
	for (size_t i = 0; !d->skip && i < d->n_nodes; i++)
		put(o, "device %s %c %u:%u %04o %u:%u%s\n", d->nodes[i].path,
		    S_ISBLK(d->nodes[i].type)	 ? 'b'
		    : S_ISFIFO(d->nodes[i].type) ? 'p'
						 : 'c',
		    d->nodes[i].major, d->nodes[i].minor, d->nodes[i].mode, d->nodes[i].uid,
		    d->nodes[i].gid, d->bind ? " bind" : "");
	for (size_t i = 0; !d->skip && i < d->n_links; i++)
		put(o, "link %s -> %s\n", d->links[i].path, d->links[i].target);
}

static void put_hooks(struct out *o, const struct hook_plan *h)
{
	for (int k = 0; k < HOOK_N; k++)
		for (size_t i = 0; i < h->n[k]; i++)
			put(o, "hook %s %s\n", hook_kind_name((enum hook_kind)k),
			    h->hooks[k][i]->path);
}

static void put_process(struct out *o, const struct plan *p)
{
	const struct spec_process *q = p->proc.process;

	if (p->proc.hostname)
		put(o, "hostname %s\n", p->proc.hostname);
	if (p->proc.domainname)
		put(o, "domainname %s\n", p->proc.domainname);
	for (size_t i = 0; i < p->proc.n_sysctls; i++)
		put(o, "sysctl %s = %s\n", p->proc.sysctls[i].path, p->proc.sysctls[i].value);
	put(o, "user %u:%u\n", q->uid, q->gid);
	for (size_t i = 0; i < q->n_groups; i++)
		put(o, "group %u\n", q->groups[i]);
	put(o, "cwd %s\n", q->cwd);
	for (size_t i = 0; i < q->n_rlimits; i++)
		put(o, "rlimit %d %llu %llu\n", q->rlimits[i].resource,
		    (unsigned long long)q->rlimits[i].soft, (unsigned long long)q->rlimits[i].hard);
	put(o,
	    "capabilities bounding 0x%llx effective 0x%llx inheritable 0x%llx permitted 0x%llx "
	    "ambient 0x%llx\n",
	    (unsigned long long)p->sec.caps.bounding, (unsigned long long)p->sec.caps.effective,
	    (unsigned long long)p->sec.caps.inheritable, (unsigned long long)p->sec.caps.permitted,
	    (unsigned long long)p->sec.caps.ambient);
	if (p->sec.no_new_privileges)
		put(o, "no-new-privileges\n");
	if (p->sec.seccomp)
		put(o, "seccomp\n");
	if (p->sec.apparmor)
		put(o, "apparmor %s\n", p->sec.apparmor);
	if (p->sec.selinux)
		put(o, "selinux %s\n", p->sec.selinux);
	for (size_t i = 0; i < p->proc.n_args; i++)
		put(o, "arg %s\n", p->proc.args[i]);
}

const char *plan_print(struct arena *a, const struct plan *plan)
{
	struct out o = { .arena = a, .size = 8192 };

	o.text = arena_alloc(a, o.size);
	put_namespaces(&o, plan);
	put_cgroup(&o, &plan->cgroup);
	put_rdt(&o, &plan->rdt);
	put_network(&o, &plan->net);
	put_mounts(&o, &plan->mount);
	put_devices(&o, &plan->dev);
	put_hooks(&o, &plan->hooks);
	put_process(&o, plan);
	return o.text;
}
