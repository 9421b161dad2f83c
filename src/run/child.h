/* SPDX-License-Identifier: Apache-2.0 */
/*
 * child - what middle and init share
 *
 * Both are forks of the parent, so they have its memory: the plan, the compiled
 * filter, the descriptors. Neither prints: log lines and the one error go up the
 * channel. Neither returns: their cleanup attributes would run twice.
 */
#ifndef CLEAT_RUN_CHILD_H
#define CLEAT_RUN_CHILD_H

#include "run/channel.h"
#include "run/run.h"
#include "run/steps.h"

struct child {
	struct arena *arena;
	struct run *run;
	const struct plan *plan;
	int up;	  /* channel to the parent */
	int peer; /* whoever starts us: the channel, or a connection at the gate */
	struct mount_ctx mount;
	int slave;	       /* terminal; -1 */
	int landlock;	       /* ruleset; -1 */
	bool cwd_done;	       /* the working directory was entered before the ids changed */
	int cgroup;	       /* v2 directory to be born in; -1 */
	const char *exec_path; /* what execve gets */
	const char *const *env;
};

_Noreturn void middle_main(struct child *c);
_Noreturn void init_main(struct child *c);
_Noreturn void exec_init_main(struct child *c);

/* Ask the parent: send @type, wait for MSG_OK. *ret_fd may be NULL. The number of the answer,
   or -errno with the error filled. A parent that is gone ends the process. */
int child_ask(struct child *c, enum msg_type type, int64_t number, int send_fd, int *ret_fd,
	      struct err *e);

/* init's side of its life: nothing before GO. */
void child_wait_for_go(struct child *c);

/* Close every descriptor but stdio, those that the container is given, and @keep (sorted here). */
void child_close_except(const struct child *c, int *keep, size_t n);

/* Report @e on @sock and end. */
_Noreturn void child_fail(int sock, struct err *e);

#endif
