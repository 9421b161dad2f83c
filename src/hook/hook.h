/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook - the six kinds of hooks (config.md, "POSIX-platform Hooks")
 *
 * | kind            | when                                            | namespace |
 * | prestart        | create, namespaces exist, before the root switch | runtime   |
 * | createRuntime   | the same, after prestart                         | runtime   |
 * | createContainer | the same, mounts are done                        | container |
 * | startContainer  | start, before the program                        | container |
 * | poststart       | start, after the program was executed            | runtime   |
 * | poststop        | delete, after everything was removed             | runtime   |
 */
#ifndef CLEAT_HOOK_HOOK_H
#define CLEAT_HOOK_HOOK_H

#include "spec/spec.h"

enum hook_kind {
	HOOK_PRESTART,
	HOOK_CREATE_RUNTIME,
	HOOK_CREATE_CONTAINER,
	HOOK_START_CONTAINER,
	HOOK_POSTSTART,
	HOOK_POSTSTOP,
	HOOK_N
};

const char *hook_kind_name(enum hook_kind kind);

struct hook_plan {
	const struct oci_hook *const *hooks[HOOK_N];
	size_t n[HOOK_N];
	const char *out, *err; /* files that hooks write to, by annotation; NULL: none */
	/* Environment of startContainer hooks without one of their own; who runs them knows it. */
	const char *const *start_env;
};

/* What hooks are run with, of the runtime namespace; -1: not this one. */
struct hook_fds {
	int dir;      /* to run in: the bundle */
	int out, err; /* for stdout, and for a copy of stderr */
};
#define HOOK_FDS_NONE ((struct hook_fds){ -1, -1, -1 })

/* Pure; config-level checks (absolute path, timeout > 0) are spec's. */
void hook_plan_make(const struct spec *spec, struct hook_plan *ret);

/*
 * hook_open() - open what hooks of the plan are run with
 * @bundle: path of the bundle
 *
 * Without the bundle, which may have gone by the time of the last hooks, they run where we are.
 * A file that is not there is made (mode 0600), one that is there is appended to; a FIFO without
 * a reader is an error. Returns 0 or -errno; on failure *ret has nothing to close.
 */
int hook_open(const struct hook_plan *p, const char *bundle, struct hook_fds *ret, struct err *e);
void hook_close(struct hook_fds *f);

/*
 * hook_run_all() - run the hooks of one kind in order
 * @state: the state JSON that each gets on stdin (compact, slashes not escaped)
 * @fds: what they are run with
 *
 * The first failure ends it: "error running createRuntime hook #1: '/usr/bin/x': exited with
 * status 3: '<last line of stderr, or else of stdout>'". A failing poststop hook is a warning,
 * the others run all the same, as config.md wants it.
 */
int hook_run_all(const struct hook_plan *p, enum hook_kind kind, const char *state,
		 const struct hook_fds *fds, struct err *e);

/*
 * The state object of runtime.md for a hook: @status "creating"/"created"/"running"/
 * "stopped", @pid as seen where the hook runs.
 */
const char *hook_state(struct arena *a, const struct spec *spec, const char *id, const char *status,
		       pid_t pid, const char *bundle);

#endif
