/* SPDX-License-Identifier: Apache-2.0 */
/*
 * middle - joins and unshares namespaces, clones init, and is gone
 *
 * Entering a pid namespace takes a child, and so does a time namespace with offsets;
 * a user namespace must exist before the others so that it owns them. init is made
 * as the parent's child (CLONE_PARENT), born in its cgroup, with a pidfd from its
 * first moment.
 *
 * Should: leave a single init behind that waits for GO. Must not: change ids but for groups
 * (the cgroup may be entered with the caller's own rights only), touch mounts.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "run/child.h"
#include "sys/sys.h"

static int ask_map_ids(void *role, struct err *e)
{
	return child_ask(role, MSG_MAP_IDS, 0, -1, NULL, e);
}

/* createContainer hooks start where the others do; afterwards we might not get there. */
static int step_bundle(void *role, struct err *e)
{
	struct child *c = role;
	int r = sys_fchdir(c->run->hooks.dir);

	return r < 0 ? err_sys(e, -r, c->plan->spec->bundle, "enter the bundle") : 0;
}

/*
 * A user namespace that a user made may deny setgroups(2) for ever. Its owner has every right over
 * who comes in, and would have root's groups of him. EPERM: nor may our caller call it.
 */
static int step_groups(void *role, struct err *e)
{
	int r = sys_setgroups(0, NULL);

	(void)role;
	return r < 0 && r != -EPERM ? err_sys(e, -r, NULL, "drop the caller's groups") : 0;
}

static int step_join(void *role, struct err *e)
{
	struct child *c = role;

	return ns_join_before_user(&c->run->ns, e);
}

static int step_user(void *role, struct err *e)
{
	struct child *c = role;

	return ns_enter_user(&c->run->ns, e);
}

static int step_join_rest(void *role, struct err *e)
{
	struct child *c = role;

	return ns_join_rest(&c->run->ns, e);
}

static int step_time(void *role, struct err *e)
{
	struct child *c = role;

	return ns_enter_time(&c->run->ns, e);
}

/* We are in the container's cgroup, and init will be below it. */
static int step_early_cgroup_ns(void *role, struct err *e)
{
	struct child *c = role;

	return ns_enter_cgroup(&c->run->ns, e);
}

/*
 * A process that is born in a pid namespace which others are in already is visible to
 * them: what it holds of the host must be gone by then (CVE-2016-9962).
 */
static int step_forget_host(void *role, struct err *e)
{
	struct child *c = role;
	struct run *r = c->run;
	/* what hooks write to are no directories, and open for appending alone */
	int keep[7 + COUNT(r->ns.join)] = { c->up,     r->gate,	     r->rootfs_tree,
					    c->cgroup, r->hooks.out, r->hooks.err,
					    -1 };
	size_t n = 7;

	(void)e;
	if (!c->plan->mount.has_ns)
		keep[6] = r->rootfs_dir;
	for (size_t i = 0; i < r->ns.n_join; i++)
		keep[n++] = r->ns.join[i].fd;
	child_close_except(c, keep, n);
	return 0;
}

static int step_forget_host_for_exec(void *role, struct err *e)
{
	struct child *c = role;
	int keep[] = { c->up, -1, c->run->options.exec->pidfd, c->run->rootfs_dir, c->run->gate };

	if (run_cut_off(c->run, &c->cgroup, e) < 0)
		return -e->code;
	keep[1] = c->cgroup;
	child_close_except(c, keep, COUNT(keep));
	return 0;
}

/*
 * All at once, in the order that the kernel knows. The cgroup namespace is left to
 * exec-init: whoever clones into a cgroup must see it from where they stand.
 */
static int step_enter_container(void *role, struct err *e)
{
	struct child *c = role;
	const struct run_exec *exec = c->run->options.exec;
	int r = sys_setns(exec->pidfd, (int)(exec->namespaces & ~(uint64_t)CLONE_NEWCGROUP));

	if (r == 0)
		return 0;
	err_sys(e, -r, NULL, "join the container's namespaces");
	return r == -EPERM ? err_note(e, "the caller's user namespace has no rights over them")
			   : -e->code;
}

/* Before we are in the cgroup, whose cpuset may say otherwise: config.md, execCPUAffinity. */
static int step_affinity(void *role, struct err *e)
{
	struct child *c = role;

	return proc_affinity_initial(&c->plan->proc, 0, e);
}

