/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parent - serves middle and init until the container is at the gate
 *
 * A server of typed messages, not a counter of sync steps: `requests` says which
 * message is legal in which phase and who answers it. Nothing blocks for ever: the
 * channel ends when the processes at its other end do. Whatever goes wrong, both
 * children are dead and reaped when run_create() returns.
 */
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "base/trace.h"
#include "run/channel.h"
#include "run/child.h"
#include "run/gate.h"
#include "sys/sys.h"

enum phase { PHASE_BIRTH = 1 << 0, PHASE_SETUP = 1 << 1, PHASE_GATE = 1 << 2 };

struct parent {
	struct arena *arena;
	struct run *run;
	enum phase phase;
	int middle; /* pidfd; -1 once it was reaped */
	pid_t middle_pid;
};

/* --- preparation ------------------------------------------------------------------------------ */

static int progress_make(struct run *r, struct err *e)
{
	void *page = mmap(NULL, sizeof(struct run_progress), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return err_sys(e, errno, NULL, "map the progress page");
	r->progress = page;
	return 0;
}

static int console_prepare(struct run *r, struct err *e)
{
	bool terminal = r->plan->proc.process->terminal;

	if (r->options.console_socket && !terminal)
		return err_user(e, r->options.console_socket,
				"--console-socket was given, but process.terminal is not set");
	if (r->options.console_socket)
		return term_connect(r->options.console_socket, &r->console, e);
	if (terminal && !r->options.foreground)
		return err_user(
			e, "process.terminal",
			"process.terminal needs --console-socket when the container is detached");
	return 0;
}

/* The initial values of a run; descriptors are empty. */
static void run_init(struct run *r)
{
	r->pidfd = r->channel = r->gate = r->console = r->master = -1;
	r->rootfs_tree = r->rootfs_dir = r->userns = -1;
	r->proc = DIR_NONE;
	r->ns = r->plan->ns;
}

/* What the new container is made of. */
static int world_open(struct run *r, struct err *e)
{
	int ret = mount_rootfs_open(&r->plan->mount, &r->rootfs_tree, &r->rootfs_dir, e);

	return ret < 0 ? ret : ns_open(&r->ns, e);
}

/* A container without a mount namespace of its own is entered through its init's root. */
static int exec_root_open(struct run *r, struct err *e)
{
	char path[48];

	if (r->options.exec->namespaces & CLONE_NEWNS)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/root", (int)r->options.exec->pid);
	r->rootfs_dir = sys_open(path, O_PATH | O_DIRECTORY, 0);
	return r->rootfs_dir < 0 ? err_sys(e, -r->rootfs_dir, path, "open the container's root")
				 : 0;
}

int run_prepare(struct arena *a, struct run *r, struct err *e)
{
	const struct plan *p = r->plan;
	int ret;

	run_init(r);
	ret = r->options.exec ? exec_root_open(r, e) : world_open(r, e);
	if (ret == 0)
		ret = sec_labels_check(&p->sec, e);
	if (ret == 0 && p->sec.seccomp)
		ret = seccomp_compile(a, p->sec.seccomp, &r->filter, e);
	if (ret == 0)
		ret = console_prepare(r, e);
	if (ret == 0)
		ret = progress_make(r, e);
	return ret;
}

/*
 * A procfs that nobody can have covered or redirected: a detached one; an
 * unprivileged caller, who may not make it, gets the host's, checked to be one.
 */
static int parent_proc(struct run *r, struct err *e)
{
	struct err ignored = { 0 };
	struct statfs fs;

	if (r->proc.fd >= 0)
		return 0;
	r->proc.name = "/proc";
	r->proc.fd = mount_proc_full(&ignored);
	if (r->proc.fd >= 0)
		return 0;
	r->proc.fd = sys_open("/proc", O_PATH | O_DIRECTORY, 0);
	if (r->proc.fd < 0)
		return err_sys(e, -r->proc.fd, "/proc", "open");
	if (sys_fstatfs(r->proc.fd, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC) {
		dir_close(&r->proc);
		return err_code(e, EXDEV, "/proc", "/proc is not a procfs");
	}
	return 0;
}

/* --- what the children ask for ---------------------------------------------------------------- */

static int answer(struct parent *p, int64_t number, int fd, struct err *e)
{
	int r = channel_send(p->run->channel, MSG_OK, number, fd);

	/* A child that is gone has said why, or will be found dead by the caller's next read. */
	return r < 0 && r != -EPIPE ? err_sys(e, -r, NULL, "answer init") : 0;
}

static int serve_map_ids(struct parent *p, const struct msg *m, int *fd, struct err *e)
{
	int r = parent_proc(p->run, e);

	(void)m;
	(void)fd;
	if (r == 0)
		r = ns_map_ids(&p->run->ns, &p->run->proc, p->middle_pid, e);
	return r < 0 ? r : answer(p, 0, -1, e);
}

static int serve_init(struct parent *p, const struct msg *m, int *fd, struct err *e)
{
	if (*fd < 0 || m->number <= 0 || p->run->pidfd >= 0)
		return err_code(e, EPROTO, NULL, "a broken report of init's birth");
	p->run->pid = (pid_t)m->number;
	p->run->pidfd = fd_take(fd);
	return 0;
}

/* The container's user namespace, which id-mapped mounts refer to. */
static int parent_userns(struct run *r, struct err *e)
{
	char name[48];
	int ret = parent_proc(r, e);

	if (ret < 0 || r->userns >= 0)
		return ret;
	snprintf(name, sizeof(name), "%d/ns/user", (int)r->pid);
	r->userns = sys_openat(r->proc.fd, name, O_RDONLY, 0);
	return r->userns < 0 ? err_sys(e, -r->userns, name, "open the user namespace") : 0;
}

static int serve_source(struct parent *p, const struct msg *m, int *fd, struct err *e)
{
	const struct mount_plan *plan = &p->run->plan->mount;
	auto_fd tree = -1;
	int r;

	(void)fd;
	if (m->number < 0 || (size_t)m->number >= plan->n_ops)
		return err_code(e, EPROTO, NULL, "a request for a mount that is not planned");
	r = parent_userns(p->run, e);
	if (r < 0)
		return r;
	r = mount_source_open(&plan->ops[m->number], p->run->userns, &tree, e);
	if (r < 0 && r != -EPERM)
		return r;
	/* What we may not clone (no privileges), init may in a namespace of its own. */
	if (r < 0)
		err_clear(e);
	return answer(p, r, tree, e);
}

static int serve_hooks(struct parent *p, const struct msg *m, int *fd, struct err *e)
{
	const struct plan *plan = p->run->plan;
	auto_fd bundle = sys_open(plan->spec->bundle, O_PATH | O_DIRECTORY, 0);
	const char *state = hook_state(p->arena, plan->spec, plan->options.id, "creating",
				       p->run->pid, plan->spec->bundle);
	int r;

	(void)m;
	(void)fd;
	if (bundle < 0)
		return err_sys(e, -bundle, plan->spec->bundle, "open the bundle");
	r = hook_run_all(&plan->hooks, HOOK_PRESTART, state, bundle, e);
	if (r == 0)
		r = hook_run_all(&plan->hooks, HOOK_CREATE_RUNTIME, state, bundle, e);
	return r < 0 ? r : answer(p, 0, -1, e);
}

static int serve_console(struct parent *p, const struct msg *m, int *fd, struct err *e)
{
	int r = 0;

	(void)m;
	if (*fd < 0)
		return err_code(e, EPROTO, NULL, "a terminal without a descriptor");
	if (p->run->console >= 0)
		r = term_send(p->run->console, *fd, e);
	else
		p->run->master = fd_take(fd);
	return r < 0 ? r : answer(p, 0, -1, e);
}

static int serve_ready(struct parent *p, const struct msg *m, int *fd, struct err *e)
{
	(void)m;
	(void)fd;
	(void)e;
	p->phase = PHASE_GATE;
	return 0;
}

static int serve_log(struct parent *p, const struct msg *m, int *fd, struct err *e)
{
	(void)p;
	(void)fd;
	(void)e;
	log_line((enum log_level)m->number, "%s", m->text);
	return 0;
}

static int serve_error(struct parent *p, const struct msg *m, int *fd, struct err *e)
{
	(void)p;
	(void)fd;
	*e = m->err;
	return -e->code;
}

static const struct request {
	enum msg_type type;
	unsigned phases;
	int (*serve)(struct parent *p, const struct msg *m, int *fd, struct err *e);
} requests[] = {
	{ MSG_MAP_IDS, PHASE_BIRTH, serve_map_ids },
	{ MSG_INIT, PHASE_BIRTH, serve_init },
	{ MSG_SOURCE, PHASE_SETUP, serve_source },
	{ MSG_HOOKS, PHASE_SETUP, serve_hooks },
	{ MSG_CONSOLE, PHASE_SETUP, serve_console },
	{ MSG_READY, PHASE_SETUP, serve_ready },
	{ MSG_LOG, PHASE_BIRTH | PHASE_SETUP, serve_log },
	{ MSG_ERROR, PHASE_BIRTH | PHASE_SETUP, serve_error },
};

static int serve(struct parent *p, const struct msg *m, int *fd, struct err *e)
{
	for (size_t i = 0; i < COUNT(requests); i++)
		if (requests[i].type == m->type && (requests[i].phases & p->phase))
			return requests[i].serve(p, m, fd, e);
	return err_code(e, EPROTO, NULL, "unexpected message '%s'", msg_type_name(m->type));
}

/* --- deaths ------------------------------------------------------------------------------------ */

/* Wait for a child; its text when it did not end well. */
static const char *reap(int *pidfd, char *buf, size_t size)
{
	siginfo_t si = { 0 };

	if (sys_waitid_pidfd(*pidfd, &si, WEXITED | __WALL) < 0)
		str_copy(buf, size, "was lost");
	else if (si.si_code == CLD_EXITED)
		snprintf(buf, size, "exited with status %d", si.si_status);
	else
		snprintf(buf, size, "was killed by signal %d", si.si_status);
	fd_close(pidfd);
	return buf;
}

/* The channel closed without a report: the shared page knows how far they came. */
static int silent_death(struct parent *p, struct err *e)
{
	const struct run_progress *page = p->run->progress;
	char how[48], step[sizeof(page->step)];
	int *pidfd = p->run->pidfd >= 0 ? &p->run->pidfd : &p->middle;
	int64_t limit, peak;

	str_copy(step, sizeof(step), page->step[0] ? page->step : "start");
	reap(pidfd, how, sizeof(how));
	err_code(e, ECHILD, NULL, "%s %s in step '%s'", run_role_name((enum run_role)page->role),
		 how, step);
	if (p->run->cgroup && cgroup_oom_killed(p->run->cgroup, &limit, &peak))
		err_note(e, "out of memory (limit %lld, peak %lld)", (long long)limit,
			 (long long)peak);
	return -e->code;
}

static void kill_and_reap(int *pidfd)
{
	char how[48];

	if (*pidfd < 0)
		return;
	sys_pidfd_send_signal(*pidfd, SIGKILL);
	reap(pidfd, how, sizeof(how));
}

void run_abort(struct run *r)
{
	fd_close(&r->channel);
	kill_and_reap(&r->pidfd);
}

/* --- the sequence ------------------------------------------------------------------------------ */

static int serve_one(struct parent *p, struct err *e)
{
	struct msg m;
	auto_fd fd = -1;
	int r = channel_recv(p->run->channel, &m, &fd, e);

	if (r < 0)
		return r;
	return r == 0 ? silent_death(p, e) : serve(p, &m, &fd, e);
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
	p->middle_pid = sys_clone3(&args, sizeof(args));
	if (p->middle_pid == 0) {
		struct child c = { .arena = p->arena,
				   .run = p->run,
				   .plan = p->run->plan,
				   .up = ends[1],
				   .peer = ends[1],
				   .slave = -1,
				   .cgroup = p->run->cgroup ? cgroup_v2_fd(p->run->cgroup) : -1 };

		fd_close(&p->run->channel);
		middle_main(&c);
	}
	fd_close(&ends[1]);
	if (p->middle_pid < 0)
		return err_sys(e, (int)-p->middle_pid, NULL, "clone the middle process");
	return 0;
}

/* Until init is born and the middle is gone. */
static int bring_to_birth(struct parent *p, struct err *e)
{
	char how[48];
	int r = 0;

	while (r == 0 && p->run->pidfd < 0)
		r = serve_one(p, e);
	if (r == 0)
		reap(&p->middle, how, sizeof(how));
	return r;
}

static int oom_score(struct parent *p, struct err *e)
{
	int r;

	if (!p->run->plan->proc.process->has_oom_score_adj)
		return 0;
	r = parent_proc(p->run, e);
	return r < 0 ? r : proc_oom_score(&p->run->plan->proc, p->run->proc.fd, p->run->pid, e);
}

/* init exists and waits: what must be true of it before it acts. */
static int place_init(struct parent *p, struct err *e)
{
	struct run *run = p->run;
	int r = 0;

	if (run->cgroup && cgroup_needs_join(run->cgroup))
		r = cgroup_join(run->cgroup, run->pid, e);
	if (r == 0 && run->cgroup)
		r = cgroup_apply_late(run->cgroup, &run->plan->cgroup, e);
	if (r == 0)
		r = oom_score(p, e);
	if (r == 0)
		r = run->callbacks.identity(run->callbacks.arg, run->pid, run->pidfd, e);
	if (r == 0) {
		r = channel_send(run->channel, MSG_GO, 0, -1);
		if (r == -EPIPE)
			r = silent_death(p, e);
		else if (r < 0)
			r = err_sys(e, -r, NULL, "send GO to init");
	}
	return r;
}

static int bring_to_gate(struct parent *p, struct err *e)
{
	int r = 0;

	while (r == 0 && p->phase != PHASE_GATE)
		r = serve_one(p, e);
	return r;
}

int run_create(struct arena *a, struct run *run, struct err *e)
{
	struct parent p = { .arena = a, .run = run, .phase = PHASE_BIRTH, .middle = -1 };
	int r = 0;

	sys_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (run->options.gate) {
		run->gate = gate_make(&run->state_dir, e);
		r = run->gate < 0 ? run->gate : 0;
	}
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
	if (r < 0) {
		kill_and_reap(&p.middle);
		run_abort(run);
		return e->code ? -e->code : r;
	}
	fd_close(&run->gate);
	return 0;
}

int run_release(struct arena *a, struct run *run, struct err *e)
{
	int r = channel_send(run->channel, MSG_START, 0, -1);

	(void)a;
	if (r < 0 && r != -EPIPE)
		return err_sys(e, -r, NULL, "ask init to start");
	r = gate_outcome(run->channel, e);
	fd_close(&run->channel);
	return r;
}

void run_close(struct run *r)
{
	ns_close(&r->ns);
	dir_close(&r->proc);
	fd_close(&r->channel);
	fd_close(&r->gate);
	fd_close(&r->console);
	fd_close(&r->master);
	fd_close(&r->rootfs_tree);
	fd_close(&r->rootfs_dir);
	fd_close(&r->userns);
	fd_close(&r->pidfd);
	if (r->progress)
		munmap(r->progress, sizeof(*r->progress));
	r->progress = NULL;
}
