/* SPDX-License-Identifier: Apache-2.0 */
/* run - create, start, stay, delete */
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/log.h"
#include "container/internal.h"
#include "sys/sys.h"

/* What a shell reports for a process that SIGKILL ended. */
#define STATUS_KILLED (128 + SIGKILL)

/*
 * The exit status alone would not tell why. The counter does not say whom it is about: it can be
 * another process, and somebody else who killed init. No failure of ours in any case.
 */
static void report_oom(const struct creation *m)
{
	int64_t limit = -1, peak = -1;
	struct err e = { 0 };

	if (!m->cgroup || !cgroup_oom_killed(m->cgroup, &limit, &peak))
		return;
	err_code(
		&e, ENOMEM, m->c.id,
		"container '%s': a process in it was killed: out of memory (limit %lld, peak %lld)",
		m->c.id, (long long)limit, (long long)peak);
	err_set_id(&e, "oom");
	log_notice(&e);
}

/* A filter is in force before the program is, so what it ends at execve has not been one. */
static void report_filter(const struct creation *m)
{
	struct err e = { 0 };

	if (!WIFSIGNALED(m->run.wait_status) || WTERMSIG(m->run.wait_status) != SIGSYS ||
	    !seccomp_kills_exec(&m->run.filter))
		return;
	err_code(&e, EPERM, m->c.id,
		 "container '%s': the program was not run: %s ends whoever calls execve", m->c.id,
		 seccomp_origin(&m->run.filter));
	err_set_id(&e, "seccomp-exec");
	log_error(&e);
}

/* The container has ended; somebody else may have deleted it meanwhile. */
static int clean_up(struct creation *m, struct err *e)
{
	int r = lock_wait(m->arena, m->c.dir.fd, m->c.id, "delete", CONTAINER_DEADLINE_MS, e);

	if (r < 0)
		return r;
	m->c.lock = m->c.dir.fd;
	return container_was_removed(&m->c) ? 0 : container_destroy(m->arena, &m->c, e);
}

/*
 * Without a pid namespace of its own what the container leaves behind would go to whoever
 * reaps for our caller: it is ours to reap, unless the caller wants it (prctl(2)).
 */
static int adopt(const struct creation *m, struct err *e)
{
	int r;

	if (m->options->no_subreaper || m->plan->ns.create & CLONE_NEWPID)
		return 0;
	r = sys_prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	return r < 0 ? err_sys(e, -r, NULL, "become a subreaper") : 0;
}

int creation_stay(struct creation *m, int *ret_status, struct err *e)
{
	int status;
	int r;

	lock_drop(m->c.lock);
	m->c.lock = -1;
	r = run_attach(m->arena, &m->run, &status, e);
	if (r < 0)
		return r;
	if (status == STATUS_KILLED)
		report_oom(m);
	report_filter(m);
	/* The end of the process closes all; only the helper of systemd waits for us to hang up. */
	fd_defer(m->plan->cgroup.manager != CGROUP_SYSTEMD);
	if (m->options->keep)
		exit_record(m->arena, &m->c, exit_describe(m->arena, &m->c, m->run.wait_status));
	else if (clean_up(m, e) < 0)
		return -e->code;
	/* What an init without a pid namespace of its own has left to us, if we adopt. */
	if (!(m->plan->ns.create & CLONE_NEWPID))
		run_reap_dead();
	*ret_status = status;
	return 0;
}

int container_run(const struct context *ctx, const struct create_options *o, int *ret_status,
		  struct err *e)
{
	struct notify notify = NOTIFY_NONE;
	const struct run_options how = {
		.foreground = !o->detach,
		.console_socket = o->console_socket,
		.pidfd_socket = o->pidfd_socket,
	};
	struct arena a = arena_make(); /* the process ends where it would be dropped */
	struct creation m;
	int r;

	if (creation_make(&a, &m, ctx, o, &how, e) < 0)
		return -e->code;
	r = notify_open(&m.c, m.notify_target, m.run.pid, &notify, e);
	if (r == 0 && !o->detach)
		r = adopt(&m, e);
	if (r == 0)
		r = run_release(&m.run, e);
	if (r == 0)
		r = container_poststart(&a, &m.plan->hooks, m.spec, &m.c, e);
	if (r < 0) {
		creation_undo(&m);
		return r;
	}
	*ret_status = 0;
	m.run.watch = (struct run_watch){ notify.in, notify_relay, &notify };
	if (o->detach)
		r = creation_leave(&m, &notify, e);
	else
		r = creation_stay(&m, ret_status, e);
	notify_close(&notify);
	creation_close(&m);
	return r;
}