/*
 * A v2 cgroup that passes controllers on to nested ones takes no process (cgroups(7), "no
 * internal processes"). If the container's own did so, a further process is born where its
 * init is, unless its caller named the cgroup; if somebody did it before, the container cannot
 * be there.
 */
static pid_t clone_into_cgroup(struct child *c, struct clone_args *args, struct err *e)
{
	const struct run_exec *exec = c->run->options.exec;
	pid_t pid;

	if (c->cgroup >= 0) {
		args->flags |= CLONE_INTO_CGROUP;
		args->cgroup = (uint64_t)c->cgroup;
	}
	pid = sys_clone3(args, sizeof(*args));
	if (pid == -EBUSY && c->cgroup >= 0 && (!exec || exec->cgroup))
		return err_sys(e, EBUSY, exec ? exec->cgroup : c->plan->cgroup.dirs[0].path,
			       "clone init into a cgroup that passes controllers on:");
	if (pid != -EBUSY || c->cgroup < 0)
		return pid < 0 ? err_sys(e, -pid, NULL, "clone init") : pid;
	fd_close(&c->cgroup);
	if (child_ask(c, MSG_CGROUP, 0, -1, &c->cgroup, e) < 0)
		return -e->code;
	args->cgroup = (uint64_t)c->cgroup;
	pid = sys_clone3(args, sizeof(*args));
	return pid < 0 ? err_sys(e, -pid, NULL, "clone init") : pid;
}

static int step_clone_init(void *role, struct err *e)
{
	struct child *c = role;
	int pidfd = -1; /* closed by our end, which comes next */
	struct clone_args args = {
		.flags = CLONE_PARENT | CLONE_PIDFD | CLONE_PARENT_SETTID | c->plan->ns.clone_flags,
		.pidfd = (uintptr_t)&pidfd,
		/* If we do not live to report it, the parent finds its child here. */
		.parent_tid = (uintptr_t)&c->run->progress->init,
		/* With CLONE_PARENT the exit signal is the middle's own, SIGCHLD. */
		.exit_signal = 0,
	};
	pid_t pid;
	int r;

	pid = clone_into_cgroup(c, &args, e);
	if (pid == 0) {
		fd_close(&c->cgroup); /* others may see us from here on */
		c->run->options.exec ? exec_init_main(c) : init_main(c);
	}
	if (pid < 0)
		return pid;
	r = channel_send(c->up, MSG_INIT, pid, pidfd);
	return r < 0 ? err_sys(e, -r, NULL, "report init") : 0;
}

static bool has_joins(const void *role)
{
	return ((const struct child *)role)->run->ns.n_join > 0;
}

static bool has_user(const void *role)
{
	const struct child *c = role;

	return c->plan->ns.new_user || c->plan->ns.join_user;
}

static bool root_joins_user(const void *role)
{
	const struct child *c = role;
	const struct run_exec *exec = c->run->options.exec;
	bool joins = exec ? exec->namespaces & CLONE_NEWUSER : c->plan->ns.join_user;

	return joins && !c->plan->proc.keep_groups && geteuid() == 0;
}

static bool makes_user(const void *role)
{
	return ((const struct child *)role)->plan->ns.new_user;
}

static bool makes_time(const void *role)
{
	return ((const struct child *)role)->plan->ns.create & CLONE_NEWTIME;
}

static bool makes_cgroup_early(const void *role)
{
	return ((const struct child *)role)->plan->ns.early_cgroup;
}

static bool shares_pid(const void *role)
{
	return !(((const struct child *)role)->plan->ns.create & CLONE_NEWPID);
}

static bool has_create_hooks(const void *role)
{
	return ((const struct child *)role)->plan->hooks.n[HOOK_CREATE_CONTAINER] > 0;
}

static bool has_initial_affinity(const void *role)
{
	return ((const struct child *)role)->plan->proc.exec_initial.n_words > 0;
}

static bool wants_cores(const void *role)
{
	return proc_wants_cores(&((const struct child *)role)->plan->proc);
}

static int step_cores(void *role, struct err *e)
{
	const struct child *c = role;
	const struct run_exec *exec = c->run->options.exec;

	return proc_core_scheduling(&c->plan->proc, exec ? exec->pid : 0, e);
}

