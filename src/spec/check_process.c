/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_process - process of the configuration, or the one that exec is given
 *
 * Values of the environment are secrets and never part of a message. What names a
 * number of the scheduler or of memory policy is the proc room's.
 */
#include <limits.h>

#include "base/str.h"
#include "spec/check.h"

#define ID_NONE	   UINT32_MAX /* (uid_t)-1: "leave as it is" to the kernel */
#define GROUPS_MAX 65536      /* NGROUPS_MAX */

static int check_user(const struct oci_user *u, struct spec_process *p, struct check *c)
{
	gid_t *groups;

	p->umask = -1;
	if (!u)
		return 0;
	c->place = u->place;
	if (u->uid == ID_NONE)
		return err_user(c->e, "process.user.uid", "process.user.uid: %u is no id", u->uid);
	if (u->gid == ID_NONE)
		return err_user(c->e, "process.user.gid", "process.user.gid: %u is no id", u->gid);
	if (u->has_umask && u->umask > 0777)
		return err_user(c->e, "process.user.umask", "process.user.umask: %u is above 0777",
				u->umask);
	if (u->n_additional_gids > GROUPS_MAX)
		return err_user(c->e, "process.user.additionalGids",
				"process.user.additionalGids: more than %d", GROUPS_MAX);
	groups = arena_new_n(c->arena, u->n_additional_gids, gid_t);
	for (size_t i = 0; i < u->n_additional_gids; i++) {
		if (u->additional_gids[i] == ID_NONE)
			return err_user(c->e, "process.user.additionalGids",
					"process.user.additionalGids[%zu]: %u is no id", i,
					u->additional_gids[i]);
		groups[i] = u->additional_gids[i];
	}
	p->uid = u->uid;
	p->gid = u->gid;
	p->groups = groups;
	p->n_groups = u->n_additional_gids;
	if (u->has_umask)
		p->umask = (int)u->umask;
	return 0;
}

/* config.md: what cannot be mapped is a warning. The kernel's own view is the sec room's. */
static uint64_t caps_mask(const char *const *names, size_t n, const char *set, struct check *c)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < n; i++) {
		int cap = spec_cap_from_name(names[i]);

		if (cap < 0)
			check_warn(c, "process.capabilities.%s: unknown capability '%s'", set,
				   names[i]);
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

static int check_rlimits(const struct oci_process *oci, struct spec_process *p, struct check *c)
{
	const char *where = "process.rlimits";
	struct spec_rlimit *limits = arena_new_n(c->arena, oci->n_rlimits, struct spec_rlimit);
	uint64_t seen = 0;

	for (size_t i = 0; i < oci->n_rlimits; i++) {
		const struct oci_rlimit *r = oci->rlimits[i];
		int resource = r->type ? spec_rlimit_from_name(r->type) : -EINVAL;

		c->place = r->place;
		if (resource < 0)
			return err_user(c->e, where, "%s[%zu].type: unknown '%s'", where, i,
					r->type ? r->type : "");
		if (seen & 1ULL << resource)
			return err_user(c->e, where, "%s[%zu]: a second %s", where, i, r->type);
		if (r->soft > r->hard)
			return err_user(c->e, where, "%s[%zu]: %s soft %llu is above hard %llu",
					where, i, r->type, (unsigned long long)r->soft,
					(unsigned long long)r->hard);
		seen |= 1ULL << resource;
		limits[i] = (struct spec_rlimit){ resource, r->soft, r->hard };
	}
	p->rlimits = limits;
	p->n_rlimits = oci->n_rlimits;
	return 0;
}

static int check_env(const struct oci_process *oci, struct check *c)
{
	for (size_t i = 0; i < oci->n_env; i++) {
		const char *eq = strchr(oci->env[i], '=');

		if (!eq)
			return err_user(c->e, "process.env", "process.env[%zu]: no '='", i);
		if (eq == oci->env[i])
			return err_user(c->e, "process.env", "process.env[%zu]: no name", i);
	}
	return 0;
}

static int check_terminal(const struct oci_process *oci, struct spec_process *p, struct check *c)
{
	const struct oci_console_size *size = oci->console_size;

	p->terminal = oci->terminal;
	if (!p->terminal || !size)
		return 0;
	c->place = size->place;
	if (size->height > UINT16_MAX || size->width > UINT16_MAX)
		return err_user(c->e, "process.consoleSize",
				"process.consoleSize: %llux%llu is too large",
				(unsigned long long)size->width, (unsigned long long)size->height);
	p->rows = (uint16_t)size->height;
	p->cols = (uint16_t)size->width;
	return 0;
}

static int check_args(const struct oci_process *oci, struct spec_process *p, struct check *c)
{
	c->place = oci->place;
	if (!oci->n_args)
		return err_user(c->e, "process.args", "process.args is empty");
	if (!oci->cwd || oci->cwd[0] != '/')
		return err_user(c->e, "process.cwd", "process.cwd: '%s' is not absolute",
				oci->cwd ? oci->cwd : "");
	if (strlen(oci->cwd) >= PATH_MAX)
		return err_code(c->e, ENAMETOOLONG, "process.cwd", "process.cwd is too long");
	p->cwd = oci->cwd;
	return check_env(oci, c);
}

static int check_oom(const struct oci_process *oci, struct spec_process *p, struct check *c)
{
	c->place = oci->place;
	if (!oci->has_oom_score_adj)
		return 0;
	if (oci->oom_score_adj < -1000 || oci->oom_score_adj > 1000)
		return err_user(c->e, "process.oomScoreAdj",
				"process.oomScoreAdj: %lld is not in -1000..1000",
				(long long)oci->oom_score_adj);
	p->has_oom_score_adj = true;
	p->oom_score_adj = (int)oci->oom_score_adj;
	return 0;
}

int check_process(const struct oci_process *oci, struct spec_process *ret, struct check *c)
{
	struct spec_process p = { .oci = oci, .no_new_privileges = oci->no_new_privileges };
	int r = check_args(oci, &p, c);

	if (r == 0)
		r = check_terminal(oci, &p, c);
	if (r == 0)
		r = check_user(oci->user, &p, c);
	if (r == 0)
		r = check_rlimits(oci, &p, c);
	if (r == 0)
		r = check_oom(oci, &p, c);
	if (r < 0)
		return r;
	check_caps(oci->capabilities, &p, c);
	*ret = p;
	return 0;
}
