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
#include "plan/plan_out.h"
#include "sys/missing.h"

void plan_put(struct plan_out *o, const char *fmt, ...)
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

/* Lines, of which each is shown with its own beginning. */
static void put_lines(struct plan_out *o, const char *what, const char *lines)
{
	while (lines && *lines) {
		size_t n = strcspn(lines, "\n");

		plan_put(o, "%s %.*s\n", what, (int)n, lines);
		lines += n + (lines[n] == '\n');
	}
}

static const int ns_types[] = { CLONE_NEWUSER, CLONE_NEWNS,  CLONE_NEWPID,    CLONE_NEWNET,
				CLONE_NEWIPC,  CLONE_NEWUTS, CLONE_NEWCGROUP, CLONE_NEWTIME };

static void put_namespaces(struct plan_out *o, const struct plan *p)
{
	for (size_t i = 0; i < COUNT(ns_types); i++)
		if (p->ns.create & (uint64_t)ns_types[i])
			plan_put(o, "namespace new %s\n", spec_ns_name(ns_types[i]));
	for (size_t i = 0; i < p->ns.n_join; i++)
		plan_put(o, "namespace join %s %s\n", spec_ns_name(p->ns.join[i].type),
			 p->ns.join[i].path);
	for (size_t i = 0; i < p->ns.n_uid_maps; i++)
		plan_put(o, "map uid %u %u %u\n", p->ns.uid_maps[i].inside,
			 p->ns.uid_maps[i].outside, p->ns.uid_maps[i].size);
	for (size_t i = 0; i < p->ns.n_gid_maps; i++)
		plan_put(o, "map gid %u %u %u\n", p->ns.gid_maps[i].inside,
			 p->ns.gid_maps[i].outside, p->ns.gid_maps[i].size);
	if (p->ns.time_offsets)
		put_lines(o, "time", p->ns.time_offsets);
}

static void put_values(struct plan_out *o, const char *when, const struct cgroup_value *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct cgroup_value *other = v[i].otherwise;

		plan_put(o, "cgroup %s %s %s %s", when, v[i].file,
			 v[i].op == CGROUP_USAGE_BELOW ? "below" : "=", v[i].value);
		if (other)
			plan_put(o, " or %s = %s", other->file, other->value);
		plan_put(o, " (%s%s)\n", v[i].field ? v[i].field : "resources",
			 v[i].optional ? ", if there" : "");
	}
}

static void put_cgroup(struct plan_out *o, const struct cgroup_plan *c)
{
	for (size_t i = 0; i < c->n_dirs; i++) {
		const struct cgroup_dir_plan *d = &c->dirs[i];

		plan_put(o, "cgroup %s %s\n", d->hierarchy ? d->hierarchy : "v2", d->path);
		put_values(o, "early", d->early, d->n_early);
		put_values(o, "late", d->late, d->n_late);
	}
	if (c->scope)
		plan_put(o, "cgroup unit %s in %s\n", c->scope, c->slice);
	if (c->named)
		plan_put(o, "cgroup in name=systemd\n");
	if (c->leaf)
		plan_put(o, "cgroup of the processes %s\n", c->leaf);
	if (c->delegate)
		plan_put(o, "cgroup delegate to %u\n", c->delegate_uid);
	for (size_t i = 0; i < c->n_warnings; i++)
		plan_put(o, "cgroup warning %s\n", c->warnings[i]);
	if (c->device_len)
		plan_put(o, "cgroup devices: a program of %zu instructions\n", c->device_len);
}

static void put_network(struct plan_out *o, const struct net_plan *n)
{
	if (n->loopback)
		plan_put(o, "network lo up\n");
	for (size_t i = 0; i < n->n_devices; i++)
		plan_put(o, "network device %s as %s\n", n->devices[i].from, n->devices[i].to);
}

static void put_rdt(struct plan_out *o, const struct rdt_plan *r)
{
	if (!r->wanted)
		return;
	plan_put(o, "resctrl group %s%s\n", r->group, r->must_exist ? " that exists" : "");
	put_lines(o, "resctrl schema", r->schema);
	put_lines(o, "resctrl schema", r->schemata);
	if (r->monitor)
		plan_put(o, "resctrl group %s\n", r->monitor);
}

