/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parent - serves middle and init until the container is at the gate
 *
 * A server of typed messages, not a counter of sync steps: serve.c has
 * their table. Nothing blocks for ever: the channel ends when the processes at its
 * other end do, and until init is known the middle's own end is watched as well, since
 * an init that it could not report holds the channel and waits for us. Whatever goes
 * wrong, both children are dead and reaped when run_create() returns.
 */
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/interrupt.h"
#include "base/log.h"
#include "base/str.h"
#include "run/child.h"
#include "run/gate.h"
#include "run/parent.h"
#include "sys/sys.h"

/* --- deaths ------------------------------------------------------------------------------------ */

#define REAP_TEXT_MAX 48

/* Wait for the end of the process of @pidfd, which is closed; in @buf how it was. */
static void parent_reap(int *pidfd, char buf[REAP_TEXT_MAX])
{
	siginfo_t si = { 0 };

	if (sys_waitid_pidfd(*pidfd, &si, WEXITED | __WALL) < 0)
		str_copy(buf, REAP_TEXT_MAX, "was lost");
	else if (si.si_code == CLD_EXITED)
		snprintf(buf, REAP_TEXT_MAX, "exited with status %d", si.si_status);
	else
		snprintf(buf, REAP_TEXT_MAX, "was killed by signal %d", si.si_status);
	fd_close(pidfd);
}

/* In runc's words, which scripts look for. */
#define INIT_OOM "container init was OOM-killed (memory limit too low?): "

int parent_silent_death(struct parent *p, struct err *e)
{
	const struct run_progress *page = p->run->progress;
	char how[REAP_TEXT_MAX], step[sizeof(page->step)];
	int *pidfd = p->run->pidfd >= 0 ? &p->run->pidfd : &p->middle;
	int64_t limit, peak;

	str_copy(step, sizeof(step), page->step[0] ? (const char *)page->step : "start");
	parent_reap(pidfd, how);
	err_code(e, ECHILD, NULL, "%s %s in step '%s'", run_role_name((enum run_role)page->role),
		 how, step);
	err_set_id(e, "init-died");
	if (p->run->cgroup && cgroup_oom_killed(p->run->cgroup, &limit, &peak))
		err_note(e, "%sout of memory (limit %lld, peak %lld)",
			 page->role == ROLE_EXEC ? "" : INIT_OOM, (long long)limit,
			 (long long)peak);
	return -e->code;
}

static void kill_and_reap(int *pidfd)
{
	char how[REAP_TEXT_MAX];

	if (*pidfd < 0)
		return;
	sys_pidfd_send_signal(*pidfd, SIGKILL);
	parent_reap(pidfd, how);
}

/*
 * An init that the middle made and did not live to report. It waits for GO; as a child of
 * ours that nobody has reaped its pid is its own. The page is a child's to write, so what
 * it says is believed only of a child.
 */
static void find_unreported_init(struct run *run)
{
	siginfo_t si;

	if (run->pidfd >= 0 || !run->progress->init)
		return;
	run->pidfd = sys_pidfd_open(run->progress->init, 0);
	if (run->pidfd >= 0 &&
	    sys_waitid_pidfd(run->pidfd, &si, WEXITED | WNOHANG | WNOWAIT | __WALL) < 0)
		fd_close(&run->pidfd);
}

void run_abort(struct run *r)
{
	fd_close(&r->channel);
	net_devices_return(&r->net);
	kill_and_reap(&r->pidfd);
	if (!r->options.exec)
		rdt_unmake(&r->rdt, &r->plan->rdt, &r->rdt_made);
	r->rdt_made = (struct rdt_made){ 0 };
}

/* --- the sequence ------------------------------------------------------------------------------ */

static int birth_place(const struct run *run)
{
	if (run->birth >= 0)
		return run->birth;
	return run->cgroup ? cgroup_birth_fd(run->cgroup) : -1;
}

/* The root of a cgroup namespace is where its maker is: above init, if it is the middle. */
static void place_middle(const struct run *run, struct clone_args *args)
{
	if (!run->ns.early_cgroup || !run->cgroup || cgroup_v2_fd(run->cgroup) < 0)
		return;
	args->flags |= CLONE_INTO_CGROUP;
	args->cgroup = (uint64_t)cgroup_v2_fd(run->cgroup);
}

/* A fork that keeps the other end; the child closes ours, or end of file would never come. */
static int fork_middle(struct parent *p, struct err *e)
{
	struct clone_args args = { .flags = CLONE_PIDFD,
				   .exit_signal = SIGCHLD,
				   .pidfd = (uintptr_t)&p->middle };
	int ends[2];
	int r = sys_socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends);

	if (r < 0)
		return err_sys(e, -r, NULL, "make the channel");
	p->run->channel = ends[0];
	place_middle(p->run, &args);
	p->middle_pid = sys_clone3(&args, sizeof(args));
	if (p->middle_pid == 0) {
		struct child c = { .arena = p->arena,
				   .run = p->run,
				   .plan = p->run->plan,
				   .up = ends[1],
				   .peer = ends[1],
				   .slave = -1,
				   .landlock = -1,
				   .cgroup = birth_place(p->run) };

		fd_close(&p->run->channel);
		interrupt_by(-1);
		middle_main(&c);
	}
	fd_close(&ends[1]);
	if (p->middle_pid == -EBUSY && (args.flags & CLONE_INTO_CGROUP))
		return err_sys(
			e, EBUSY, p->run->plan->cgroup.dirs[0].path,
			"clone the middle process into a cgroup that passes controllers on:");
	if (p->middle_pid < 0)
		return err_sys(e, (int)-p->middle_pid, NULL, "clone the middle process");
	return 0;
}

