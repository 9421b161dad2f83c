/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_plan - from mounts[] to operations
 *
 * Pure: nothing of the system is looked at, so that golden tests need no root.
 * What can be refused by looking at words alone is refused here, before anything
 * exists; what depends on the rootfs is checked again by mount_apply.c.
 */
#include <sched.h>
#include <sys/mount.h>

#include "base/str.h"
#include "mount/mount.h"
#include "mount/mount_room.h"

/* Files below /proc that a container may have its own view of (lxcfs), see features of runc.
   None is reached through a link: /proc/net is one, so net/dev is not here. */
static const char *const proc_overmounts[] = {
	"/proc/cpuinfo",
	"/proc/diskstats",
	"/proc/loadavg",
	"/proc/meminfo",
	"/proc/slabinfo",
	"/proc/stat",
	"/proc/swaps",
	"/proc/sys/crypto/fips_enabled",
	"/proc/sys/kernel/ns_last_pid",
	"/proc/uptime",
};

const char *mount_path_clean(struct arena *a, const char *path)
{
	size_t used = 0;
	char *out = arena_alloc(a, strlen(path) + 2);

	while (*path) {
		size_t n;

		path += strspn(path, "/");
		n = strcspn(path, "/");
		if (n == 2 && path[0] == '.' && path[1] == '.') {
			while (used > 0) {
				used--;
				if (out[used] == '/')
					break;
			}
		} else if (n && !(n == 1 && path[0] == '.')) {
			out[used++] = '/';
			memcpy(out + used, path, n);
			used += n;
		}
		path += n;
	}
	if (!used)
		out[used++] = '/';
	out[used] = '\0';
	return out;
}

const char *mount_path_from(const char *path, const char *dir)
{
	size_t n = str_eq(dir, "/") ? 0 : strlen(dir);

	return strncmp(path, dir, n) == 0 && (path[n] == '/' || !path[n]) ? path + n : NULL;
}

static int check_proc_target(const struct mount_op *op, struct err *e)
{
	const char *rest = mount_path_from(op->target, "/proc");

	if (!rest || !*rest)
		return 0;
	for (size_t i = 0; i < COUNT(proc_overmounts); i++)
		if (str_eq(op->target, proc_overmounts[i]))
			return 0;
	return err_user(e, op->target, "'%s' cannot be mounted because it is inside /proc",
			op->target);
}

static bool id_is_mapped(const struct id_map *map, size_t n, uint64_t id)
{
	for (size_t i = 0; i < n; i++)
		if (id >= map[i].inside && id - map[i].inside < map[i].size)
			return true;
	return false;
}

/* Ids in file system options must mean something in the container's user namespace. */
static int check_ids(const struct mount_op *op, const struct spec *spec, struct err *e)
{
	for (size_t i = 0; i < op->n_data; i++) {
		const struct mount_data *d = &op->data[i];
		bool uid = str_eq(d->key, "uid"), gid = str_eq(d->key, "gid");
		uint64_t id;

		if ((!uid && !gid) || !d->value || str_to_u64(d->value, &id) < 0)
			continue;
		if (uid ? id_is_mapped(spec->uid_maps, spec->n_uid_maps, id)
			: id_is_mapped(spec->gid_maps, spec->n_gid_maps, id))
			continue;
		return err_user(e, op->target,
				"option %s=%s of '%s': the id is not mapped in the user namespace",
				d->key, d->value, op->target);
	}
	return 0;
}

static const struct id_map *maps_copy(struct arena *a, struct oci_id_mapping *const *from, size_t n)
{
	struct id_map *to = arena_new_n(a, n, struct id_map);

	for (size_t i = 0; i < n; i++) {
		to[i].inside = from[i]->container_id;
		to[i].outside = from[i]->host_id;
		to[i].size = from[i]->size;
	}
	return to;
}

static int plan_idmap(struct arena *a, const struct spec *spec, const struct oci_mount *in,
		      struct mount_op *op, struct err *e)
{
	if (!in->n_uid_mappings != !in->n_gid_mappings)
		return err_user(e, op->target,
				"'%s' needs both uidMappings and gidMappings or neither",
				op->target);
	if (in->n_uid_mappings) {
		op->uid_maps = maps_copy(a, in->uid_mappings, in->n_uid_mappings);
		op->gid_maps = maps_copy(a, in->gid_mappings, in->n_gid_mappings);
		op->n_uid_maps = in->n_uid_mappings;
		op->n_gid_maps = in->n_gid_mappings;
		/* Mappings ask for an idmapped mount even without the word. */
		op->flags.idmap = true;
	}
	if (op->flags.idmap_text)
		return mount_idmap_parse(a, op->flags.idmap_text, spec, op, e);
	if (op->flags.idmap && !op->n_uid_maps && !spec->n_uid_maps &&
	    !(spec->ns_joined & CLONE_NEWUSER))
		return err_user(e, op->target,
				"'%s' is to be idmapped, but neither it nor a user namespace has "
				"mappings",
				op->target);
	return 0;
}