static const struct flag_word {
	uint64_t flag;
	const char *word;
} attr_words[] = {
	{ MOUNT_ATTR_RDONLY, "ro" },
	{ MOUNT_ATTR_NOSUID, "nosuid" },
	{ MOUNT_ATTR_NODEV, "nodev" },
	{ MOUNT_ATTR_NOEXEC, "noexec" },
	{ MOUNT_ATTR_NOATIME, "noatime" },
	{ MOUNT_ATTR_STRICTATIME, "strictatime" },
	{ MOUNT_ATTR_NODIRATIME, "nodiratime" },
	{ MOUNT_ATTR_NOSYMFOLLOW, "nosymfollow" },
}, sb_words[] = {
	{ MS_RDONLY, "ro" },	      { MS_SYNCHRONOUS, "sync" }, { MS_DIRSYNC, "dirsync" },
	{ MS_MANDLOCK, "mand" },      { MS_LAZYTIME, "lazytime" }, { MS_I_VERSION, "iversion" },
	{ MS_SILENT, "silent" },
};

static void put_words(struct plan_out *o, const char *what, uint64_t flags,
		      const struct flag_word *words, size_t n)
{
	if (!flags)
		return;
	plan_put(o, " %s", what);
	for (size_t i = 0; i < n; i++) {
		if (flags & words[i].flag)
			plan_put(o, " %s", words[i].word);
		flags &= ~words[i].flag;
	}
	if (flags)
		plan_put(o, " 0x%llx", (unsigned long long)flags);
}

static void put_propagation(struct plan_out *o, uint64_t flags)
{
	const char *r = flags & MS_REC ? "r" : "";

	if (flags)
		plan_put(o, " %s%s", r,
			 flags & MS_SHARED    ? "shared"
			 : flags & MS_SLAVE   ? "slave"
			 : flags & MS_PRIVATE ? "private"
					      : "unbindable");
}

static void put_mount_maps(struct plan_out *o, const struct mount_op *op)
{
	if (!op->flags.idmap)
		return;
	plan_put(o, " %s", op->flags.ridmap ? "ridmap" : "idmap");
	if (!op->n_uid_maps)
		plan_put(o, " of the container");
	for (size_t i = 0; i < op->n_uid_maps; i++)
		plan_put(o, " uid %u %u %u", op->uid_maps[i].inside, op->uid_maps[i].outside,
			 op->uid_maps[i].size);
	for (size_t i = 0; i < op->n_gid_maps; i++)
		plan_put(o, " gid %u %u %u", op->gid_maps[i].inside, op->gid_maps[i].outside,
			 op->gid_maps[i].size);
}

static void put_mount_flags(struct plan_out *o, const struct mount_op *op)
{
	const struct mount_flags *f = &op->flags;
	const struct {
		bool on;
		const char *word;
	} rest[] = {
		{ f->recursive, "recursive" },		 { f->tmpcopyup, "tmpcopyup" },
		{ f->src_nofollow, "src-nofollow" },	 { f->dest_nofollow, "dest-nofollow" },
		{ op->late_readonly, "read-only-late" }, { op->in_root, "source-in-root" },
	};

	put_words(o, "set", f->attr_set, attr_words, COUNT(attr_words));
	put_words(o, "clear", f->attr_clear & ~(uint64_t)MOUNT_ATTR__ATIME, attr_words,
		  COUNT(attr_words));
	put_words(o, "set-below", f->rec_set, attr_words, COUNT(attr_words));
	put_words(o, "clear-below", f->rec_clear & ~(uint64_t)MOUNT_ATTR__ATIME, attr_words,
		  COUNT(attr_words));
	if (((f->attr_clear | f->rec_clear) & MOUNT_ATTR__ATIME) &&
	    !((f->attr_set | f->rec_set) & MOUNT_ATTR__ATIME))
		plan_put(o, " relatime");
	put_words(o, "super", f->sb_flags, sb_words, COUNT(sb_words));
	put_words(o, "super-clear", f->sb_clear, sb_words, COUNT(sb_words));
	put_propagation(o, f->propagation);
	for (size_t i = 0; i < COUNT(rest); i++)
		if (rest[i].on)
			plan_put(o, " %s", rest[i].word);
	put_mount_maps(o, op);
}

