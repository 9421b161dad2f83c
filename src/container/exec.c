/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec - a further process in a container
 *
 * Takes no lock of the container's: the record is read once, the pidfd of init is proven to
 * be the recorded process's, and the namespaces are entered through it. If the container ends
 * meanwhile, so do we.
 */
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>

#include "container/internal.h"
#include "sys/sys.h"

struct execution {
	struct arena *arena;
	const struct exec_options *options;
	struct container c;
	struct host host;
	struct spec *spec;
	struct spec_process process;
	struct plan *plan;
	struct run_exec target;
	struct run run;
	struct cgroup *cgroup;
	struct pid_file pid_file;
	struct listener_of listener;
	struct exec_gate gate; /* with --create */
	bool prepared;
};

static int open_container(struct execution *x, const struct context *ctx, struct err *e)
{
	int r = container_find_dir(x->arena, ctx, x->options->id, &x->c, e);

	if (r == 0)
		r = container_read(x->arena, &x->c, false, e);
	if (r == 0)
		container_refine(x->arena, &x->c);
	return r;
}

/* An init that only waits for zombies has no namespaces any more, so nothing has been made. */
static int blame(struct execution *x, int r, struct err *e)
{
	if (!container_has_zombies_only(x->arena, &x->c))
		return r;
	err_clear(e);
	return container_allows(&x->c, VERB_EXEC, e);
}

static int check_status(struct execution *x, struct err *e)
{
	if (x->c.status == STATUS_PAUSED && x->options->ignore_paused)
		return 0;
	return container_allows(&x->c, VERB_EXEC, e);
}

/* setns(2) refuses the user namespace that we are in already. */
static bool is_our_user_ns(pid_t pid)
{
	auto_arena a = arena_make();
	struct stat own, other;

	return sys_fstatat(AT_FDCWD, "/proc/self/ns/user", &own, 0) == 0 &&
	       sys_fstatat(AT_FDCWD, arena_printf(&a, "/proc/%d/ns/user", (int)pid), &other, 0) ==
		       0 &&
	       own.st_ino == other.st_ino && own.st_dev == other.st_dev;
}

/*
 * One that is joined may be ours. One that no word of the configuration is about was the maker's,
 * as of `unshare -r cleat run`: a user who comes from outside needs it for all the others.
 */
static void choose_user_namespace(struct execution *x)
{
	uint64_t *all = &x->target.namespaces;

	if ((x->spec->ns_joined & CLONE_NEWUSER) && is_our_user_ns(x->target.pid))
		*all &= ~(uint64_t)CLONE_NEWUSER;
	if (geteuid() != 0 && !((x->spec->ns_new | x->spec->ns_joined) & CLONE_NEWUSER) &&
	    !is_our_user_ns(x->target.pid))
		*all |= CLONE_NEWUSER;
}

static void choose_namespaces(struct execution *x)
{
	x->target.pid = x->c.state->pid;
	x->target.pidfd = x->c.pidfd;
	x->target.namespaces = x->spec->ns_new | x->spec->ns_joined;
	choose_user_namespace(x);
}

static int make_plan(struct execution *x, struct err *e)
{
	const struct plan_options opt = {
		.id = x->options->id,
		.no_new_keyring = x->c.state->no_new_keyring,
		.preserve_fds = x->options->preserve_fds,
		.listen_fds = x->options->listen_fds,
		.listen_names = x->options->listen_names,
	};
	int r = spec_load_copy(x->arena, x->c.dir.fd, x->c.state->bundle, &x->spec, e);

	host_probe(&x->host, HOST_NO_CGROUPS);
	if (!x->host.seccomp_receiver)
		x->host.seccomp_receiver = x->c.state->seccomp_receiver;
	if (r == 0)
		r = exec_process(x->arena, &x->c, x->spec, x->options, &x->process, e);
	if (r == 0)
		r = plan_make_exec(x->arena, x->spec, &x->process, &x->host, &opt, &x->plan, e);
	return r;
}

static int without_cgroup(const struct string_list *below, struct err *e)
{
	for (size_t i = 0; i < below->n; i++)
		if (below->v[i][strspn(below->v[i], "/")])
			return err_user(e, "cgroup",
					"--cgroup '%s' needs a container with a cgroup",
					below->v[i]);
	return 0;
}

