/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "base/str.h"
#include "run/handover.h"
#include "run/stages.h"
#include "sys/sys.h"

#define STDIO_FDS 3

/* --- conditions ------------------------------------------------------------------------------ */

bool when_late_cgroup_ns(const void *role)
{
	return ((const struct child *)role)->plan->ns.late_cgroup;
}

bool when_in_user_ns(const void *role)
{
	return run_has_user_ns(((const struct child *)role)->run);
}

bool when_own_user_ns(const void *role)
{
	return !when_in_user_ns(role);
}

bool when_late_cwd(const void *role)
{
	return !((const struct child *)role)->cwd_done;
}

bool when_loopback(const void *role)
{
	return ((const struct child *)role)->plan->net.loopback;
}

bool when_mount_ns(const void *role)
{
	return ((const struct child *)role)->plan->mount.has_ns;
}

bool when_devices(const void *role)
{
	const struct child *c = role;

	return c->plan->mount.has_ns && !c->plan->dev.skip;
}

bool when_terminal(const void *role)
{
	return ((const struct child *)role)->plan->proc.process->terminal;
}

bool when_no_terminal(const void *role)
{
	return !when_terminal(role);
}

bool when_runtime_hooks(const void *role)
{
	const struct hook_plan *h = &((const struct child *)role)->plan->hooks;

	return h->n[HOOK_PRESTART] || h->n[HOOK_CREATE_RUNTIME];
}

bool when_create_hooks(const void *role)
{
	return ((const struct child *)role)->plan->hooks.n[HOOK_CREATE_CONTAINER] > 0;
}

bool when_start_hooks(const void *role)
{
	return ((const struct child *)role)->plan->hooks.n[HOOK_START_CONTAINER] > 0;
}

/* Only what is made read-only later need be found now; "/" is there. */
bool when_makes_cwd(const void *role)
{
	const struct child *c = role;
	const struct mount_plan *m = &c->plan->mount;
	bool later = m->readonly_root;

	for (size_t i = 0; i < m->n_ops && !later; i++)
		later = m->ops[i].late_readonly;
	return m->has_ns && later && !str_eq(c->plan->proc.process->cwd, "/");
}

bool when_names(const void *role)
{
	const struct proc_plan *p = &((const struct child *)role)->plan->proc;

	return p->hostname || p->domainname;
}

bool when_sysctls(const void *role)
{
	return ((const struct child *)role)->plan->proc.n_sysctls > 0;
}

bool when_keyring(const void *role)
{
	return ((const struct child *)role)->plan->sec.new_keyring;
}

bool when_label(const void *role)
{
	const struct sec_plan *p = &((const struct child *)role)->plan->sec;

	return p->apparmor || p->selinux;
}

bool when_no_new_privs(const void *role)
{
	return ((const struct child *)role)->plan->sec.no_new_privileges;
}

bool when_filter_first(const void *role)
{
	const struct child *c = role;

	return c->run->filter.n > 0 && !sec_filter_is_last(&c->plan->sec);
}

bool when_filter_last(const void *role)
{
	const struct child *c = role;

	return c->run->filter.n > 0 && sec_filter_is_last(&c->plan->sec);
}

/* --- steps before the gate ------------------------------------------------------------------- */

int step_cgroup_ns(void *role, struct err *e)
{
	struct child *c = role;

	return ns_enter_cgroup(&c->run->ns, e);
}

/*
 * Nobody may trace us or open what we hold until the payload runs (CVE-2016-9962).
 * Entering a user namespace and changing ids leave the flag to fs.suid_dumpable.
 */
static int forbid_tracing(struct err *e)
{
	int r = sys_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);

	return r < 0 ? err_sys(e, -r, NULL, "become non-dumpable") : 0;
}

int step_ns_root(void *role, struct err *e)
{
	int r = proc_become_ns_root(e);

	(void)role;
	return r < 0 ? r : forbid_tracing(e);
}

int step_session(void *role, struct err *e)
{
	int r = sys_setsid();

	(void)role;
	return r < 0 ? err_sys(e, -r, NULL, "make a session") : 0;
}

int step_keyring(void *role, struct err *e)
{
	return sec_keyring_join(&((struct child *)role)->plan->sec, e);
}

int step_loopback(void *role, struct err *e)
{
	(void)role;
	return net_loopback_up(e);
}

int step_root(void *role, struct err *e)
{
	return mount_root_attach(&((struct child *)role)->mount, e);
}

int step_mounts(void *role, struct err *e)
{
	return mount_all(&((struct child *)role)->mount, e);
}

