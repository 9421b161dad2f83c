/* SPDX-License-Identifier: Apache-2.0 */
/*
 * create - bring a container to the gate
 *
 * Everything that can fail for reasons of its own is done before anything exists. Then
 * each outside effect is on record before it happens: the names of what will be made
 * (intent), what proves that it is ours (identity), the end (created). So a creation
 * that was killed at any point, or failed, is undone by the same code that deletes a
 * container: it does what the newest record permits.
 */
#include <fcntl.h>
#include <sched.h>

#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "base/trace.h"
#include "container/internal.h"
#include "sys/sys.h"

#define DIR_MODE	 0700
#define CONFIG_MODE	 0600
#define UNDO_DEADLINE_MS 2000

/* --- before anything exists ------------------------------------------------------------------- */

/* Without mounts of its own it would be everybody's. */
static int add_notify(struct creation *m, const struct context *ctx, struct err *e)
{
	const char *root = root_path(m->arena, ctx);

	if (!m->spec->has_process || !((m->spec->ns_new | m->spec->ns_joined) & CLONE_NEWNS)) {
		log_warning("NOTIFY_SOCKET is for containers with a mount namespace of their own");
		m->notify_target = NULL;
		return 0;
	}
	if (!root)
		return err_code(e, ENOENT, m->options->id,
				"NOTIFY_SOCKET needs an absolute --root here");
	notify_extend(m->arena, m->spec, m->notify_target,
		      arena_printf(m->arena, "%s/%s", root, m->options->id));
	return 0;
}

/* A line of CLEAT_TRACE=plan; `check --plan` prints all of a plan. */
static void tell_plan(struct arena *a, const struct plan *p)
{
	const struct cgroup_plan *cg = &p->cgroup;
	const char *names = "";

	for (int bit = 0; bit < 31; bit++)
		if (p->ns.create >> bit & 1)
			names = arena_printf(a, "%s new %s,", names, spec_ns_name(1 << bit));
	for (size_t i = 0; i < p->ns.n_join; i++)
		names = arena_printf(a, "%s %s of '%s',", names, spec_ns_name(p->ns.join[i].type),
				     p->ns.join[i].path);
	trace(PLAN, "namespaces:%s cgroup %s, %zu mounts", *names ? names : " none,",
	      cg->scope	   ? cg->scope
	      : cg->n_dirs ? cg->dirs[0].path
			   : "none",
	      p->mount.n_ops);
}

static int make_plan(struct creation *m, const struct context *ctx, bool start_later, struct err *e)
{
	const struct create_options *o = m->options;
	const struct plan_options opt = {
		.id = o->id,
		.cgroup_manager = ctx->cgroup_manager,
		.leniency = ctx->leniency,
		.no_pivot = o->no_pivot,
		.no_new_keyring = o->no_new_keyring,
		.start_later = start_later,
		.require_limits = o->require_limits,
		.preserve_fds = o->preserve_fds,
		.listen_fds = o->listen_fds,
		.listen_names = o->listen_names,
	};

	int r;

	/* without cgroups of its own a container is shown ours */
	host_probe(&m->host,
		   ctx->cgroup_manager == CGROUP_DISABLED ? HOST_OWN_CGROUP : HOST_CGROUPS);
	r = spec_load(m->arena, o->bundle, o->config, &m->spec, e);
	if (r < 0)
		return err_set_id(e, "config");
	if (m->notify_target)
		r = add_notify(m, ctx, e);
	if (r < 0)
		return r;
	r = plan_make(m->arena, m->spec, &m->host, &opt, &m->plan, e);
	if (r < 0)
		return err_set_id(e, "config");
	if (trace_mask & TRACE_PLAN)
		tell_plan(m->arena, m->plan);
	return 0;
}

static int record_identity(void *arg, pid_t pid, int pidfd, struct err *e)
{
	struct creation *m = arg;
	struct cleat_state_file *s = m->c.state;

	if (identity_record(m->arena, s, pid, pidfd, e) < 0)
		return -e->code;
	cgroup_record(m->arena, &m->plan->cgroup, m->cgroup, s);
	if (record_write(m->arena, &m->c.dir, s, RECORD_IDENTITY, e) < 0)
		return -e->code;
	cgroup_release(m->cgroup);
	return 0;
}