/* "/" is the container's own cgroup and, unlike to say nothing, no other. */
static bool names_own(const struct string_list *below)
{
	const char *word = below->n == 1 ? below->v[0] : "";

	return *word && !word[strspn(word, "/")];
}

static int open_cgroup(struct execution *x, struct err *e)
{
	const struct string_list *below = &x->options->cgroups;
	int r = 0;

	x->cgroup = container_cgroup(x->arena, &x->c);
	x->run.cgroup = x->cgroup;
	if (!x->cgroup)
		return without_cgroup(below, e);
	if (below->n)
		r = cgroup_enter_below(x->cgroup, below->v, below->n, &x->run.birth, e);
	if (x->run.birth >= 0 || names_own(below))
		x->target.cgroup = below->v[0];
	if (r == 0 && x->run.birth < 0)
		r = cgroup_open_leaf(x->cgroup, x->target.pid, &x->run.birth, e);
	return r;
}

static int write_pid(void *arg, struct err *e)
{
	struct execution *x = arg;

	x->listener.pid = x->run.pid;
	if (x->options->create &&
	    exec_gate_record(x->arena, &x->c, &x->gate, x->run.pid, x->run.pidfd, e) < 0)
		return -e->code;
	return pid_file_write(&x->pid_file, x->run.pid, e);
}

static int prepare(struct execution *x, const struct context *ctx, struct err *e)
{
	const struct exec_options *o = x->options;
	int r = open_container(x, ctx, e);

	if (r == 0)
		r = check_status(x, e);
	if (r == 0 && o->create)
		r = exec_gate_name(x->arena, o->create, &x->gate, e);
	if (r == 0 && o->create)
		r = exec_gate_claim(x->arena, &x->c, &x->gate, e);
	if (r == 0 && o->pid_file)
		r = pid_file_prepare(x->arena, o->pid_file, &x->pid_file, e);
	if (r == 0)
		r = make_plan(x, e);
	if (r < 0)
		return r;
	choose_namespaces(x);
	x->listener = (struct listener_of){
		x->arena, &x->c, x->spec, 0, x->host.seccomp_receiver,
	};
	x->run.plan = x->plan;
	x->run.state_dir = x->c.dir;
	x->run.options = (struct run_options){ .exec = &x->target,
					       .foreground = !o->detach,
					       .gate = x->gate.socket,
					       .console_socket = o->console_socket,
					       .pidfd_socket = o->pidfd_socket };
	x->run.callbacks = (struct run_callbacks){ .created = write_pid,
						   .arg = x,
						   .listener = listener_for(&x->listener) };
	x->prepared = true;
	r = run_prepare(x->arena, &x->run, e);
	x->gate.receiver = listener_from_environment(&x->run, &x->host);
	return r < 0 ? r : open_cgroup(x, e);
}

static int perform(struct execution *x, int *ret_status, struct err *e)
{
	int r = run_create(x->arena, &x->run, e);

	if (r == 0 && !x->options->create)
		r = run_release(&x->run, e);
	if (r < 0) {
		run_abort(&x->run);
		if (x->options->create)
			exec_gate_remove(&x->c, &x->gate);
		pid_file_remove(&x->pid_file);
		return r;
	}
	return x->options->detach ? 0 : run_attach(x->arena, &x->run, ret_status, e);
}

int container_exec(const struct context *ctx, const struct exec_options *o, int *ret_status,
		   struct err *e)
{
	auto_arena a = arena_make();
	struct execution x = {
		.arena = &a,
		.options = o,
		.c = { .id = o->id, .root = DIR_NONE, .dir = DIR_NONE, .lock = -1, .pidfd = -1 },
		.pid_file = { .dir = DIR_NONE },
		.gate = EXEC_GATE_NONE,
	};
	int r = prepare(&x, ctx, e);

	*ret_status = 0;
	if (r == 0)
		r = perform(&x, ret_status, e);
	if (r < 0)
		r = blame(&x, r, e);
	if (x.prepared) {
		fd_close(&x.run.birth);
		run_close(&x.run);
	}
	exec_gate_release(&x.gate);
	cgroup_close(x.cgroup);
	pid_file_close(&x.pid_file);
	container_close(&x.c);
	return r;
}
