/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_plan - which directories, which values in which files; pure
 *
 * Each controller is used where the kernel has it: in its v1 hierarchy where one is
 * mounted, else in the v2 tree. On every host with a v2 tree dirs[0] is the v2 cgroup;
 * all v1 hierarchies follow, also those without a value, because callers look for
 * their figures there.
 */
#include <sched.h>
#include <string.h>

#include "base/str.h"
#include "cgroup/ctl.h"
#include "cgroup/devices.h"
#include "cgroup/paths.h"
#include "cgroup/unit.h"

#define SETUP_PIDS 16 /* more than are in the cgroup before init, or what criu restores, runs */

/* In this order they are written; realtime and cpuset values before anybody joins. */
static const struct ctl *const controllers[] = {
	&ctl_cpuset,  &ctl_cpu,	 &ctl_memory, &ctl_io,	     &ctl_hugetlb, &ctl_rdma,
	&ctl_net_cls, &ctl_misc, &ctl_dmem,   &ctl_net_prio, &ctl_pids,
};

struct build {
	struct arena *arena;
	const struct spec *spec;
	const struct host *host;
	const struct cgroup_plan_options *opt;
	const struct oci_linux_resources *resources; /* never NULL */
	struct cgroup_plan *plan;
	struct cgroup_dir_plan *dirs;
	struct ctl_out *outs; /* one a directory */
	struct cgroup_unit unit;
	struct err *err;
};

/* A host without any tree is planned for like one with v2, to see what cannot be had. */
static bool host_has_v2(const struct host *h)
{
	return h->cgroups != HOST_CGROUP_V1;
}

/* --- directories ------------------------------------------------------------------------------ */

static int choose_path(struct build *b, const char *self, const char **ret)
{
	const struct oci_linux *l = b->spec->config->linux;
	const char *path = l && l->cgroups_path ? l->cgroups_path : "";

	if (b->opt->manager == CGROUP_SYSTEMD)
		path = b->unit.path;
	else if (!*path)
		path = cgroup_path_default(b->arena, b->opt->id, b->opt->rootless, self);
	else if (b->opt->rootless && *path != '/')
		path = cgroup_path_beside(b->arena, path, self);
	return cgroup_path_clean(b->arena, path, ret, b->err);
}

static int add_dir(struct build *b, const char *hierarchy, const char *words, const char *self)
{
	struct cgroup_plan *p = b->plan;
	struct cgroup_dir_plan *d = &b->dirs[p->n_dirs];

	if (choose_path(b, self, &d->path) < 0)
		return -b->err->code;
	/* the plan outlives the host facts */
	d->self = arena_strdup(b->arena, self);
	d->hierarchy = hierarchy ? arena_strdup(b->arena, hierarchy) : NULL;
	d->controllers = arena_strdup(b->arena, words);
	b->outs[p->n_dirs].arena = b->arena;
	b->outs[p->n_dirs].err = b->err;
	p->n_dirs++;
	return 0;
}

static int add_dirs(struct build *b)
{
	size_t max = b->host->n_v1 + 1;

	b->dirs = arena_new_n(b->arena, max, struct cgroup_dir_plan);
	b->outs = arena_new_n(b->arena, max, struct ctl_out);
	if (host_has_v2(b->host) && add_dir(b, NULL, "", b->host->v2_self) < 0)
		return -b->err->code;
	for (size_t i = 0; i < b->host->n_v1; i++) {
		const struct host_v1 *v1 = &b->host->v1[i];

		if (add_dir(b, v1->dir, v1->controllers, v1->self) < 0)
			return -b->err->code;
	}
	b->plan->dirs = b->dirs;
	return 0;
}

/* --- controllers ------------------------------------------------------------------------------ */

/* The index of the directory whose v1 hierarchy has the controller, or n_dirs. */
static size_t find_v1(const struct build *b, const struct ctl *c)
{
	for (size_t i = 0; c->v1_name && i < b->plan->n_dirs; i++)
		if (b->dirs[i].hierarchy && str_has_word(b->dirs[i].controllers, c->v1_name))
			return i;
	return b->plan->n_dirs;
}

