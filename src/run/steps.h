/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steps - set-up is data
 *
 * A role (middle, init, init's last steps) is a table of named steps. The runner
 * records the step in a page that the parent shares, so that a silent death has a
 * name; it puts the name into the error, times it for CLEAT_TRACE=step, and in debug
 * builds fails it on request: CLEAT_FAIL=mounts:EPERM.
 */
#ifndef CLEAT_RUN_STEPS_H
#define CLEAT_RUN_STEPS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

struct step {
	const char *name;
	bool (*wanted)(const void *role); /* NULL: always */
	int (*fn)(void *role, struct err *e);
};

enum run_role { ROLE_PARENT, ROLE_MIDDLE, ROLE_INIT, ROLE_EXEC, ROLE_N };
const char *run_role_name(enum run_role role);

/* The shared page: written by the child, read by the parent when the child is gone. */
struct run_progress {
	volatile int role;
	char step[32];
	volatile pid_t init; /* the kernel writes it when it makes init; 0: not yet */
};

/* Run a table; the first failure ends it, with step and role in the error. */
int steps_run(const struct step *steps, size_t n, enum run_role role, void *arg,
	      struct run_progress *progress, struct err *e);

#endif
