/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve - what the children ask the parent for
 *
 * `requests` says which message is legal in which phase and who answers it.
 */
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>

#include "base/log.h"
#include "base/str.h"
#include "run/channel.h"
#include "run/parent.h"
#include "run/steps.h"
#include "sys/sys.h"

/*
 * A procfs that nobody can have covered or redirected: a detached one; an
 * unprivileged caller, who may not make it, gets the host's, checked to be one.
 */
int parent_proc(struct run *r, struct err *e)
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
	auto_fd tree = fd_take(fd);
	int r = 0;

	if (m->number < 0 || (size_t)m->number >= plan->n_ops)
		return err_code(e, EPROTO, NULL, "a request for a mount that is not planned");
	/* without privilege it cannot be opened, since init is non-dumpable */
	if (run_has_user_ns(p->run) && mount_op_takes_userns(&plan->ops[m->number]))
		r = parent_userns(p->run, e);
	if (r < 0)
		return r;
	r = mount_source_open(plan, &plan->ops[m->number], p->run->userns, &tree, e);
	if (r < 0 && r != -EPERM)
		return mount_op_error(&plan->ops[m->number], e);
	/* What we may not clone (no privileges), init may in a namespace of its own. */
	if (r < 0)
		err_clear(e);
	return answer(p, r, tree, e);
}

static int serve_devices(struct parent *p, const struct msg *m, int *fd, struct err *e)
{
	auto_fd tree = -1;
	int r = dev_make_outside(&p->run->plan->dev, &tree, e);

	(void)m;
	(void)fd;
	if (r < 0 && r != -EPERM)
		return r;
	/* What we may not make, init finds on the host. */
	if (r < 0)
		err_clear(e);
	return answer(p, r, tree, e);
}

static int serve_hooks(struct parent *p, const struct msg *m, int *fd, struct err *e)
{
	const struct plan *plan = p->run->plan;
	const char *state = hook_state(p->arena, plan->spec, plan->options.id, "creating",
				       p->run->pid, plan->spec->bundle);
	int r;

	(void)m;
	(void)fd;
	r = hook_run_all(&plan->hooks, HOOK_PRESTART, state, &p->run->hooks, e);
	if (r == 0)
		r = hook_run_all(&plan->hooks, HOOK_CREATE_RUNTIME, state, &p->run->hooks, e);
	return r < 0 ? r : answer(p, 0, -1, e);
}

static int serve_console(struct parent *p, const struct msg *m, int *fd, struct err *e)
{
	int r = 0;

	(void)m;
	if (*fd < 0)
		return err_code(e, EPROTO, NULL, "a terminal without a descriptor");
	if (p->run->console >= 0) {
		r = term_send(p->run->console, *fd, e);
	} else {
		term_take_size(*fd);
		p->run->master = fd_take(fd);
	}
	return r < 0 ? r : answer(p, 0, -1, e);
}

/* The container's cgroup takes no more processes: where its init is now, below it. */
static int serve_cgroup(struct parent *p, const struct msg *m, int *fd, struct err *e)
{
	struct run *run = p->run;
	auto_fd below = -1;

	(void)m;
	(void)fd;
	if (!run->options.exec || !run->cgroup)
		return err_code(e, EBUSY, NULL, "the cgroup takes no process");
	below = cgroup_open_below(run->cgroup, run->options.exec->pid, e);
	if (below < 0 || run_cut_off(run, &below, e) < 0)
		return -e->code;
	return answer(p, 0, below, e);
}

static int serve_ready(struct parent *p, const struct msg *m, int *fd, struct err *e)
{
	const struct run *run = p->run;

	(void)m;
	(void)fd;
	p->phase = PHASE_GATE;
	/* A user namespace does not give the right to raise them, so init cannot. */
	if (run_has_user_ns(run) && proc_rlimits_of(&run->plan->proc, run->pid, e) < 0)
		return -e->code;
	return run->sets_priorities ? proc_priorities(&run->plan->proc, run->pid, e) : 0;
}

static int serve_log(struct parent *p, const struct msg *m, int *fd, struct err *e)
{
	(void)p;
	(void)fd;
	(void)e;
	log_forward((enum log_level)m->number, m->text);
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
	{ MSG_CGROUP, PHASE_BIRTH, serve_cgroup },
	{ MSG_INIT, PHASE_BIRTH, serve_init },
	{ MSG_SOURCE, PHASE_SETUP, serve_source },
	{ MSG_DEVICES, PHASE_SETUP, serve_devices },
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

int parent_serve(struct parent *p, struct err *e)
{
	struct msg m;
	auto_fd fd = -1;
	int r;

	if (run_await(p->run, HOOK_CREATE_CONTAINER, e) < 0)
		return -e->code;
	r = channel_recv(p->run->channel, &m, &fd, e);
	if (r < 0)
		return r;
	if (r == 0)
		return parent_silent_death(p, e);
	r = serve(p, &m, &fd, e);
	/* what we do for a child is part of its step */
	if (r < 0 && !e->step[0])
		str_copy(e->step, sizeof(e->step), (const char *)p->run->progress->step);
	return r;
}