/* What v2 has to enable: on a pure v2 host all, for the figures; else what has a value. */
static void want_controller(struct build *b, const struct ctl *c, size_t values_before)
{
	struct cgroup_dir_plan *d = &b->dirs[0];
	size_t values = b->outs[0].early.n + b->outs[0].late.n;

	if (!c->name)
		return;
	if (b->host->cgroups == HOST_CGROUP_V2 || values > values_before ||
	    ctl_unified_needs(b->resources, c->name))
		d->controllers = arena_printf(b->arena, "%s%s%s", d->controllers,
					      *d->controllers ? " " : "", c->name);
}

static int add_v2(struct build *b, const struct ctl *c)
{
	struct ctl_out *o = &b->outs[0];
	size_t before = o->early.n + o->late.n;

	if (c->v2 && c->v2(o, b->resources) < 0)
		return -b->err->code;
	want_controller(b, c, before);
	return 0;
}

/* NULL: all of them may be left out */
static const struct cgroup_value *first_required(const struct cgroup_value_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (!list->v[i].optional)
			return &list->v[i];
	return NULL;
}

/* A host without a v2 tree and without that controller: legal unless it is needed. */
static int refuse_values(struct build *b, const struct ctl *c)
{
	struct ctl_out o = { .arena = b->arena, .err = b->err };
	const struct cgroup_value *needed;

	if (c->v1 && c->v1(&o, b->resources) < 0)
		return -b->err->code;
	needed = first_required(&o.early);
	if (!needed)
		needed = first_required(&o.late);
	if (!needed)
		return 0;
	return err_code(b->err, ENOTSUP, c->v1_name,
			"linux.resources.%s: no hierarchy with the controller '%s' is mounted",
			needed->field, c->v1_name);
}

static int add_controller(struct build *b, const struct ctl *c)
{
	size_t at = find_v1(b, c);

	if (at < b->plan->n_dirs)
		return c->v1 && c->v1(&b->outs[at], b->resources) < 0 ? -b->err->code : 0;
	if (host_has_v2(b->host))
		return add_v2(b, c);
	return refuse_values(b, c);
}

/* A key of "unified" whose controller lives in a v1 hierarchy cannot be had. */
static int add_unified(struct build *b)
{
	const char *field = "linux.resources.unified";

	if (!b->resources->unified || !b->resources->unified->n)
		return 0;
	if (!host_has_v2(b->host))
		return err_code(b->err, ENOTSUP, field,
				"%s: this host has no cgroup v2, so it is an invalid configuration",
				field);
	for (size_t i = 0; i < COUNT(controllers); i++) {
		const struct ctl *c = controllers[i];
		size_t at = find_v1(b, c);

		if (c->name && at < b->plan->n_dirs && ctl_unified_needs(b->resources, c->name))
			return err_code(b->err, ENOTSUP, field,
					"%s: the controller '%s' is in the v1 hierarchy '%s' here, "
					"so it is an invalid configuration",
					field, c->name, b->dirs[at].hierarchy);
	}
	return ctl_unified(&b->outs[0], b->resources);
}

/* --- devices ---------------------------------------------------------------------------------- */

static int add_devices(struct build *b)
{
	static const struct ctl devices = { .v1_name = "devices" };
	struct device_rules rules;
	size_t at;

	if (b->opt->update)
		return 0;
	if (device_rules_make(b->arena, b->resources, &rules, b->err) < 0)
		return -b->err->code;
	/* the kernel lets no rootless caller load programs, and lets it make no devices */
	if (b->opt->rootless || device_rules_allow_all(&rules))
		return 0;
	if (host_has_v2(b->host))
		return device_prog_make(b->arena, &rules, &b->plan->device_prog,
					&b->plan->device_len, b->err);
	at = find_v1(b, &devices);
	if (at == b->plan->n_dirs)
		return err_code(b->err, ENOTSUP, "linux.resources.devices",
				"linux.resources.devices: no hierarchy with the controller "
				"'devices' is mounted");
	return device_v1_make(&b->outs[at], &rules);
}

/* --- delegation ------------------------------------------------------------------------------- */

static bool is_writable_cgroup_mount(const struct oci_mount *m)
{
	bool readonly = false;

	if (!m->destination || !str_eq(m->destination, "/sys/fs/cgroup") || !m->type ||
	    (!str_eq(m->type, "cgroup") && !str_eq(m->type, "cgroup2")))
		return false;
	for (size_t i = 0; i < m->n_options; i++) {
		if (str_eq(m->options[i], "ro"))
			readonly = true;
		else if (str_eq(m->options[i], "rw"))
			readonly = false;
	}
	return !readonly;
}