static int step_scheduling(void *role, struct err *e)
{
	(void)role;
	(void)e;
	proc_reset_sched();
	return 0;
}

static bool has_oom_score(const void *role)
{
	return ((const struct child *)role)->plan->proc.process->has_oom_score_adj;
}

/*
 * Of ourselves, and init is born with it: the files of a non-dumpable process are root's, and
 * nobody could make exec-init, which the container sees, a dumpable one. We are while we have
 * entered nothing, so that who may trace us is who may trace the caller.
 */
static int step_oom_score(void *role, struct err *e)
{
	struct child *c = role;
	bool is_user = geteuid() != 0;
	int r;

	if (is_user)
		sys_prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	r = proc_oom_score(&c->plan->proc, c->run->proc.fd, getpid(), e);
	if (is_user)
		sys_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	return r;
}

static const struct step middle_steps[] = {
	{ "oom-score", has_oom_score, step_oom_score },
	{ "scheduling", NULL, step_scheduling },
	{ "core-scheduling", wants_cores, step_cores },
	{ "bundle", has_create_hooks, step_bundle },
	{ "groups", root_joins_user, step_groups },
	{ "join-namespaces", has_joins, step_join },
	{ "user-namespace", has_user, step_user },
	{ "map-ids", makes_user, ask_map_ids },
	{ "join-owned-namespaces", has_joins, step_join_rest },
	{ "time-namespace", makes_time, step_time },
	{ "cgroup-namespace", makes_cgroup_early, step_early_cgroup_ns },
	{ "forget-host", shares_pid, step_forget_host },
	{ "clone-init", NULL, step_clone_init },
};

static const struct step exec_middle_steps[] = {
	{ "oom-score", has_oom_score, step_oom_score },
	{ "scheduling", NULL, step_scheduling },
	{ "core-scheduling", wants_cores, step_cores },
	{ "forget-host", NULL, step_forget_host_for_exec },
	{ "affinity", has_initial_affinity, step_affinity },
	{ "groups", root_joins_user, step_groups },
	{ "enter-container", NULL, step_enter_container },
	{ "clone-init", NULL, step_clone_init },
};

int child_ask(struct child *c, enum msg_type type, int64_t number, int send_fd, int *ret_fd,
	      struct err *e)
{
	struct msg m = { .type = MSG_NONE };
	auto_fd fd = -1;
	int r = channel_send(c->up, type, number, send_fd);

	if (r == 0)
		r = channel_recv(c->up, &m, &fd, e);
	if (r == 0 || r == -EPIPE || r == -ECONNRESET)
		_exit(EXIT_FAILURE); /* the parent is gone, or knows why and we do not */
	if (r < 0)
		return e->code ? -e->code
			       : err_sys(e, -r, NULL, "ask the parent for '%s'",
					 msg_type_name(type));
	if (m.type != MSG_OK)
		return err_code(e, EPROTO, NULL, "unexpected message '%s' from the parent",
				msg_type_name(m.type));
	if (ret_fd)
		*ret_fd = fd_take(&fd);
	return (int)m.number;
}

void child_fail(int sock, struct err *e)
{
	/* we have the limit that it is about: the parent's is another when the container's is set */
	if (e->code == EMFILE)
		run_explain_quota(NULL, e);
	channel_send_err(sock, e);
	_exit(EXIT_FAILURE);
}

static void log_up(void *arg, enum log_level level, const char *text)
{
	struct child *c = arg;

	channel_send_log(c->peer, (int)level, text);
}

/*
 * Whoever may trace us in a container could read in /proc/PID/environ what our caller has there,
 * which is no business of containers. What the program will get, and what is ours, stays.
 */
static void forget_environment(void)
{
	for (char **v = environ; v && *v; v++)
		if (!str_starts(*v, "LISTEN_FDNAMES=") && !str_starts(*v, "CLEAT_"))
			explicit_bzero(*v, strlen(*v));
}

void middle_main(struct child *c)
{
	bool exec = c->run->options.exec;
	struct err e = { 0 };

	forget_environment();
	log_set_sink(log_up, c);
	if (steps_run(exec ? exec_middle_steps : middle_steps,
		      exec ? COUNT(exec_middle_steps) : COUNT(middle_steps), ROLE_MIDDLE, c,
		      c->run->progress, &e) < 0)
		child_fail(c->up, &e);
	_exit(EXIT_SUCCESS);
}