static int record_created(void *arg, struct err *e)
{
	struct creation *m = arg;

	if (record_write(m->arena, &m->c.dir, m->c.state, RECORD_CREATED, e) < 0)
		return -e->code;
	return pid_file_write(&m->pid_file, m->run.pid, e);
}

static int prepare(struct creation *m, const struct context *ctx, const struct run_options *how,
		   struct err *e)
{
	const char *pid_file = m->options->pid_file;

	if (container_id_check(m->options->id, e) < 0)
		return -e->code;
	if (pid_file && pid_file_prepare(m->arena, pid_file, &m->pid_file, e) < 0)
		return -e->code;
	if (make_plan(m, ctx, how->gate, e) < 0)
		return -e->code;
	m->run.plan = m->plan;
	m->run.options = *how;
	if (!how->pidfd_socket)
		m->run.options.pidfd_socket =
			spec_annotation(m->spec->config, SPEC_ANNOTATION_PIDFD_RECEIVER);
	m->listener = (struct listener_of){
		m->arena, &m->c, m->spec, 0, m->host.seccomp_receiver,
	};
	m->run.callbacks = (struct run_callbacks){ record_identity, record_created, m,
						   listener_for(&m->listener) };
	m->prepared = true;
	return run_prepare(m->arena, &m->run, e);
}

/* --- the directory and the first record ------------------------------------------------------- */

static int exists(const char *id, struct err *e)
{
	err_code(e, EEXIST, id, "container with given ID already exists: '%s'", id);
	return err_set_id(e, "container-exists");
}

static int deleted(const char *id, struct err *e)
{
	err_clear(e);
	err_code(e, ENOENT, id, "container '%s' was deleted while it was made", id);
	return err_set_id(e, "container-unknown");
}

/*
 * Between its making and our lock on it the directory can have been deleted, and another made
 * by somebody else. The first file tells: what was removed takes none, and what is somebody's
 * has it already. Before it nothing in there is ours to undo.
 *
 * Later commands read this copy: what happens to the bundle's file changes nothing.
 */
static int copy_config(struct creation *m, struct err *e)
{
	auto_fd fd = sys_openat(m->c.dir.fd, CONFIG_NAME, O_WRONLY | O_CREAT | O_EXCL, CONFIG_MODE);
	int r = fd;

	if (r == -EEXIST)
		return exists(m->options->id, e);
	if (r == -ENOENT)
		return deleted(m->options->id, e);
	if (r >= 0) {
		m->owned = true;
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): prepare() has read it */
		r = file_write_all(fd, m->spec->text, m->spec->text_len);
	}
	return r < 0 ? err_sys(e, -r, CONFIG_NAME, "copy the configuration to") : 0;
}

static int enter(struct creation *m, struct dir *root, struct err *e)
{
	const char *id = m->options->id;
	int r = container_open_dir(root, id, &m->c, e);

	if (r < 0)
		return r == -ENOENT ? deleted(id, e) : r;
	m->c.root = *root;
	*root = DIR_NONE;
	if (lock_wait(m->arena, m->c.dir.fd, id, "create", CONTAINER_DEADLINE_MS, e) < 0)
		return -e->code;
	m->c.lock = m->c.dir.fd;
	m->run.state_dir = m->c.dir;
	return copy_config(m, e);
}

static int claim(struct creation *m, const struct context *ctx, struct err *e)
{
	const char *id = m->options->id;
	auto_dir root = DIR_NONE;
	int r;

	if (root_open(m->arena, ctx, true, &root, e) < 0)
		return -e->code;
	r = sys_mkdirat(root.fd, id, DIR_MODE);
	if (r == -EEXIST)
		return exists(id, e);
	if (r < 0)
		return err_sys(e, -r, id, "make the directory of container");
	r = enter(m, &root, e);
	/* an empty one, whoever made it, holds nothing, and its maker finds out as we do */
	if (r < 0 && !m->owned && r != -ENOENT && r != -EEXIST)
		sys_unlinkat(root.fd >= 0 ? root.fd : m->c.root.fd, id, AT_REMOVEDIR);
	return r;
}

static int record_intent(struct creation *m, struct err *e)
{
	struct cleat_state_file *s = record_new(m->arena, &m->c.root, m->options, m->plan);

	m->c.state = s;
	s->notify = s->has_notify = m->notify_target;
	s->seccomp_receiver = listener_from_environment(&m->run, &m->host);
	cgroup_record(m->arena, &m->plan->cgroup, NULL, s);
	return record_write(m->arena, &m->c.dir, s, RECORD_INTENT, e);
}