#define SUBGROUP "annotations[\"" SPEC_ANNOTATION_SUBGROUP "\"]"
#define DELEGATE "annotations[\"" SPEC_ANNOTATION_DELEGATE "\"]"

static const char *delegated(const struct build *b)
{
	return spec_annotation_text(b->spec->config, SPEC_ANNOTATION_DELEGATE);
}

static int check_delegated(const struct build *b)
{
	if (b->opt->manager == CGROUP_DISABLED)
		return err_user(b->err, DELEGATE, "%s: the container has no cgroup", DELEGATE);
	if (!(b->spec->ns_new & CLONE_NEWCGROUP))
		return err_user(b->err, DELEGATE, "%s: needs a new cgroup namespace", DELEGATE);
	if (b->host->cgroups != HOST_CGROUP_V2)
		return err_code(b->err, ENOTSUP, DELEGATE, "%s: needs a host with cgroup v2 alone",
				DELEGATE);
	return 0;
}

/* The annotations: a cgroup below the container's for its processes. */
static int plan_leaf(struct build *b)
{
	bool in_unit = b->opt->manager == CGROUP_SYSTEMD && b->host->cgroups == HOST_CGROUP_V2;
	const char *sub =
		in_unit ? spec_annotation_text(b->spec->config, SPEC_ANNOTATION_SUBGROUP) : NULL;
	const char *own = delegated(b), *name = sub ? sub : own;

	if (own && check_delegated(b) < 0)
		return -b->err->code;
	if (sub && own)
		name = arena_printf(b->arena, "%s/%s", sub, own);
	return name ? cgroup_path_below(b->arena, own ? DELEGATE : SUBGROUP, name, &b->plan->leaf,
					b->err)
		    : 0;
}

#define NAMED "annotations[\"" SPEC_ANNOTATION_CGROUP_V1 "\"]"

/*
 * The annotation: a place in the hierarchy name=systemd. It is root's of the host, which a user
 * namespace does not have.
 */
static int plan_named(struct build *b)
{
	const struct spec *s = b->spec;

	if (!spec_annotation(s->config, SPEC_ANNOTATION_CGROUP_V1))
		return 0;
	if (b->opt->manager == CGROUP_DISABLED)
		return err_user(b->err, NAMED, "%s: the container has no cgroup", NAMED);
	if (!(s->ns_new & CLONE_NEWCGROUP))
		return err_user(b->err, NAMED, "%s: needs a new cgroup namespace", NAMED);
	if ((s->ns_new | s->ns_joined) & CLONE_NEWUSER)
		return err_user(
			b->err, NAMED,
			"%s: goes with no user namespace: the hierarchy is the host's root's",
			NAMED);
	if (b->plan->leaf)
		return err_user(b->err, NAMED, "%s: does not go together with %s", NAMED,
				delegated(b) ? SPEC_ANNOTATION_DELEGATE : SPEC_ANNOTATION_SUBGROUP);
	if (b->host->cgroups != HOST_CGROUP_V2)
		return err_code(b->err, ENOTSUP, NAMED, "%s: needs a host with cgroup v2 alone",
				NAMED);
	if (host_is_rootless(b->host))
		return err_code(b->err, EPERM, NAMED, "%s: needs root", NAMED);
	b->plan->named = true;
	return 0;
}

/* config-linux.md, "cgroup ownership": new cgroup namespace, v2, mounted for writing */
static void plan_delegation(struct build *b)
{
	const struct spec *s = b->spec;
	uid_t uid = s->has_process ? s->process.uid : 0;
	gid_t gid = 0;
	bool writable = delegated(b);

	for (size_t i = 0; i < s->config->n_mounts; i++)
		writable |= is_writable_cgroup_mount(s->config->mounts[i]);
	if (!writable || !(s->ns_new & CLONE_NEWCGROUP) || b->host->cgroups != HOST_CGROUP_V2)
		return;
	if (((s->ns_new | s->ns_joined) & CLONE_NEWUSER) &&
	    (!id_map_find(s->uid_maps, s->n_uid_maps, uid, &uid) ||
	     !id_map_find(s->gid_maps, s->n_gid_maps, gid, &gid)))
		return;
	b->plan->delegate = uid != b->host->euid;
	b->plan->delegate_uid = uid;
	b->plan->delegate_gid = gid;
}

