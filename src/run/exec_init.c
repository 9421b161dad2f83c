/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec-init - becomes a further process of a container
 *
 * Born by the middle inside the container's namespaces and cgroup. It is visible to the
 * container from its first moment: non-dumpable, and without a descriptor of the host's
 * file system. It shares every step that init has too.
 */
#include <fcntl.h>
#include <sched.h>

#include "base/str.h"
#include "run/stages.h"
#include "sys/sys.h"

static bool when_cgroup_ns(const void *role)
{
	return ((const struct child *)role)->run->options.exec->namespaces & CLONE_NEWCGROUP;
}

static bool when_shared_mounts(const void *role)
{
	return !(((const struct child *)role)->run->options.exec->namespaces & CLONE_NEWNS);
}

static int step_join_cgroup_ns(void *role, struct err *e)
{
	int r = sys_setns(((struct child *)role)->run->options.exec->pidfd, CLONE_NEWCGROUP);

	return r < 0 ? err_sys(e, -r, NULL, "join the container's cgroup namespace") : 0;
}

/* Where the terminal is looked for. */
static int step_find_root(void *role, struct err *e)
{
	struct child *c = role;

	c->mount.root = sys_open("/", O_PATH | O_DIRECTORY, 0);
	return c->mount.root < 0 ? err_sys(e, -c->mount.root, "/", "open") : 0;
}

static const struct step exec_steps[] = {
	{ "cgroup-namespace", when_cgroup_ns, step_join_cgroup_ns },
	{ "user-namespace-root", when_in_user_ns, step_ns_root },
	{ "root-switch", when_shared_mounts, step_root_switch },
	{ "session", NULL, step_session },
	{ "keyring", when_keyring, step_keyring },
	{ "root", when_terminal, step_find_root },
	{ "terminal", when_terminal, step_terminal },
	{ "stdio", when_no_terminal, step_stdio },
	{ "label", when_label, step_label_proc },
	{ "close", NULL, step_close },
};

void exec_init_main(struct child *c)
{
	struct err e = { 0 };

	c->mount.root = c->mount.proc = -1;
	child_wait_for_go(c);
	if (steps_run(exec_steps, COUNT(exec_steps), ROLE_EXEC, c, c->run->progress, &e) < 0)
		child_fail(c->up, &e);
	finish(c, ROLE_EXEC);
}
