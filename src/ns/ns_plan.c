/* SPDX-License-Identifier: Apache-2.0 */
/* ns_plan - which namespaces are made by whom (pure) */
#include <sched.h>

#include "base/str.h"
#include "ns/ns.h"
#include "sys/missing.h"

/* Must be unshared rather than cloned: something is written before the first member is born. */
#define NS_UNSHARED ((uint64_t)(CLONE_NEWUSER | CLONE_NEWTIME))

static const char *time_offsets(struct arena *a, const struct oci_linux *linux_block)
{
	const struct oci_linux_time_offsets *t = linux_block ? linux_block->time_offsets : NULL;
	const char *text = "";

	if (!t)
		return NULL;
	if (t->monotonic)
		text = arena_printf(a, "%smonotonic %lld %lld\n", text,
				    (long long)t->monotonic->secs,
				    (long long)t->monotonic->nanosecs);
	if (t->boottime)
		text = arena_printf(a, "%sboottime %lld %lld\n", text, (long long)t->boottime->secs,
				    (long long)t->boottime->nanosecs);
	return *text ? text : NULL;
}

/* An unprivileged process may write one line that maps its own id. */
static bool is_single(const struct id_map *maps, size_t n, uint32_t own)
{
	return n == 1 && maps[0].size == 1 && maps[0].outside == own;
}

int ns_plan_make(struct arena *a, const struct spec *spec, const struct host *host,
		 struct ns_plan *ret, struct err *e)
{
	struct ns_plan p = { .create = spec->ns_new };

	for (size_t i = 0; i < spec->n_namespaces; i++) {
		const struct spec_namespace *ns = &spec->namespaces[i];

		if (!ns->path)
			continue;
		p.join[p.n_join++] =
			(struct ns_join){ .type = ns->type, .path = ns->path, .fd = -1 };
	}
	p.new_user = spec->ns_new & CLONE_NEWUSER;
	p.join_user = spec->ns_joined & CLONE_NEWUSER;
	if (p.new_user && (!spec->n_uid_maps || !spec->n_gid_maps))
		return err_user(e, "linux.uidMappings",
				"linux.%s: a new user namespace needs uidMappings and gidMappings",
				spec->n_uid_maps ? "gidMappings" : "uidMappings");
	/* With v1 hierarchies init is moved into its cgroups after its birth, and the
	 * root of a cgroup namespace is where its maker is. And whoever clones into a cgroup
	 * must see it where the tree is mounted with nsdelegate, which need not be so in a
	 * namespace that is joined; one that is the host's can be joined with the host's
	 * rights only, so not after a user namespace. */
	p.late_cgroup =
		spec->ns_new & CLONE_NEWCGROUP
			? host->n_v1 > 0 || spec_annotation(spec->config, SPEC_ANNOTATION_CGROUP_V1)
			: !p.new_user && !p.join_user && spec->ns_joined & CLONE_NEWCGROUP;
	/* Its root is above where init is born, so it is there before init. */
	p.early_cgroup = spec->ns_new & CLONE_NEWCGROUP && !p.late_cgroup &&
			 spec_annotation_text(spec->config, SPEC_ANNOTATION_DELEGATE);
	p.clone_flags = spec->ns_new & ~NS_UNSHARED;
	if (p.late_cgroup || p.early_cgroup)
		p.clone_flags &= ~(uint64_t)CLONE_NEWCGROUP;
	p.uid_maps = spec->uid_maps;
	p.gid_maps = spec->gid_maps;
	p.n_uid_maps = spec->n_uid_maps;
	p.n_gid_maps = spec->n_gid_maps;
	p.single_uid = is_single(spec->uid_maps, spec->n_uid_maps, host->euid);
	p.single_gid = is_single(spec->gid_maps, spec->n_gid_maps, host->egid);
	p.unprivileged = host->euid != 0;
	p.time_offsets = time_offsets(a, spec->config->linux);
	if (p.time_offsets && !(spec->ns_new & CLONE_NEWTIME))
		return err_user(e, "linux.timeOffsets",
				"linux.timeOffsets needs a new time namespace");
	*ret = p;
	return 0;
}
