/* SPDX-License-Identifier: Apache-2.0 */
/* check_linux - namespaces, id mappings, propagation, paths, time; config-linux.md */
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>

#include "base/str.h"
#include "base/table.h"
#include "spec/check.h"

/* user_namespaces(7): lines in uid_map and gid_map since Linux 4.15 */
#define MAPPINGS_MAX 340

static const struct name_row propagations[] = {
	{ "shared", MS_SHARED },
	{ "slave", MS_SLAVE },
	{ "private", MS_PRIVATE },
	{ "unbindable", MS_UNBINDABLE },
	{ "rshared", MS_SHARED | MS_REC },
	{ "rslave", MS_SLAVE | MS_REC },
	{ "rprivate", MS_PRIVATE | MS_REC },
	{ "runbindable", MS_UNBINDABLE | MS_REC },
};

/* --- namespaces ------------------------------------------------------------------------------ */

static int check_namespace(struct spec *s, const struct oci_linux_namespace *ns, size_t i,
			   struct check *c)
{
	int type = ns->type ? spec_ns_from_name(ns->type) : -EINVAL;
	bool joined = ns->path && *ns->path;

	c->place = ns->place;
	if (type < 0)
		return err_user(c->e, "linux.namespaces",
				"linux.namespaces[%zu].type: unknown '%s'", i,
				ns->type ? ns->type : "");
	if ((s->ns_new | s->ns_joined) & (uint64_t)type)
		return err_user(c->e, "linux.namespaces", "linux.namespaces[%zu]: a second '%s'", i,
				ns->type);
	if (joined && ns->path[0] != '/')
		return err_user(c->e, "linux.namespaces",
				"linux.namespaces[%zu].path: '%s' is not absolute", i, ns->path);
	s->namespaces[s->n_namespaces++] =
		(struct spec_namespace){ .type = type, .path = joined ? ns->path : NULL };
	*(joined ? &s->ns_joined : &s->ns_new) |= (uint64_t)type;
	return 0;
}

/* --- mappings -------------------------------------------------------------------------------- */

static int compare_inside(const void *a, const void *b)
{
	const struct id_map *x = a, *y = b;

	return x->inside < y->inside ? -1 : x->inside > y->inside;
}

static int compare_outside(const void *a, const void *b)
{
	const struct id_map *x = a, *y = b;

	return x->outside < y->outside ? -1 : x->outside > y->outside;
}

static int check_overlap(const struct id_map *maps, size_t n, const char *where, struct check *c)
{
	struct id_map sorted[MAPPINGS_MAX];

	memcpy(sorted, maps, n * sizeof(*maps));
	qsort(sorted, n, sizeof(*sorted), compare_inside);
	for (size_t i = 1; i < n; i++)
		if (sorted[i].inside - sorted[i - 1].inside < sorted[i - 1].size)
			return err_user(c->e, where, "%s: containerID %u is mapped twice", where,
					sorted[i].inside);
	qsort(sorted, n, sizeof(*sorted), compare_outside);
	for (size_t i = 1; i < n; i++)
		if (sorted[i].outside - sorted[i - 1].outside < sorted[i - 1].size)
			return err_user(c->e, where, "%s: hostID %u is mapped twice", where,
					sorted[i].outside);
	return 0;
}

int check_mappings(struct oci_id_mapping *const *maps, size_t n, const char *where,
		   struct id_map **ret, struct check *c)
{
	struct id_map *copy = arena_new_n(c->arena, n, struct id_map);
	int r;

	if (n > MAPPINGS_MAX)
		return err_user(c->e, where, "%s: %zu entries, the kernel takes %d", where, n,
				MAPPINGS_MAX);
	for (size_t i = 0; i < n; i++) {
		const struct oci_id_mapping *m = maps[i];

		c->place = m->place;
		/* 2^32-1 is "no id", so the last one that can be mapped is 2^32-2. */
		if (!m->size || m->size > UINT32_MAX - m->container_id ||
		    m->size > UINT32_MAX - m->host_id)
			return err_user(c->e, where, "%s[%zu]: a size of %u makes no range of ids",
					where, i, m->size);
		copy[i] = (struct id_map){ m->container_id, m->host_id, m->size };
	}
	r = check_overlap(copy, n, where, c);
	if (r < 0)
		return r;
	*ret = copy;
	return 0;
}

static int check_user_ns(struct spec *s, const struct oci_linux *l, struct check *c)
{
	bool mapped = l->n_uid_mappings || l->n_gid_mappings;
	int r;

	if (mapped && !((s->ns_new | s->ns_joined) & CLONE_NEWUSER))
		return err_user(c->e, "linux.uidMappings", "%s needs a user namespace",
				l->n_uid_mappings ? "linux.uidMappings" : "linux.gidMappings");
	/* With a path as well, which engines write for pods, the namespace has its mappings. */
	r = check_mappings(l->uid_mappings, l->n_uid_mappings, "linux.uidMappings", &s->uid_maps,
			   c);
	if (r == 0)
		r = check_mappings(l->gid_mappings, l->n_gid_mappings, "linux.gidMappings",
				   &s->gid_maps, c);
	s->n_uid_maps = l->n_uid_mappings;
	s->n_gid_maps = l->n_gid_mappings;
	return r;
}

/* --- the rest -------------------------------------------------------------------------------- */

static int check_propagation(struct spec *s, const char *word, struct check *c)
{
	int64_t value;

	if (!word || !*word)
		return 0;
	if (name_lookup(propagations, COUNT(propagations), word, &value) < 0)
		return err_user(c->e, "linux.rootfsPropagation",
				"linux.rootfsPropagation: unknown '%s'", word);
	s->rootfs_propagation = (uint64_t)value;
	return 0;
}

static int check_paths(const char *const *paths, size_t n, const char *where, struct check *c)
{
	for (size_t i = 0; i < n; i++)
		if (paths[i][0] != '/')
			return err_user(c->e, where, "%s[%zu]: '%s' is not absolute", where, i,
					paths[i]);
	return 0;
}

static int check_time(const struct oci_linux_time_offset *t, const char *where, struct check *c)
{
	if (!t)
		return 0;
	c->place = t->place;
	if (t->nanosecs >= 1000000000)
		return err_user(c->e, where, "%s.nanosecs: %u is not below a second", where,
				t->nanosecs);
	return 0;
}

int check_linux(struct spec *s, struct check *c)
{
	const struct oci_linux *l = s->config->linux;
	int r = 0;

	if (!l)
		return 0;
	c->place = l->place;
	for (size_t i = 0; i < l->n_namespaces && r == 0; i++)
		r = check_namespace(s, l->namespaces[i], i, c);
	if (r == 0)
		r = check_user_ns(s, l, c);
	c->place = r < 0 ? c->place : l->place;
	if (r == 0)
		r = check_propagation(s, l->rootfs_propagation, c);
	if (r == 0)
		r = check_paths(l->masked_paths, l->n_masked_paths, "linux.maskedPaths", c);
	if (r == 0)
		r = check_paths(l->readonly_paths, l->n_readonly_paths, "linux.readonlyPaths", c);
	if (r == 0 && l->time_offsets)
		r = check_time(l->time_offsets->monotonic, "linux.timeOffsets.monotonic", c);
	if (r == 0 && l->time_offsets)
		r = check_time(l->time_offsets->boottime, "linux.timeOffsets.boottime", c);
	return r;
}