/* A message to read, or the middle's end without one more. */
static int wait_for_middle(const struct parent *p, struct err *e)
{
	struct pollfd fds[] = { { .fd = p->run->channel, .events = POLLIN },
				{ .fd = p->middle, .events = POLLIN } };
	int r = sys_ppoll(fds, COUNT(fds), -1);

	/* its last message may have come between the two looks */
	if (r > 0 && !fds[0].revents)
		r = sys_ppoll(fds, 1, 0);
	return r < 0 ? err_sys(e, -r, NULL, "wait for the middle process") : r;
}

/* Until init is born and the middle is gone. */
static int bring_to_birth(struct parent *p, struct err *e)
{
	char how[REAP_TEXT_MAX];
	int r = 0;

	while (r == 0 && p->run->pidfd < 0) {
		r = wait_for_middle(p, e);
		if (r >= 0)
			r = r > 0 ? parent_serve(p, e) : parent_silent_death(p, e);
	}
	if (r == 0)
		parent_reap(&p->middle, how);
	return r;
}

/* Everything that a container's processes start is in the group as well. */
static int resctrl_group(struct parent *p, struct err *e)
{
	struct run *run = p->run;
	const struct rdt_plan *plan = &run->plan->rdt;
	int r = 0;

	if (!run->options.exec)
		r = rdt_make(p->arena, &run->rdt, plan, &run->rdt_made, e);
	return r < 0 ? r : rdt_join(&run->rdt, plan, run->pid, e);
}

static int network_devices(struct parent *p, struct err *e)
{
	struct run *run = p->run;
	int r;

	if (run->options.exec || !run->plan->net.n_devices)
		return 0;
	r = parent_proc(run, e);
	return r < 0 ? r
		     : net_devices_move(p->arena, &run->plan->net, &run->proc, run->pid, &run->net,
					e);
}

/* init exists and waits: what must be true of it before it acts. */
static int place_init(struct parent *p, struct err *e)
{
	struct run *run = p->run;
	int r = 0;

	if (run->cgroup && cgroup_needs_join(run->cgroup))
		r = cgroup_join(run->cgroup, run->pid, e);
	if (r == 0 && run->cgroup && !run->options.exec)
		r = cgroup_apply_late(run->cgroup, &run->plan->cgroup, e);
	if (r == 0 && run->callbacks.identity)
		r = run->callbacks.identity(run->callbacks.arg, run->pid, run->pidfd, e);
	if (r == 0)
		r = resctrl_group(p, e);
	if (r == 0)
		r = network_devices(p, e);
	if (r == 0) {
		r = channel_send(run->channel, MSG_GO, 0, -1);
		if (r == -EPIPE)
			r = parent_silent_death(p, e);
		else if (r < 0)
			r = err_sys(e, -r, NULL, "send GO to init");
	}
	return r;
}

static int bring_to_gate(struct parent *p, struct err *e)
{
	int r = 0;

	while (r == 0 && p->phase != PHASE_GATE)
		r = parent_serve(p, e);
	return r;
}

/* Before create returns: the caller may look for it then. The words are runc's. */
static int hand_out_pidfd(struct run *run, struct err *e)
{
	const char *word = run->options.exec ? "setns" : "standard";
	ssize_t n;

	if (run->pidfd_socket < 0)
		return 0;
	n = sys_send_fds(run->pidfd_socket, word, strlen(word), &run->pidfd, 1, MSG_NOSIGNAL);
	if (n < 0)
		return err_sys(e, (int)-n, run->options.pidfd_socket, "send the pidfd to");
	fd_close(&run->pidfd_socket);
	return 0;
}

int run_create(struct arena *a, struct run *run, struct err *e)
{
	struct parent p = { .arena = a, .run = run, .phase = PHASE_BIRTH, .middle = -1 };
	int r = 0;

	sys_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (run->options.gate) {
		run->gate = gate_make(&run->state_dir, run->options.gate, e);
		r = run->gate < 0 ? run->gate : 0;
	}
	if (r == 0 && run->plan->proc.process->has_oom_score_adj)
		r = parent_proc(run, e); /* for the middle */
	if (r == 0)
		r = fork_middle(&p, e);
	if (r == 0)
		r = bring_to_birth(&p, e);
	if (r == 0)
		r = place_init(&p, e);
	p.phase = PHASE_SETUP;
	if (r == 0)
		r = bring_to_gate(&p, e);
	if (r == 0)
		r = run->callbacks.created(run->callbacks.arg, e);
	if (r == 0)
		r = hand_out_pidfd(run, e);
	if (r < 0) {
		kill_and_reap(&p.middle);
		find_unreported_init(run);
		run_explain_quota(run, e);
		run_abort(run);
		return e->code ? -e->code : r;
	}
	fd_close(&run->gate);
	return 0;
}

int run_release(struct run *run, struct err *e)
{
	int r = channel_send(run->channel, MSG_START, 0, -1);

	if (r < 0 && r != -EPIPE)
		return err_sys(e, -r, NULL, "ask init to start");
	r = run_await(run, HOOK_START_CONTAINER, e);
	if (r == 0)
		r = gate_outcome(run->channel, run->pidfd, &run->callbacks.listener, e);
	fd_close(&run->channel);
	return r;
}
