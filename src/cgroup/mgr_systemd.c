/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mgr_systemd - the manager that has systemd make the cgroup
 *
 * One transient unit a container, a scope that begins with the process of cleat-systemd
 * as its only one, so that it exists before init does; init is cloned into it as under
 * cgroupfs, and the process leaves when init is on record. systemd tells where the cgroup
 * is; the values are written there as ever, since not all of them have properties. Device
 * programs are ours too: with DevicePolicy=auto systemd attaches none of its own and
 * leaves ours alone, also when it reloads.
 *
 * A unit is stopped only when its invocation id is the recorded one.
 */
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "cgroup/internal.h"
#include "cgroup/paths.h"
#include "sys/host.h"
#include "sys/sys.h"

static bool use_user_manager(void)
{
	return geteuid() != 0 || host_in_user_ns();
}

/* Every hierarchy has the container at the same path, the one that systemd chose. */
static int take_path(struct cgroup *cg, const char *given, struct err *e)
{
	const char *path;

	if (cgroup_path_clean(cg->arena, given, &path, e) < 0)
		return err_note(e, "systemd: control group '%s'", given);
	for (size_t i = 0; i < cg->n_dirs; i++) {
		struct cgroup_dir *d = &cg->dirs[i];

		d->at = arena_printf(cg->arena, "%.*s%s", d->prefix ? (int)d->prefix - 1 : 0, d->at,
				     d->prefix ? path : path + 1);
		d->path = path;
	}
	return 0;
}

static int stop(const struct cgroup *cg, struct err *e)
{
	const struct unit_request q = { .verb = "stop",
					.user = use_user_manager(),
					.unit = cg->scope,
					.invocation = cg->invocation };
	struct unit_reply *reply = arena_new(cg->arena, struct unit_reply);

	return unit_ask(&q, reply, NULL, e);
}

static int systemd_create(struct cgroup *cg, const struct cgroup_plan *p, struct err *e)
{
	struct unit_reply *reply = arena_new(cg->arena, struct unit_reply);
	const struct unit_request q = { .verb = "start",
					.user = use_user_manager(),
					.unit = p->scope,
					.properties = p->properties };
	struct err second = { 0 };

	if (unit_ask(&q, reply, &cg->helper, e) < 0)
		return -e->code;
	cg->scope = p->scope;
	cg->invocation = reply->invocation;
	if (take_path(cg, reply->path, e) == 0 && cgroup_fs_build(cg, p, true, e) == 0)
		return 0;
	cgroup_fs_unmake(cg);
	unit_helper_release(&cg->helper);
	if (stop(cg, &second) < 0)
		log_warning("%s", second.text);
	return -e->code;
}

/* The directories of other hierarchies are ours, and systemd may be gone: both are tried. */
static int systemd_remove(struct cgroup *cg, struct err *e)
{
	struct err first = { 0 };

	if (cg->scope && cg->invocation && stop(cg, &first) < 0)
		log_warning("%s", first.text);
	return cgroup_remove_dirs(cg, e);
}

int cgroup_systemd_set(const struct cgroup *cg, const struct oci_linux_resources *r, bool v2,
		       struct err *e)
{
	struct unit_reply *reply = arena_new(cg->arena, struct unit_reply);
	struct unit_properties p = { 0 };
	const struct unit_request q = {
		.verb = "set", .user = use_user_manager(), .unit = cg->scope, .properties = &p
	};

	if (unit_put_resources(cg->arena, &p, r, v2, e) < 0)
		return -e->code;
	return p.n ? unit_ask(&q, reply, NULL, e) : 0;
}

void cgroup_release(struct cgroup *cg)
{
	if (cg)
		unit_helper_release(&cg->helper);
}

const struct cgroup_manager_ops cgroup_systemd_ops = { "systemd", systemd_create, systemd_remove };
