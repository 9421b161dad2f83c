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

static void check_namespace(struct spec *s, const struct oci_linux_namespace *ns, size_t i,
			    struct check *c)
{
	int type = ns->type ? spec_ns_from_name(ns->type) : -EINVAL;
	bool joined = ns->path && *ns->path;

	if (joined && ns->path[0] != '/')
		check_error(c, "linux.namespaces[%zu].path: '%s' is not absolute", i, ns->path);
	if (type < 0) {
		check_error(c, "linux.namespaces[%zu].type: unknown '%s'", i,
			    ns->type ? ns->type : "");
		return;
	}
	if ((s->ns_new | s->ns_joined) & (uint64_t)type) {
		check_error(c, "linux.namespaces[%zu]: a second '%s'", i, ns->type);
		return;
	}
	s->namespaces[s->n_namespaces++] =
		(struct spec_namespace){ .type = type, .path = joined ? ns->path : NULL };
	*(joined ? &s->ns_joined : &s->ns_new) |= (uint64_t)type;
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

static void check_overlap(const struct id_map *maps, size_t n, const char *where, struct check *c)
{
	struct id_map sorted[MAPPINGS_MAX];

	memcpy(sorted, maps, n * sizeof(*maps));
	qsort(sorted, n, sizeof(*sorted), compare_inside);
	for (size_t i = 1; i < n; i++)
		if (sorted[i].inside - sorted[i - 1].inside < sorted[i - 1].size)
			check_error(c, "%s: containerID %u is mapped twice", where,
				    sorted[i].inside);
	qsort(sorted, n, sizeof(*sorted), compare_outside);
	for (size_t i = 1; i < n; i++)
		if (sorted[i].outside - sorted[i - 1].outside < sorted[i - 1].size)
			check_error(c, "%s: hostID %u is mapped twice", where, sorted[i].outside);
}

/* Copy mappings and see that the kernel would take them; @where: "linux.uidMappings". */
static void check_mappings(struct oci_id_mapping *const *maps, size_t n, const char *where,
			   struct id_map **ret, struct check *c)
{
	struct id_map *copy = arena_new_n(c->arena, n, struct id_map);
	size_t ranges = 0;

	if (n > MAPPINGS_MAX) {
		check_error(c, "%s: %zu entries, the kernel takes %d", where, n, MAPPINGS_MAX);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const struct oci_id_mapping *m = maps[i];

		/* 2^32-1 is "no id", so the last one that can be mapped is 2^32-2. */
		if (!m->size || m->size > UINT32_MAX - m->container_id ||
		    m->size > UINT32_MAX - m->host_id)
			check_error(c, "%s[%zu]: a size of %u makes no range of ids", where, i,
				    m->size);
		else
			copy[ranges++] = (struct id_map){ m->container_id, m->host_id, m->size };
	}
	check_overlap(copy, ranges, where, c);
	*ret = copy;
}

static void check_user_ns(struct spec *s, const struct oci_linux *l, struct check *c)
{
	bool mapped = l->n_uid_mappings || l->n_gid_mappings;

	if (mapped && !((s->ns_new | s->ns_joined) & CLONE_NEWUSER))
		check_error(c, "%s needs a user namespace",
			    l->n_uid_mappings ? "linux.uidMappings" : "linux.gidMappings");
	/* With a path as well, which engines write for pods, the namespace has its mappings. */
	check_mappings(l->uid_mappings, l->n_uid_mappings, "linux.uidMappings", &s->uid_maps, c);
	check_mappings(l->gid_mappings, l->n_gid_mappings, "linux.gidMappings", &s->gid_maps, c);
	s->n_uid_maps = s->uid_maps ? l->n_uid_mappings : 0;
	s->n_gid_maps = s->gid_maps ? l->n_gid_mappings : 0;
}

/* --- the rest -------------------------------------------------------------------------------- */

static void check_propagation(struct spec *s, const char *word, struct check *c)
{
	int64_t value;

	if (!word || !*word)
		return;
	if (name_lookup(propagations, COUNT(propagations), word, &value) < 0)
		check_error(c, "linux.rootfsPropagation: unknown '%s'", word);
	else
		s->rootfs_propagation = (uint64_t)value;
}

static void check_paths(const char *const *paths, size_t n, const char *where, struct check *c)
{
	for (size_t i = 0; i < n; i++)
		if (paths[i][0] != '/')
			check_error(c, "%s[%zu]: '%s' is not absolute", where, i, paths[i]);
}

static void check_time(const struct oci_linux_time_offset *t, const char *where, struct check *c)
{
	if (t && t->nanosecs >= 1000000000)
		check_error(c, "%s.nanosecs: %u is not below a second", where, t->nanosecs);
}

void check_linux(struct spec *s, struct check *c)
{
	const struct oci_linux *l = s->config->linux;

	if (!l)
		return;
	for (size_t i = 0; i < l->n_namespaces; i++)
		check_namespace(s, l->namespaces[i], i, c);
	check_user_ns(s, l, c);
	check_propagation(s, l->rootfs_propagation, c);
	check_paths(l->masked_paths, l->n_masked_paths, "linux.maskedPaths", c);
	check_paths(l->readonly_paths, l->n_readonly_paths, "linux.readonlyPaths", c);
	if (l->time_offsets) {
		check_time(l->time_offsets->monotonic, "linux.timeOffsets.monotonic", c);
		check_time(l->time_offsets->boottime, "linux.timeOffsets.boottime", c);
	}
}
