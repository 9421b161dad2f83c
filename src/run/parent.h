/* SPDX-License-Identifier: Apache-2.0 */
/* parent - what the files of the parent's side share */
#ifndef CLEAT_RUN_PARENT_H
#define CLEAT_RUN_PARENT_H

#include "run/run.h"

enum phase { PHASE_BIRTH = 1 << 0, PHASE_SETUP = 1 << 1, PHASE_GATE = 1 << 2 };

struct parent {
	struct arena *arena;
	struct run *run;
	enum phase phase;
	int middle; /* pidfd; -1 once it was reaped */
	pid_t middle_pid;
};

/* A procfs that nobody can have covered or redirected, in run->proc. */
int parent_proc(struct run *r, struct err *e);

/*
 * parent_serve() - receive one message of a child and answer it
 *
 * A child that reported a failure, or is gone without one, is an error.
 */
int parent_serve(struct parent *p, struct err *e);

/*
 * Before receiving what comes after hooks of @kind, if there are any: wait for it, or for a
 * signal that interrupts (-EINTR).
 */
int run_await(const struct run *r, enum hook_kind kind, struct err *e);

/* A child is gone without a report: the shared page knows how far it came. Fills @e. */
int parent_silent_death(struct parent *p, struct err *e);

#endif
