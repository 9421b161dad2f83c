/* SPDX-License-Identifier: Apache-2.0 */
/*
 * finish - from a process in its container to the program; init and exec-init alike
 *
 * Before the gate all that concerns the process alone, in the order that privileges force;
 * then the gate; then what only the program may be seen with.
 */
#include <stdlib.h>

#include "base/str.h"
#include "run/gate.h"
#include "run/stages.h"
#include "sys/sys.h"

static const struct step process_steps[] = {
	{ "inherited", NULL, step_inherited },
	{ "scheduling", NULL, step_sched },
	{ "bounding-set", NULL, step_bounding },
	{ "no-new-privileges", when_no_new_privs, step_no_new_privs },
	{ "environment", NULL, step_environment },
	{ "rlimits", when_own_user_ns, step_rlimits },
	{ "cwd", NULL, step_early_cwd },
	{ "landlock-rules", when_landlock, step_landlock_rules },
	{ "ids", NULL, step_ids },
	{ "park-capabilities", NULL, step_park_caps },
	{ "cwd", when_late_cwd, step_cwd },
	{ "program", when_program, step_program },
};

/* The filter may forbid any call that is not the payload's, so what can be done before it is. */
static const struct step last_steps[] = {
	{ "process", when_no_program, step_no_program },
	{ "startContainer-hooks", when_start_hooks, step_start_hooks },
	{ "label", when_label, step_label },
	{ "landlock", when_landlock, step_landlock },
	{ "announce", NULL, step_announce },
	{ "seccomp", when_filter_first, step_filter },
	{ "capabilities", NULL, step_caps },
	{ "seccomp", when_filter_last, step_filter },
};

/*
 * The plain error goes first: the filter is in force, and may end us for looking further.
 * What comes after it on the same connection takes its place.
 */
static _Noreturn void fail_exec(struct child *c, int code)
{
	const char *path = c->exec_path, *why, *id;
	struct err e = { 0 };

	err_code(&e, code, path, "exec %s: %s", path, errno_text(code));
	str_copy(e.step, sizeof(e.step), "exec");
	channel_send_err(c->peer, &e);
	why = proc_explain_exec(c->arena, path, code, &id);
	if (!why)
		_exit(EXIT_FAILURE);
	err_code(&e, code, path, "exec %s: %s: %s", path, errno_text(code), why);
	err_set_id(&e, id);
	child_fail(c->peer, &e);
}

static _Noreturn void exec_payload(struct child *c)
{
	int r;

	/* by execve(2): filters are written for runtimes that call it, and may know no other */
	do
		r = sys_execve(c->exec_path, (char *const *)c->plan->proc.args,
			       (char *const *)c->env);
	while (r == -EINTR); /* network file systems do this */
	fail_exec(c, -r);
}

/* Wait until somebody lets us go: a peer at the gate, or the parent that still holds us. */
static void wait_for_start(struct child *c)
{
	struct err e = { 0 };
	struct msg m;
	int fd = -1;

	if (c->run->gate >= 0) {
		fd_close(&c->up);
		c->peer = gate_wait(c->run->gate, &e);
		if (c->peer < 0)
			_exit(EXIT_FAILURE);
		fd_close(&c->run->gate);
		return;
	}
	if (channel_recv(c->up, &m, &fd, &e) != 1 || m.type != MSG_START)
		_exit(EXIT_FAILURE); /* nobody is left who could start us */
}

void finish(struct child *c, enum run_role role)
{
	struct run_progress *page = c->run->progress;
	struct err e = { 0 };

	if (steps_run(process_steps, COUNT(process_steps), role, c, page, &e) < 0)
		child_fail(c->up, &e);
	if (channel_send(c->up, MSG_READY, 0, -1) < 0)
		_exit(EXIT_FAILURE);
	wait_for_start(c);
	if (steps_run(last_steps, COUNT(last_steps), role, c, page, &e) < 0)
		child_fail(c->peer, &e);
	exec_payload(c);
}