static int plan_bind(struct arena *a, const struct spec *spec, const struct oci_mount *in,
		     struct mount_op *op, struct err *e)
{
	op->kind = op->flags.copy_symlink ? MOUNT_LINK : MOUNT_BIND;
	op->type = "bind";
	if (!in->source || !in->source[0])
		return err_user(e, op->target, "bind mount on '%s' has no source", op->target);
	/* Options of a file system would change the source's superblock on the host. */
	if (op->n_data)
		return err_user(e, op->target,
				"bind mounts cannot have any filesystem-specific options applied: "
				"'%s' of '%s'%s",
				op->data[0].key, op->target,
				mount_option_nearest(a, "bind", op->data[0].key));
	op->source = in->source[0] == '/' ? in->source
					  : arena_printf(a, "%s/%s", spec->bundle, in->source);
	return 0;
}

static void plan_late_readonly(struct mount_op *op)
{
	bool readonly = (op->flags.attr_set | op->flags.rec_set) & MOUNT_ATTR_RDONLY;

	if (op->kind != MOUNT_FS || !readonly)
		return;
	op->late_readonly =
		str_eq(op->type, "tmpfs") || str_eq(op->target, "/dev") || op->label_root;
}

static int plan_fs(const struct oci_mount *in, struct mount_op *op, struct err *e)
{
	if (!in->type || !in->type[0] || str_eq(in->type, "none"))
		return err_user(e, op->target,
				"mount on '%s' needs a type, or bind among its options",
				op->target);
	op->type = in->type;
	op->source = in->source && in->source[0] ? in->source : in->type;
	op->kind = MOUNT_FS;
	if (str_eq(in->type, "cgroup") || str_eq(in->type, "cgroup2"))
		op->kind = MOUNT_CGROUP;
	if (op->flags.tmpcopyup && !str_eq(op->type, "tmpfs"))
		return err_user(e, op->target, "tmpcopyup on '%s' is for tmpfs only, not for %s",
				op->target, op->type);
	return 0;
}

/*
 * What is shared in a root that is shared has the host's mounts for peers, not the slaves of
 * them that our namespace has: what is mounted there in the container is seen on the host (the
 * engines' "bidirectional").
 */
static bool is_peer(const struct mount_op *op, const struct spec *spec)
{
	return op->kind == MOUNT_BIND &&
	       op->flags.propagation & spec->rootfs_propagation & MS_SHARED;
}

/* A clone has the flags that the mount has by then: one comes only at the end. */
static void inherit_late(const struct mount_op *from, struct mount_op *op)
{
	if (from->late_readonly &&
	    !((op->flags.attr_clear | op->flags.rec_clear) & MOUNT_ATTR_RDONLY))
		op->flags.attr_set |= MOUNT_ATTR_RDONLY;
}

/*
 * A source below the rootfs is what the mounts before have made of it. Elsewhere the host's
 * path means the same, and what else is there the caller has put there: links may lead out. A
 * rootfs "/" is all there is: a source is no part of it.
 */
static void plan_in_root(struct arena *a, const struct mount_plan *p, struct mount_op *op)
{
	const struct mount_op *on = NULL;
	/* none in a configuration that is only looked at */
	const char *rootfs = p->rootfs ? mount_path_clean(a, p->rootfs) : "/";
	const char *rest = mount_path_from(mount_path_clean(a, op->source), rootfs);

	if (!rest || str_eq(rootfs, "/"))
		return;
	rest = *rest ? rest : "/";
	for (size_t i = 0; i < op->index; i++) {
		bool above = mount_path_from(rest, p->ops[i].target);

		if (above || mount_path_from(p->ops[i].target, rest))
			op->in_root = rest;
		if (above)
			on = &p->ops[i];
	}
	if (on)
		inherit_late(on, op);
}

/*
 * A user namespace may not reach the source. A mapping of its own is made by whoever sees the
 * process that carries it in /proc. And peers of the host's mounts there are in its namespace.
 */
static bool is_opened_by_parent(const struct mount_op *op, const struct mount_plan *p)
{
	if (op->kind == MOUNT_FS || op->in_root)
		return op->flags.idmap;
	return op->kind == MOUNT_BIND && (p->user_ns || op->flags.idmap || op->peers);
}

