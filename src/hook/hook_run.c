/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook_run - one after the other, each with the state on its stdin
 *
 * A hook gets exactly its own environment. Only startContainer hooks, which run inside,
 * take the process's when they have none, and its umask; nothing that an image can set
 * reaches a program on the host.
 */
#include <stdio.h>

#include "base/helper.h"
#include "base/log.h"
#include "base/str.h"
#include "base/trace.h"
#include "hook/hook.h"

#define MS_PER_S    1000U
#define TIMEOUT_MAX 1000000000 /* seconds; as good as none, and does not overflow */

static int run_one(const struct hook_plan *p, enum hook_kind kind, size_t i, const char *state,
		   const struct hook_fds *fds, struct err *e)
{
	const struct oci_hook *hook = p->hooks[kind][i];
	auto_arena a = arena_make();
	struct helper h = {
		.what = arena_printf(&a, "error running %s hook #%zu: '%s'", hook_kind_name(kind),
				     i, hook->path),
		.path = hook->path,
		.cwd_fd = fds->dir,
		.input = state,
		.input_len = strlen(state),
		.stdout_fd = fds->out,
		.stderr_fd = fds->err,
		.keep_umask = kind == HOOK_START_CONTAINER,
	};

	if (hook->n_args)
		h.argv = hook->args;
	if (hook->n_env)
		h.envp = hook->env;
	else if (kind == HOOK_START_CONTAINER)
		h.envp = p->start_env;
	if (hook->has_timeout)
		h.timeout_ms = MS_PER_S * (uint64_t)(hook->timeout < TIMEOUT_MAX ? hook->timeout
										 : TIMEOUT_MAX);
	trace(EXEC, "%s hook #%zu '%s'", hook_kind_name(kind), i, hook->path);
	return helper_run(&h, e);
}

int hook_run_all(const struct hook_plan *p, enum hook_kind kind, const char *state,
		 const struct hook_fds *fds, struct err *e)
{
	for (size_t i = 0; i < p->n[kind]; i++) {
		struct err failed = { 0 };

		if (run_one(p, kind, i, state, fds, &failed) == 0)
			continue;
		if (kind != HOOK_POSTSTOP) {
			err_set_id(&failed, "hook");
			if (e)
				*e = failed;
			return -failed.code;
		}
		log_warning("%s", failed.text);
	}
	return 0;
}