static const char *const kind_names[] = { "mount", "bind", "cgroup", "remount", "link" };

static void put_mounts(struct plan_out *o, const struct mount_plan *m)
{
	plan_put(o, "root %s%s%s", m->rootfs, m->readonly_root ? " readonly" : "",
		 m->no_pivot ? " no-pivot" : "");
	put_propagation(o, m->root_propagation);
	plan_put(o, "\n");
	if (m->label)
		plan_put(o, "mounts %s=%s\n", m->label_key, m->label);
	for (size_t i = 0; i < m->n_ops; i++) {
		const struct mount_op *op = &m->ops[i];

		plan_put(o, "%s %s from %s%s%s", kind_names[op->kind], op->target, op->source,
			 op->type ? " type " : "", op->type ? op->type : "");
		put_mount_flags(o, op);
		for (size_t k = 0; k < op->n_data; k++)
			plan_put(o, " %s%s%s", op->data[k].key, op->data[k].value ? "=" : "",
				 op->data[k].value ? op->data[k].value : "");
		plan_put(o, "\n");
	}
	for (size_t i = 0; i < m->n_masked; i++)
		plan_put(o, "mask %s\n", m->masked[i]);
	for (size_t i = 0; i < m->n_readonly; i++)
		plan_put(o, "readonly %s\n", m->readonly[i]);
}

static void put_devices(struct plan_out *o, const struct dev_plan *d)
{
	for (size_t i = 0; !d->skip && i < d->n_nodes; i++)
		plan_put(o, "device %s %c %u:%u %04o %u:%u%s\n", d->nodes[i].path,
			 S_ISBLK(d->nodes[i].type)    ? 'b'
			 : S_ISFIFO(d->nodes[i].type) ? 'p'
						      : 'c',
			 d->nodes[i].major, d->nodes[i].minor, d->nodes[i].mode, d->nodes[i].uid,
			 d->nodes[i].gid,
			 d->nodes[i].outside ? " made outside"
			 : d->bind	     ? " bind"
					     : "");
	for (size_t i = 0; !d->skip && i < d->n_links; i++)
		plan_put(o, "link %s -> %s\n", d->links[i].path, d->links[i].target);
}

static void put_hook(struct plan_out *o, const char *kind, const struct oci_hook *h)
{
	plan_put(o, "hook %s %s", kind, h->path);
	for (size_t i = 0; i < h->n_args; i++)
		plan_put(o, " arg %s", h->args[i]);
	plan_put_env(o, " env ", h->env, h->n_env, "");
	if (h->has_timeout)
		plan_put(o, " timeout %lld s", (long long)h->timeout);
	plan_put(o, "\n");
}

static void put_hooks(struct plan_out *o, const struct hook_plan *h)
{
	if (h->out)
		plan_put(o, "hooks write to %s\n", h->out);
	if (h->err)
		plan_put(o, "hooks write errors to %s\n", h->err);
	for (int k = 0; k < HOOK_N; k++)
		for (size_t i = 0; i < h->n[k]; i++)
			put_hook(o, hook_kind_name((enum hook_kind)k), h->hooks[k][i]);
}

const char *plan_print(struct arena *a, const struct plan *plan)
{
	struct plan_out o = { .arena = a, .size = 8192 };

	o.text = arena_alloc(a, o.size);
	put_namespaces(&o, plan);
	put_cgroup(&o, &plan->cgroup);
	put_rdt(&o, &plan->rdt);
	put_network(&o, &plan->net);
	put_mounts(&o, &plan->mount);
	put_devices(&o, &plan->dev);
	put_hooks(&o, &plan->hooks);
	plan_put_process(&o, plan);
	return o.text;
}