/* run.oci.systemd.force_cgroup_v1: nothing of what the configuration says of it holds. */
static bool plan_named(struct arena *a, const struct spec *spec, struct mount_op *op)
{
	static const struct mount_data data[] = { { "none", NULL },
						  { "name", "systemd" },
						  { "xattr", NULL } };
	const char *path = spec_annotation(spec->config, SPEC_ANNOTATION_CGROUP_V1);

	if (!path || !str_eq(mount_path_clean(a, path), op->target))
		return false;
	op->kind = MOUNT_CGROUP;
	op->type = op->source = "cgroup";
	op->data = data;
	op->n_data = COUNT(data);
	op->named = true;
	return true;
}

static int plan_op(struct arena *a, const struct spec *spec, const struct mount_plan *p,
		   const struct oci_mount *in, struct mount_op *op, struct err *e)
{
	int r;

	if (!in->destination || !in->destination[0])
		return err_user(e, NULL, "has no destination");
	op->target = mount_path_clean(a, in->destination);
	if (plan_named(a, spec, op))
		return check_proc_target(op, e);
	r = mount_options_parse(a, (const char *const *)in->options, in->n_options, &op->flags,
				&op->data, &op->n_data, e);
	if (r < 0)
		return r;
	if (op->flags.remount) {
		op->kind = MOUNT_REMOUNT;
		op->type = "remount";
		op->source = in->source ? in->source : "none";
	} else if (op->flags.bind || (in->type && str_eq(in->type, "bind"))) {
		r = plan_bind(a, spec, in, op, e);
	} else {
		r = plan_fs(in, op, e);
	}
	if (r < 0 || (r = check_proc_target(op, e)) < 0 || (r = plan_idmap(a, spec, in, op, e)) < 0)
		return r;
	/* one that is joined has its own mappings; podman gives a single id for any, with ns: */
	if (spec->ns_new & CLONE_NEWUSER && op->kind == MOUNT_FS && spec->n_uid_maps) {
		r = check_ids(op, spec, e);
		if (r < 0)
			return r;
	}
	if (op->kind == MOUNT_BIND || op->kind == MOUNT_LINK)
		plan_in_root(a, p, op);
	op->peers = is_peer(op, spec);
	op->from_parent = is_opened_by_parent(op, p);
	/* not the host's queues, which the host has labelled */
	op->label_root = p->label && op->kind == MOUNT_FS && str_eq(op->type, "mqueue") &&
			 (spec->ns_new | spec->ns_joined) & CLONE_NEWIPC;
	plan_late_readonly(op);
	return 0;
}

static int plan_ops(struct arena *a, const struct spec *spec, struct mount_plan *p, struct err *e)
{
	const struct oci_config *c = spec->config;
	const char *named = spec_annotation(c, SPEC_ANNOTATION_CGROUP_V1);
	struct mount_op *ops = arena_new_n(a, c->n_mounts, struct mount_op);
	bool found = !named;

	if (c->n_mounts && !p->has_ns)
		return err_user(e, "mounts", "mounts need a mount namespace");
	p->ops = ops;
	for (size_t i = 0; i < c->n_mounts; i++) {
		ops[i].index = i;
		if (plan_op(a, spec, p, c->mounts[i], &ops[i], e) < 0)
			return err_note(e, "mounts[%zu]", i);
		found |= ops[i].named;
	}
	if (!found)
		return err_user(e, named,
				"annotations[\"" SPEC_ANNOTATION_CGROUP_V1
				"\"]: nothing is mounted on '%s'",
				named);
	p->n_ops = c->n_mounts;
	return 0;
}

/* A mask of ours would hide the file from the host as well, and stay there for ever. */
static int check_not_shared(const struct mount_plan *p, const char *what, size_t i,
			    const char *path, struct err *e)
{
	for (size_t k = 0; k < p->n_ops; k++) {
		const struct mount_op *op = &p->ops[k];

		if (op->peers && mount_path_from(path, op->target))
			return err_user(e, path,
					"%s[%zu] '%s' is in mounts[%zu], which is shared with the "
					"host: it would change there too",
					what, i, path, op->index);
	}
	return 0;
}

/* linux.maskedPaths or linux.readonlyPaths. */
struct path_list {
	const char *what;
	const char *const *paths;
	size_t n;
	bool *ret_root; /* set when the root itself is among them; NULL: it cannot be */
};