static int bring_new(struct creation *m, void *arg, struct err *e)
{
	(void)arg;
	return run_create(m->arena, &m->run, e);
}

static int build(struct creation *m, int (*bring)(struct creation *m, void *arg, struct err *e),
		 void *arg, struct err *e)
{
	int r = record_intent(m, e);

	if (r == 0 && m->notify_target)
		r = notify_make(&m->c, e);
	if (r < 0)
		return r;
	if (cgroup_create(m->arena, &m->plan->cgroup, m->c.root.fd, &m->cgroup, e) < 0) {
		m->c.state->cgroup = NULL; /* nothing of it is ours: one that was there stays */
		return err_set_id(e, "cgroup");
	}
	m->run.cgroup = m->cgroup;
	return bring(m, arg, e);
}

/* --- the whole -------------------------------------------------------------------------------- */

void creation_close(struct creation *m)
{
	if (m->prepared)
		run_close(&m->run);
	cgroup_close(m->cgroup);
	pid_file_close(&m->pid_file);
	container_close(&m->c);
}

int creation_leave(struct creation *m, struct notify *n, struct err *e)
{
	bool waits = n && n->in >= 0;
	int r = 0;

	if (!waits && !m->options->record_exit)
		return 0;
	lock_drop(m->c.lock);
	m->c.lock = -1;
	if (m->options->record_exit)
		r = exit_watch(m->arena, &m->c, m->run.pidfd, e);
	if (r == 0 && waits)
		r = notify_await(n, m->run.pidfd, e);
	return r;
}

/*
 * An init that we never heard of ends by itself when its channel does. Its cgroup, which
 * nothing on record says is ours, can only be removed by name, when it is empty.
 */
static void wait_for_unknown_init(const struct creation *m)
{
	struct err ignored = { 0 };

	if (!m->cgroup || !m->c.state || record_phase(m->c.state) >= RECORD_IDENTITY)
		return;
	if (cgroup_is_populated(m->cgroup) &&
	    cgroup_wait_empty(m->cgroup, UNDO_DEADLINE_MS, &ignored) < 0)
		err_ignore(&ignored, "whoever removes the cgroup will report it");
}

void creation_undo(struct creation *m)
{
	struct err e = { 0 };

	run_abort(&m->run);
	wait_for_unknown_init(m);
	if (m->c.state)
		m->c.state->n_net_devices = 0; /* given back, or it was said why not */
	pid_file_remove(&m->pid_file);
	if (container_destroy(m->arena, &m->c, &e) < 0)
		log_warning("%s", e.text);
	creation_close(m);
}

int creation_make(struct arena *a, struct creation *m, const struct context *ctx,
		  const struct create_options *o, const struct run_options *how, struct err *e)
{
	return creation_make_by(a, m, ctx, o, how, bring_new, NULL, e);
}

int creation_make_by(struct arena *a, struct creation *m, const struct context *ctx,
		     const struct create_options *o, const struct run_options *how,
		     int (*bring)(struct creation *m, void *arg, struct err *e), void *arg,
		     struct err *e)
{
	*m = (struct creation){
		.arena = a,
		.options = o,
		.c = { .id = o->id, .root = DIR_NONE, .dir = DIR_NONE, .lock = -1, .pidfd = -1 },
		.pid_file = { .dir = DIR_NONE },
		.notify_target = bring == bring_new ? notify_target() : NULL,
	};
	if (prepare(m, ctx, how, e) == 0 && claim(m, ctx, e) == 0 && build(m, bring, arg, e) == 0)
		return 0;
	if (m->owned)
		creation_undo(m);
	else
		creation_close(m);
	return -e->code;
}

int container_create(const struct context *ctx, const struct create_options *o, struct err *e)
{
	const struct run_options how = {
		.gate = RUN_GATE,
		.console_socket = o->console_socket,
		.pidfd_socket = o->pidfd_socket,
	};
	auto_arena a = arena_make();
	struct creation m;

	int r = creation_make(&a, &m, ctx, o, &how, e);

	if (r < 0)
		return r;
	r = creation_leave(&m, NULL, e);
	creation_close(&m);
	return r;
}
