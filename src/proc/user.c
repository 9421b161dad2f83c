/* SPDX-License-Identifier: Apache-2.0 */
/*
 * user - ids and groups; credentials(7)
 *
 * The ids are the container's numbers, used as they are: nothing is looked up by name.
 * setgroups(2) is called for an empty list too, so that no group of the caller goes
 * along, and everything is read back.
 */
#include <linux/capability.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "proc/parts.h"
#include "sys/sys.h"

#define GROUPS_FEW 32

/* A user may map his own group himself, but then setgroups is denied; user_namespaces(7). */
static bool setgroups_is_denied(const struct spec *spec, const struct host *host)
{
	return (spec->ns_new & CLONE_NEWUSER) && host->euid != 0 && spec->n_gid_maps == 1 &&
	       spec->gid_maps[0].size == 1 && spec->gid_maps[0].outside == host->egid;
}

int plan_groups(const struct spec *spec, const struct host *host, struct proc_plan *p,
		struct err *e)
{
	/* podman's --group-add keep-groups */
	if (spec_annotation_is_set(spec->config, SPEC_ANNOTATION_KEEP_GROUPS)) {
		if (p->process->n_groups)
			log_warning("process.user.additionalGids: not used because of %s",
				    SPEC_ANNOTATION_KEEP_GROUPS);
		p->keep_groups = true;
		return 0;
	}
	p->keep_groups = setgroups_is_denied(spec, host);
	if (p->keep_groups && p->process->n_groups)
		return err_user(e, "process.user.additionalGids",
				"process.user.additionalGids: a user who maps a single group "
				"may not set any");
	return 0;
}

/* EINVAL: 0 is not mapped; what can be done as somebody else still can. */
int proc_become_ns_root(struct err *e)
{
	int r = sys_setresgid(0);

	if (r < 0 && r != -EINVAL)
		return err_sys(e, -r, NULL, "become group 0 of the user namespace");
	r = sys_setresuid(0);
	if (r < 0 && r != -EINVAL)
		return err_sys(e, -r, NULL, "become user 0 of the user namespace");
	return 0;
}

static int compare_gids(const void *a, const void *b)
{
	gid_t x = *(const gid_t *)a, y = *(const gid_t *)b;

	return x < y ? -1 : x > y;
}

/* Sorted as the kernel keeps them: duplicates stay. */
static bool groups_are(const struct spec_process *p, gid_t *now, gid_t *want)
{
	size_t n = p->n_groups;
	int r = sys_getgroups(n + 1, now);

	if (r < 0 || (size_t)r != n)
		return false;
	if (n)
		memcpy(want, p->groups, n * sizeof(gid_t));
	qsort(want, n, sizeof(gid_t), compare_gids);
	qsort(now, n, sizeof(gid_t), compare_gids);
	return memcmp(want, now, n * sizeof(gid_t)) == 0;
}

static int check_groups(const struct spec_process *p, struct err *e)
{
	gid_t few[2 * (GROUPS_FEW + 1)], *many = NULL;
	bool same;

	if (p->n_groups > GROUPS_FEW)
		many = calloc(p->n_groups + 1, 2 * sizeof(gid_t));
	if (p->n_groups > GROUPS_FEW && !many)
		return err_sys(e, ENOMEM, "process.user.additionalGids", "check");
	same = many ? groups_are(p, many, many + p->n_groups + 1)
		    : groups_are(p, few, few + GROUPS_FEW + 1);
	free(many);
	if (!same)
		return err_code(
			e, EPERM, "process.user.additionalGids",
			"process.user.additionalGids: the groups are not those that were set");
	return 0;
}

/* EINVAL is what the kernel says of ids that mean nobody here; user_namespaces(7). */
static int id_error(int r, const char *field, const char *what, unsigned id, struct err *e)
{
	err_sys(e, -r, field, "become %s %u", what, id);
	return r == -EINVAL ? err_note(e, "%s %u is not mapped in the user namespace", what, id)
			    : -e->code;
}

static int groups_error(int r, size_t n, struct err *e)
{
	err_sys(e, -r, "process.user.additionalGids", "set %zu groups", n);
	if (r == -EPERM)
		return err_note(e, "it takes CAP_SETGID, for none as well");
	return r == -EINVAL ? err_note(e, "a group is not mapped in the user namespace") : -e->code;
}

/* With the right to set them that is the only reason for EPERM; user_namespaces(7). */
static bool setgroups_was_denied(int r)
{
	struct sys_caps caps;

	return r == -EPERM && sys_capget(&caps) == 0 && caps.effective & 1ULL << CAP_SETGID;
}

/* A group that is asked for and that is neither the process's own nor one that it has. */
static bool lacks_groups(const struct spec_process *process)
{
	gid_t now[GROUPS_FEW];
	int n = sys_getgroups(GROUPS_FEW, now);

	for (size_t i = 0; i < process->n_groups; i++) {
		bool found = process->groups[i] == process->gid;

		for (int k = 0; k < n && !found; k++)
			found = process->groups[i] == now[k];
		if (!found)
			return true;
	}
	return false;
}

/*
 * In a user namespace with a single group setgroups is denied. Whoever works in one has engines
 * that add an image's groups all the same: the process goes without them.
 */
static void go_without_groups(const struct spec_process *process)
{
	if (lacks_groups(process))
		log_warning("process.user.additionalGids: not set, because setgroups is denied in "
			    "this user namespace");
	else
		log_debug("setgroups is denied in this user namespace: groups stay");
}

static int set_groups(const struct proc_plan *p, struct err *e)
{
	const struct spec_process *process = p->process;
	int r;

	if (p->keep_groups)
		return 0;
	r = sys_setgroups(process->n_groups, process->groups);
	if (setgroups_was_denied(r)) {
		go_without_groups(process);
		return 0;
	}
	return r < 0 ? groups_error(r, process->n_groups, e) : check_groups(process, e);
}

int proc_ids(const struct proc_plan *p, struct err *e)
{
	const struct spec_process *process = p->process;
	uid_t uids[3];
	gid_t gids[3];
	int r = set_groups(p, e);

	if (r < 0)
		return r;
	r = sys_setresgid(process->gid);
	if (r < 0)
		return id_error(r, "process.user.gid", "group", process->gid, e);
	r = sys_setresuid(process->uid);
	if (r < 0)
		return id_error(r, "process.user.uid", "user", process->uid, e);
	if (sys_getresuid(uids) < 0 || sys_getresgid(gids) < 0)
		return err_code(e, EPERM, NULL, "the ids cannot be read back");
	for (size_t i = 0; i < COUNT(uids); i++)
		if (uids[i] != process->uid || gids[i] != process->gid)
			return err_code(e, EPERM, NULL, "the ids are not those that were set");
	return 0;
}