/* --- the whole -------------------------------------------------------------------------------- */

/*
 * systemd limits the processes of a unit from its start on, and cleat-systemd is in it, and who
 * makes init: where that leaves no room there is no limit until the late values are written.
 */
static void lift_pids(struct build *b)
{
	struct ctl_out *o = &b->outs[0];
	uint64_t limit;

	if (b->opt->manager != CGROUP_SYSTEMD || b->host->cgroups != HOST_CGROUP_V2)
		return;
	for (size_t i = 0; i < o->late.n; i++) {
		const struct cgroup_value *v = &o->late.v[i];

		if (!str_eq(v->file, "pids.max") || str_to_u64(v->value, &limit) < 0 ||
		    limit >= SETUP_PIDS)
			continue;
		ctl_put(o, v->field, v->file, "max")->optional = true;
		return;
	}
}

static void collect(struct build *b)
{
	struct cgroup_plan *p = b->plan;
	struct cgroup_text_list warnings = { 0 };

	for (size_t i = 0; i < p->n_dirs; i++) {
		const struct ctl_out *o = &b->outs[i];
		struct cgroup_dir_plan *d = &b->dirs[i];

		d->early = o->early.v;
		d->n_early = o->early.n;
		d->late = o->late.v;
		d->n_late = o->late.n;
		d->required = (d->n_early || d->n_late) && (!p->rootless || b->opt->require_limits);
		d->required |= p->leaf && i == 0;
		p->required |= d->required;
		for (size_t k = 0; k < o->warnings.n; k++)
			*vec_push(b->arena, &warnings) = o->warnings.v[k];
	}
	if (b->host->cgroups == HOST_CGROUP_NONE)
		p->n_dirs = p->device_len = 0;
	p->warnings = warnings.v;
	p->n_warnings = warnings.n;
}

static int plan_systemd(struct build *b)
{
	bool v2 = b->host->cgroups == HOST_CGROUP_V2;
	struct unit_properties *properties;
	const struct oci_linux *l = b->spec->config->linux;

	if (b->opt->manager != CGROUP_SYSTEMD)
		return 0;
	if (cgroup_unit(b->arena, l ? l->cgroups_path : NULL, b->opt->id, b->opt->rootless,
			&b->unit, b->err) < 0)
		return -b->err->code;
	b->plan->scope = b->unit.unit;
	b->plan->slice = b->unit.slice;
	if (unit_properties_make(b->arena, b->spec->config, b->opt->id, &b->unit, v2, &properties,
				 b->err) < 0)
		return -b->err->code;
	b->plan->properties = properties;
	return 0;
}

static bool is_lenient(const struct cgroup_plan_options *opt)
{
	return opt->leniency == CGROUP_LENIENT_ROOTLESS ? opt->rootless
							: opt->leniency == CGROUP_LENIENT;
}

int cgroup_plan_make(struct arena *a, const struct spec *spec, const struct host *host,
		     const struct cgroup_plan_options *opt, struct cgroup_plan *ret, struct err *e)
{
	static const struct oci_linux_resources nothing;
	const struct oci_linux *l = spec->config->linux;
	struct cgroup_plan plan = { .manager = opt->manager,
				    .host = host->cgroups,
				    .rootless = is_lenient(opt) };
	struct build b = { .arena = a,
			   .spec = spec,
			   .host = host,
			   .opt = opt,
			   .plan = &plan,
			   .err = e,
			   .resources = l && l->resources ? l->resources : &nothing };

	if (plan_leaf(&b) < 0 || plan_named(&b) < 0)
		return -e->code;
	if (opt->manager == CGROUP_DISABLED) {
		*ret = plan;
		return 0;
	}
	if (plan_systemd(&b) < 0 || add_dirs(&b) < 0)
		return -e->code;
	for (size_t i = 0; i < COUNT(controllers); i++)
		if (add_controller(&b, controllers[i]) < 0)
			return -e->code;
	if (add_unified(&b) < 0 || add_devices(&b) < 0)
		return -e->code;
	lift_pids(&b);
	plan_delegation(&b);
	collect(&b);
	*ret = plan;
	return 0;
}
