/* SPDX-License-Identifier: Apache-2.0 */
/*
 * init - becomes the container's process
 *
 * It does nothing after its birth until GO, which says that its identity is on
 * record; it ends when its channel closes before it is at the gate. The table below and
 * those of finish.c, which exec-init shares, are the whole of what it does, in order; the
 * rule behind the order is "What is final when" in ARCHITECTURE.md.
 *
 * Before the gate: everything but the last steps. After it: startContainer hooks, label,
 * filter, capability sets, exec. A failure before goes to the parent, one after it to
 * whoever started us.
 */
#include <stdlib.h>

#include "base/log.h"
#include "base/str.h"
#include "run/stages.h"
#include "sys/sys.h"

static const struct step init_steps[] = {
	{ "cgroup-namespace", when_late_cgroup_ns, step_cgroup_ns },
	{ "root", when_mount_ns, step_root }, /* as whom the caller's directories may be open to */
	{ "user-namespace-root", when_in_user_ns, step_ns_root },
	{ "session", NULL, step_session },
	{ "keyring", when_keyring, step_keyring },
	{ "loopback", when_loopback, step_loopback },
	{ "mounts", when_mount_ns, step_mounts },
	{ "devices", when_devices, step_devices },
	{ "label", when_label, step_label_proc },
	{ "terminal", when_terminal, step_terminal },
	{ "stdio", when_no_terminal, step_stdio },
	{ "runtime-hooks", when_runtime_hooks, step_runtime_hooks },
	{ "createContainer-hooks", when_create_hooks, step_create_hooks },
	{ "sysctls", when_sysctls, step_sysctls },
	{ "masks", when_mount_ns, step_masks },
	{ "root-switch", NULL, step_root_switch },
	{ "make-cwd", when_makes_cwd, step_make_cwd },
	{ "mount-finish", when_mount_ns, step_mount_finish },
	{ "close", NULL, step_close },
	{ "names", when_names, step_names },
};

static int request_source(void *arg, size_t op, int tree, struct err *e)
{
	int fd = -1;
	int r = child_ask(arg, MSG_SOURCE, (int64_t)op, tree, &fd, e);

	return r < 0 ? r : fd;
}

/* The parent must have recorded who we are before anything else happens. */
void child_wait_for_go(struct child *c)
{
	struct err e = { 0 };
	struct msg m;
	int fd = -1;

	if (channel_recv(c->up, &m, &fd, &e) != 1 || m.type != MSG_GO)
		_exit(EXIT_FAILURE);
}

/* The hierarchies that the container is in, for the cgroup mount. */
static void list_cgroups(struct child *c)
{
	const struct cgroup_plan *p = &c->plan->cgroup;
	struct mount_cgroup *list = arena_new_n(c->arena, p->n_dirs, struct mount_cgroup);

	if (p->n_dirs == 0) {
		c->mount.cgroups = c->plan->mount.own_cgroups;
		c->mount.n_cgroups = c->plan->mount.n_own_cgroups;
		return;
	}
	for (size_t i = 0; i < p->n_dirs; i++) {
		const struct cgroup_dir_plan *d = &p->dirs[i];
		const char *path = c->run->cgroup ? cgroup_path(c->run->cgroup, i) : d->path;

		list[i] = (struct mount_cgroup){ d->hierarchy, d->controllers,
						 path ? path : d->self };
	}
	c->mount.cgroups = list;
	c->mount.n_cgroups = p->n_dirs;
}

void init_main(struct child *c)
{
	struct err e = { 0 };
	int r;

	c->mount.plan = &c->plan->mount;
	c->mount.root = c->run->rootfs_tree;
	c->mount.proc = -1;
	c->mount.request_source = request_source;
	c->mount.arg = c;
	list_cgroups(c);
	child_wait_for_go(c);
	/* Nearly all that the next steps open is closed by the step "close" at once. */
	fd_defer(true);
	r = steps_run(init_steps, COUNT(init_steps), ROLE_INIT, c, c->run->progress, &e);
	if (r < 0)
		child_fail(c->up, &e);
	finish(c, ROLE_INIT);
}
