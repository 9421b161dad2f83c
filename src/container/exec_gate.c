/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec_gate - a further process in two steps: exec --create, exec --start
 *
 * In between it waits at a gate of its own, "exec-NAME.gate" in the state directory, as a
 * created container does at its: supervisors get its pid and pidfd, and put it where they
 * want it, before its program runs. "exec-NAME.json" proves which process it is. What is
 * left of one that has ended is removed by the next one of that name, or with the container.
 *
 * Who takes a name, and who gives it back, has a lock meanwhile: else two could find it free,
 * and one of the two processes would wait at a socket that has no name any more. It is not
 * the container's, for a hook of `start` may do both, and a process that takes its time to
 * get in holds up nobody but its like.
 */
#include <fcntl.h>

#include "base/str.h"
#include "container/internal.h"
#include "sys/sys.h"

#define LOCK_NAME    "exec.lock"
#define LOCK_MODE    0600
#define NAME_LONGEST 48 /* with what is around it, it is the name of a socket */

int exec_gate_name(struct arena *a, const char *name, struct exec_gate *ret, struct err *e)
{
	if (container_id_check(name, NULL) < 0 || strlen(name) > NAME_LONGEST)
		return err_user(e, name,
				"'%s' cannot name a process: at most %d letters, digits and _+-., "
				"no dot first",
				name, NAME_LONGEST);
	ret->name = name;
	ret->socket = arena_printf(a, "exec-%s.gate", name);
	ret->record = arena_printf(a, "exec-%s.json", name);
	return 0;
}

void exec_gate_remove(const struct container *c, const struct exec_gate *g)
{
	sys_unlinkat(c->dir.fd, g->socket, 0);
	sys_unlinkat(c->dir.fd, g->record, 0);
}

static int take_lock(struct arena *a, const struct container *c, struct exec_gate *g, struct err *e)
{
	g->lock = sys_openat(c->dir.fd, LOCK_NAME, O_RDWR | O_CREAT | O_NOFOLLOW, LOCK_MODE);
	if (g->lock == -ENOENT)
		return container_absent(c->id, e);
	if (g->lock < 0)
		return err_sys(e, -g->lock, LOCK_NAME, "open");
	return lock_wait(a, g->lock, c->id, "exec into", CONTAINER_DEADLINE_MS, e);
}

void exec_gate_release(struct exec_gate *g)
{
	fd_close(&g->lock);
}

/* *ret_pidfd: -1 when it has ended; *ret NULL: there is none. */
static int find(struct arena *a, const struct container *c, const struct exec_gate *g,
		struct cleat_state_file **ret, int *ret_pidfd, struct err *e)
{
	int r = record_read_as(a, c->dir.fd, g->record, g->name, ret, e);

	*ret_pidfd = -1;
	return r < 0 || !*ret ? r : identity_open(*ret, ret_pidfd, e);
}

int exec_gate_claim(struct arena *a, const struct container *c, struct exec_gate *g, struct err *e)
{
	struct cleat_state_file *s;
	auto_fd pidfd = -1;

	if (take_lock(a, c, g, e) < 0 || find(a, c, g, &s, &pidfd, e) < 0)
		return -e->code;
	if (pidfd >= 0) {
		err_code(e, EEXIST, g->name,
			 "process '%s' of container '%s' already exists and waits", g->name, c->id);
		return err_set_id(e, "process-exists");
	}
	exec_gate_remove(c, g);
	return 0;
}

int exec_gate_record(struct arena *a, const struct container *c, const struct exec_gate *g,
		     pid_t pid, int pidfd, struct err *e)
{
	struct cleat_state_file s = {
		.version = c->state->version,
		.has_version = true,
		.id = g->name,
		.bundle = c->state->bundle,
		.boot_id = c->state->boot_id,
		.seccomp_receiver = g->receiver,
	};

	if (identity_record(a, &s, pid, pidfd, e) < 0)
		return -e->code;
	return record_write_as(a, &c->dir, g->record, &s, RECORD_IDENTITY, e);
}

static int pass(struct arena *a, struct container *c, struct exec_gate *g, struct err *e)
{
	struct listener_of listener = { .arena = a, .container = c };
	const struct run_listener l = listener_for(&listener);
	struct cleat_state_file *s;
	auto_fd pidfd = -1;
	int r = take_lock(a, c, g, e);

	if (r == 0)
		r = find(a, c, g, &s, &pidfd, e);
	if (r < 0)
		return r;
	if (pidfd < 0) {
		err_code(e, ESRCH, g->name, "container '%s' has no process '%s' that waits", c->id,
			 g->name);
		return err_set_id(e, "process-unknown");
	}
	listener.pid = s->pid;
	listener.variable = s->seccomp_receiver;
	r = run_start(&c->dir, g->socket, pidfd, &l, e);
	exec_gate_remove(c, g);
	return r;
}

int container_exec_start(const struct context *ctx, const char *id, const char *name, struct err *e)
{
	auto_arena a = arena_make();
	struct exec_gate gate = EXEC_GATE_NONE;
	struct container c;

	if (exec_gate_name(&a, name, &gate, e) < 0)
		return -e->code;
	if (container_open(&a, ctx, id, &c, e) < 0)
		return -e->code;
	if (container_allows(&c, VERB_EXEC, e) == 0)
		pass(&a, &c, &gate, e);
	exec_gate_release(&gate);
	container_close(&c);
	return -e->code;
}