/* Clean, and keep the first of equal names: Kubernetes lists hundreds. */
static int plan_paths(struct arena *a, const struct mount_plan *p, const struct path_list *in,
		      const char *const **ret, size_t *ret_n, struct err *e)
{
	const char **out = arena_new_n(a, in->n, const char *);
	size_t k = 0;

	if (in->n && !p->has_ns)
		return err_user(e, in->what, "%s need a mount namespace", in->what);
	for (size_t i = 0; i < in->n; i++) {
		const char *given = in->paths[i], *path;
		size_t j = 0;

		if (given[0] != '/')
			return err_user(e, given, "%s[%zu] '%s' is not absolute", in->what, i,
					given);
		path = mount_path_clean(a, given);
		if (path[1] == '\0') {
			if (!in->ret_root)
				return err_user(e, given, "%s[%zu] cannot be the root", in->what,
						i);
			*in->ret_root = true;
			continue;
		}
		if (check_not_shared(p, in->what, i, path, e) < 0)
			return -e->code;
		while (j < k && !str_eq(out[j], path))
			j++;
		if (j == k)
			out[k++] = path;
	}
	*ret = out;
	*ret_n = k;
	return 0;
}

static int plan_hidden(struct arena *a, const struct oci_linux *l, struct mount_plan *p,
		       struct err *e)
{
	const struct path_list masked = { "linux.maskedPaths", l->masked_paths, l->n_masked_paths,
					  NULL };
	const struct path_list readonly = { "linux.readonlyPaths", l->readonly_paths,
					    l->n_readonly_paths, &p->readonly_root };

	if (plan_paths(a, p, &masked, &p->masked, &p->n_masked, e) < 0)
		return -e->code;
	return plan_paths(a, p, &readonly, &p->readonly, &p->n_readonly, e);
}

static int plan_label(const struct spec *spec, struct mount_plan *p, struct err *e)
{
	static const char *const keys[] = { "context", "fscontext", "defcontext", "rootcontext" };
	const struct oci_config *c = spec->config;
	const char *kind = spec_annotation(c, SPEC_ANNOTATION_MOUNT_CONTEXT);
	size_t k = 0;

	if (!c->linux || !c->linux->mount_label || !c->linux->mount_label[0])
		return 0;
	while (kind && k < COUNT(keys) && !str_eq(keys[k], kind))
		k++;
	if (k == COUNT(keys))
		return err_user(e, kind, "annotation %s has the unknown value '%s'",
				SPEC_ANNOTATION_MOUNT_CONTEXT, kind);
	p->label = c->linux->mount_label;
	p->label_key = keys[k];
	return 0;
}

static void plan_own_cgroups(struct arena *a, const struct host *host, struct mount_plan *p)
{
	struct mount_cgroup *list = arena_new_n(a, host->n_v1 + 1, struct mount_cgroup);
	size_t n = 0;

	if (host->v2_self && *host->v2_self)
		list[n++] = (struct mount_cgroup){ .path = host->v2_self };
	for (size_t i = 0; i < host->n_v1; i++)
		if (host->v1[i].mounted)
			list[n++] = (struct mount_cgroup){ host->v1[i].dir, host->v1[i].controllers,
							   host->v1[i].self };
	p->own_cgroups = list;
	p->n_own_cgroups = n;
}

int mount_plan_make(struct arena *a, const struct spec *spec, const struct host *host,
		    const struct mount_plan_options *opt, struct mount_plan *ret, struct err *e)
{
	const struct oci_linux *l = spec->config->linux;
	const struct oci_hooks *hooks = spec->config->hooks;
	uint64_t ns = spec->ns_new | spec->ns_joined;
	struct mount_plan p = {
		.rootfs = spec->rootfs_path,
		.has_ns = ns & CLONE_NEWNS,
		.user_ns = ns & CLONE_NEWUSER,
		.in_user_ns = ns & CLONE_NEWUSER || host->in_user_ns,
		.own_pid_ns = spec->ns_new & CLONE_NEWPID,
		.own_net_ns = spec->ns_new & CLONE_NEWNET,
		.own_cgroup_ns = spec->ns_new & CLONE_NEWCGROUP,
		.wants_path = hooks && (hooks->n_prestart || hooks->n_create_runtime ||
					hooks->n_create_container),
		.needs_path = hooks && hooks->n_create_container,
		.cgroups = host->cgroups,
		.all_cgroups = host->cgroups == HOST_CGROUP_V2 && !host_is_rootless(host) &&
			       !(ns & (CLONE_NEWCGROUP | CLONE_NEWUSER)),
		.readonly_root = spec->readonly_root,
		.no_pivot = opt && opt->no_pivot,
		.root_propagation = spec->rootfs_propagation,
	};

	plan_own_cgroups(a, host, &p);
	if (plan_label(spec, &p, e) < 0 || plan_ops(a, spec, &p, e) < 0)
		return -e->code;
	if (l && plan_hidden(a, l, &p, e) < 0)
		return -e->code;
	if (p.readonly_root && !p.has_ns)
		return err_user(e, "root.readonly", "a read-only root needs a mount namespace");
	*ret = p;
	return 0;
}