int step_devices(void *role, struct err *e)
{
	struct child *c = role;
	auto_fd outside = -1;
	int r = c->plan->dev.n_outside ? child_ask(c, MSG_DEVICES, 0, -1, &outside, e) : 0;

	return r < 0 && r != -EPERM ? r : dev_apply(&c->plan->dev, c->mount.root, outside, e);
}

int step_terminal(void *role, struct err *e)
{
	struct child *c = role;
	const struct spec_process *p = c->plan->proc.process;
	/* without mounts of its own what is mounted in the root already is the container's */
	int root = c->mount.root >= 0 ? c->mount.root : c->run->rootfs_dir;
	auto_fd master = -1;
	int r = term_open_pty(root, p->rows, p->cols, &master, &c->slave, e);

	if (r == 0 && c->plan->dev.console)
		r = dev_console(c->mount.root, c->slave, e);
	if (r == 0)
		r = child_ask(c, MSG_CONSOLE, 0, master, NULL, e);
	return r < 0 ? r : term_make_stdio(fd_take(&c->slave), p->uid, e);
}

/* Without mounts of its own the container's /dev is not to be seen yet, or never. */
int step_stdio(void *role, struct err *e)
{
	struct child *c = role;
	int root = c->run->options.exec ? AT_FDCWD : c->mount.root;

	return term_fix_stdio(root, c->plan->proc.process->uid, e);
}

int step_runtime_hooks(void *role, struct err *e)
{
	return child_ask(role, MSG_HOOKS, 0, -1, NULL, e);
}

static int run_hooks(struct child *c, enum hook_kind kind, const char *status, struct err *e)
{
	const char *state = hook_state(c->arena, c->plan->spec, c->plan->options.id, status,
				       getpid(), c->plan->spec->bundle);

	const struct hook_fds fds = { -1, c->run->hooks.out, c->run->hooks.err };
	struct hook_plan hooks = c->plan->hooks;

	hooks.start_env = c->env; /* the program's, HOME with it */
	return hook_run_all(&hooks, kind, state, &fds, e);
}

int step_create_hooks(void *role, struct err *e)
{
	/* a hook waits for the end of what we write to it */
	fd_defer(false);
	return run_hooks(role, HOOK_CREATE_CONTAINER, "creating", e);
}

int step_masks(void *role, struct err *e)
{
	return mount_masks(&((struct child *)role)->mount, e);
}

/* Without a mount namespace of its own a container is only shown another root. */
static int enter_root_directory(struct child *c, struct err *e)
{
	int r = sys_fchdir(c->run->rootfs_dir);

	if (r == 0)
		r = sys_chroot(".");
	return r < 0 ? err_sys(e, -r, c->plan->mount.rootfs, "enter the root") : 0;
}

int step_root_switch(void *role, struct err *e)
{
	struct child *c = role;

	return when_mount_ns(c) ? mount_root_switch(&c->mount, e) : enter_root_directory(c, e);
}

int step_make_cwd(void *role, struct err *e)
{
	(void)e;
	proc_cwd_make(&((struct child *)role)->plan->proc);
	return 0;
}

int step_mount_finish(void *role, struct err *e)
{
	return mount_finish(&((struct child *)role)->mount, e);
}

int step_names(void *role, struct err *e)
{
	return proc_names(&((struct child *)role)->plan->proc, e);
}

/*
 * After the hooks, which may make the devices that a key names; before the masks: in a user
 * namespace the kernel gives a new procfs only to those who see one with nothing hidden.
 */
int step_sysctls(void *role, struct err *e)
{
	auto_fd full = mount_proc_full(e);

	if (full < 0)
		return full;
	return proc_sysctls(&((struct child *)role)->plan->proc, full, e);
}

/* For step_label(): before the masks and before we lose what opening it needs. */
int step_label_proc(void *role, struct err *e)
{
	int r = mount_proc(&((struct child *)role)->mount, e);

	return r < 0 ? r : 0;
}

int step_sched(void *role, struct err *e)
{
	const struct child *c = role;

	if (!c->run->sets_priorities && proc_priorities(&c->plan->proc, 0, e) < 0)
		return -e->code;
	return proc_policies(&c->plan->proc, e);
}

int step_inherited(void *role, struct err *e)
{
	return proc_reset_inherited(&((struct child *)role)->plan->proc, e);
}

int step_bounding(void *role, struct err *e)
{
	return sec_bounding_apply(&((struct child *)role)->plan->sec, e);
}

