/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_process - process of the configuration, or the one that exec is given
 *
 * Values of the environment are secrets and never part of a message. What names a
 * number of the scheduler or of memory policy is the proc room's.
 */
#include <limits.h>

#include "base/str.h"
#include "base/table.h"
#include "spec/check.h"

#define ID_NONE	   UINT32_MAX /* (uid_t)-1: "leave as it is" to the kernel */
#define GROUPS_MAX 65536      /* NGROUPS_MAX */

static void check_user(const struct oci_user *u, struct spec_process *p, struct check *c)
{
	gid_t *groups;

	p->umask = -1;
	if (!u)
		return;
	if (u->uid == ID_NONE)
		check_error(c, "process.user.uid: %u is no id", u->uid);
	if (u->gid == ID_NONE)
		check_error(c, "process.user.gid: %u is no id", u->gid);
	if (u->has_umask && u->umask > 0777)
		check_error(c, "process.user.umask: %u is above 0777", u->umask);
	if (u->n_additional_gids > GROUPS_MAX) {
		check_error(c, "process.user.additionalGids: more than %d", GROUPS_MAX);
		return;
	}
	groups = arena_new_n(c->arena, u->n_additional_gids, gid_t);
	for (size_t i = 0; i < u->n_additional_gids; i++) {
		if (u->additional_gids[i] == ID_NONE)
			check_error(c, "process.user.additionalGids[%zu]: %u is no id", i,
				    u->additional_gids[i]);
		groups[i] = u->additional_gids[i];
	}
	p->uid = u->uid;
	p->gid = u->gid;
	p->groups = groups;
	p->n_groups = u->n_additional_gids;
	if (u->has_umask)
		p->umask = (int)u->umask;
}

static const char *nearest_cap(struct check *c, const char *name)
{
	struct name_row rows[64];
	const char *near;
	size_t n = 0;

	for (; n < COUNT(rows) && spec_cap_name((int)n); n++)
		rows[n] = (struct name_row){ spec_cap_name((int)n), 0 };
	near = name_nearest(rows, n, name);
	return near ? arena_printf(c->arena, ", perhaps '%s' is meant", near) : "";
}

/* config.md: what cannot be mapped is a warning. The kernel's own view is the sec room's. */
static uint64_t caps_mask(const char *const *names, size_t n, const char *set, struct check *c)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < n; i++) {
		int cap = spec_cap_from_name(names[i]);

		if (cap < 0)
			check_warn(c, "process.capabilities.%s[%zu]: unknown capability '%s'%s",
				   set, i, names[i], nearest_cap(c, names[i]));
		else
			mask |= 1ULL << cap;
	}
	return mask;
}

static void check_caps(const struct oci_capabilities *caps, struct spec_process *p, struct check *c)
{
	p->has_caps = caps != NULL;
	if (!caps)
		return;
	p->caps.bounding = caps_mask(caps->bounding, caps->n_bounding, "bounding", c);
	p->caps.effective = caps_mask(caps->effective, caps->n_effective, "effective", c);
	p->caps.inheritable = caps_mask(caps->inheritable, caps->n_inheritable, "inheritable", c);
	p->caps.permitted = caps_mask(caps->permitted, caps->n_permitted, "permitted", c);
	p->caps.ambient = caps_mask(caps->ambient, caps->n_ambient, "ambient", c);
}

static void check_rlimits(const struct oci_process *oci, struct spec_process *p, struct check *c)
{
	const char *where = "process.rlimits";
	struct spec_rlimit *limits = arena_new_n(c->arena, oci->n_rlimits, struct spec_rlimit);
	uint64_t seen = 0;

	for (size_t i = 0; i < oci->n_rlimits; i++) {
		const struct oci_rlimit *r = oci->rlimits[i];
		int resource = r->type ? spec_rlimit_from_name(r->type) : -EINVAL;

		if (resource < 0) {
			check_error(c, "%s[%zu].type: unknown '%s'", where, i,
				    r->type ? r->type : "");
			continue;
		}
		if (seen & 1ULL << resource)
			check_error(c, "%s[%zu]: a second %s", where, i, r->type);
		if (r->soft > r->hard)
			check_error(c, "%s[%zu]: %s soft %llu is above hard %llu", where, i,
				    r->type, (unsigned long long)r->soft,
				    (unsigned long long)r->hard);
		seen |= 1ULL << resource;
		limits[i] = (struct spec_rlimit){ resource, r->soft, r->hard };
	}
	p->rlimits = limits;
	p->n_rlimits = oci->n_rlimits;
}

static void check_env(const struct oci_process *oci, struct check *c)
{
	for (size_t i = 0; i < oci->n_env; i++) {
		const char *eq = strchr(oci->env[i], '=');

		if (!eq)
			check_error(c, "process.env[%zu]: no '='", i);
		else if (eq == oci->env[i])
			check_error(c, "process.env[%zu]: no name", i);
	}
}

static void check_terminal(const struct oci_process *oci, struct spec_process *p, struct check *c)
{
	const struct oci_console_size *size = oci->console_size;

	p->terminal = oci->terminal;
	if (!p->terminal || !size)
		return;
	if (size->height > UINT16_MAX || size->width > UINT16_MAX)
		check_error(c, "process.consoleSize: %llux%llu is too large",
			    (unsigned long long)size->width, (unsigned long long)size->height);
	p->rows = (uint16_t)size->height;
	p->cols = (uint16_t)size->width;
}

static void check_args(const struct oci_process *oci, struct spec_process *p, struct check *c)
{
	if (!oci->n_args)
		check_error(c, "process.args is %s", oci->args ? "empty" : "missing");
	if (!oci->cwd || oci->cwd[0] != '/')
		check_error(c, "process.cwd: '%s' is not absolute", oci->cwd ? oci->cwd : "");
	else if (strlen(oci->cwd) >= PATH_MAX)
		check_fail(c, ENAMETOOLONG, "process.cwd is too long");
	p->cwd = oci->cwd;
}

static void check_oom(const struct oci_process *oci, struct spec_process *p, struct check *c)
{
	if (!oci->has_oom_score_adj)
		return;
	if (oci->oom_score_adj < -1000 || oci->oom_score_adj > 1000)
		check_error(c, "process.oomScoreAdj: %lld is not in -1000..1000",
			    (long long)oci->oom_score_adj);
	p->has_oom_score_adj = true;
	p->oom_score_adj = (int)oci->oom_score_adj;
}

void check_process(const struct oci_process *oci, struct spec_process *ret, struct check *c)
{
	struct spec_process p = { .oci = oci, .no_new_privileges = oci->no_new_privileges };

	check_args(oci, &p, c);
	check_env(oci, c);
	check_terminal(oci, &p, c);
	check_user(oci->user, &p, c);
	check_rlimits(oci, &p, c);
	check_oom(oci, &p, c);
	check_caps(oci->capabilities, &p, c);
	*ret = p;
}