int step_no_new_privs(void *role, struct err *e)
{
	int r = sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);

	(void)role;
	return r < 0 ? err_sys(e, -r, NULL, "set no_new_privs") : 0;
}

int step_environment(void *role, struct err *e)
{
	struct child *c = role;

	return proc_env(c->arena, &c->plan->proc, c->plan->options.listen_fds,
			c->plan->options.listen_names, &c->env, e);
}

/* As root, who may make what is missing and enter what the user may not. */
int step_early_cwd(void *role, struct err *e)
{
	struct child *c = role;

	return proc_cwd_early(&c->plan->proc, &c->cwd_done, e);
}

int step_ids(void *role, struct err *e)
{
	int r = proc_ids(&((struct child *)role)->plan->proc, e);

	return r < 0 ? r : forbid_tracing(e);
}

int step_cwd(void *role, struct err *e)
{
	return proc_cwd(&((struct child *)role)->plan->proc, e);
}

bool when_program(const void *role)
{
	return ((const struct child *)role)->plan->proc.n_args > 0;
}

bool when_no_program(const void *role)
{
	return !when_program(role);
}

/* config.md: process may be missing at create, but is required when start is called. */
int step_no_program(void *role, struct err *e)
{
	(void)role;
	return err_user(e, "process", "config.json: process is missing");
}

int step_program(void *role, struct err *e)
{
	struct child *c = role;

	return proc_find_exec(c->arena, &c->plan->proc, &c->exec_path, e);
}

int step_park_caps(void *role, struct err *e)
{
	struct child *c = role;

	return sec_caps_park(&c->plan->sec, when_filter_first(c), e);
}

int step_rlimits(void *role, struct err *e)
{
	return proc_rlimits(&((struct child *)role)->plan->proc, e);
}

static int compare_ints(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

void child_close_except(const struct child *c, int *keep, size_t n)
{
	unsigned next = STDIO_FDS + c->plan->options.preserve_fds + c->plan->options.listen_fds;

	qsort(keep, n, sizeof(keep[0]), compare_ints);
	for (size_t i = 0; i < n; i++) {
		if (keep[i] < 0 || (unsigned)keep[i] < next)
			continue;
		if ((unsigned)keep[i] > next)
			sys_close_range(next, (unsigned)keep[i] - 1, 0);
		next = (unsigned)keep[i] + 1;
	}
	sys_close_range(next, ~0U, 0);
}

/*
 * Close all but stdio, the preserved descriptors and what the last steps need: now, so
 * that a created container that waits for days holds nothing of the host.
 */
int step_close(void *role, struct err *e)
{
	struct child *c = role;
	struct hook_fds hooks = when_start_hooks(c) ? c->run->hooks : HOOK_FDS_NONE;
	int proc = when_label(c) ? c->mount.proc : -1;
	int keep[] = { c->up, c->run->gate, proc, c->landlock, hooks.out, hooks.err };
	unsigned end = STDIO_FDS + c->plan->options.preserve_fds + c->plan->options.listen_fds;

	(void)e;
	fd_defer(false);
	child_close_except(c, keep, COUNT(keep));
	/* Only what was inherited survives the exec; the rest was none (check_descriptors()). */
	for (int fd = STDIO_FDS; fd < (int)end; fd++)
		if (sys_fcntl(fd, F_GETFD, 0) == FD_CLOEXEC)
			fd_close(&(int){ fd });
	return 0;
}

/* --- steps after the gate -------------------------------------------------------------------- */

int step_start_hooks(void *role, struct err *e)
{
	return run_hooks(role, HOOK_START_CONTAINER, "created", e);
}

int step_label(void *role, struct err *e)
{
	struct child *c = role;

	return sec_label_exec(&c->plan->sec, c->mount.proc, e);
}

int step_filter(void *role, struct err *e)
{
	struct child *c = role;
	bool no_new_privs = c->plan->sec.no_new_privileges;
	int r = no_new_privs ? 0 : sec_caps_raise_admin(e);

	if (r < 0)
		return r;
	if (c->run->filter.listener_path)
		return handover_load(c->peer, &c->run->filter, no_new_privs, e);
	r = seccomp_filter_load(&c->run->filter, no_new_privs, e);
	return r < 0 ? r : 0;
}

int step_caps(void *role, struct err *e)
{
	return sec_caps_apply(&((struct child *)role)->plan->sec, e);
}

int step_announce(void *role, struct err *e)
{
	struct child *c = role;
	int r = channel_send(c->peer, MSG_EXEC, 0, -1);

	return r < 0 ? err_sys(e, -r, NULL, "announce the exec") : 0;
}
