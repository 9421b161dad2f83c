/* SPDX-License-Identifier: Apache-2.0 */
/*
 * helper - run another program and learn how it ended
 *
 * Hooks, newuidmap, criu, ps: they are started with an explicit environment,
 * default signal dispositions, an empty mask, umask 022 (ours is 0) and no descriptor
 * but 0, 1 and 2, in a session (and so a process group) of their own; the input is fed
 * to stdin (EPIPE is fine), the tail of stderr is kept for the error (or, of a program that
 * said nothing there, that of a stdout which nobody else wants), and at the deadline, or
 * when a signal interrupts (interrupt.h), the whole group is killed. The wait is on the
 * pidfd and the pipes together, so it always ends; the program dies with the process that
 * started it.
 */
#ifndef CLEAT_BASE_HELPER_H
#define CLEAT_BASE_HELPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct helper {
	const char *what;	 /* for messages: "error running poststop hook #0", "newuidmap" */
	const char *path;	 /* absolute path that is executed */
	const char *const *argv; /* argv[0] may differ from path; NULL: just path */
	const char *const *envp; /* NULL: empty environment */
	int cwd_fd;		 /* directory to start in; -1: as we are */
	const char *input;	 /* fed to stdin; NULL: /dev/null */
	size_t input_len;
	uint64_t timeout_ms; /* 0: no deadline */
	int stdout_fd;	     /* >= 0: stdout, or a copy of it with @output; -1: the tail is kept */
	int stderr_fd;	     /* >= 0: a copy of stderr goes there; -1: only the tail is kept */
	char *output;	     /* when not NULL: stdout is collected here, terminated */
	size_t output_size;  /* of @output; longer output is an error (EMSGSIZE) */
	int *ret_status;     /* NULL, or: exit status, 128 + signal; -1: it did not run */
	bool keep_umask;     /* the program gets ours, not 022 */
};

/*
 * helper_run() - run and wait
 *
 * Returns 0 when the program exited with status 0. Otherwise -errno and an error
 * such as "newuidmap: exec '/x': no such file or directory" (that errno), "newuidmap:
 * exited with status 1: 'uid range not allowed'" or "... killed by signal 9" (ECHILD),
 * "... timed out after 3000 ms" (ETIMEDOUT) or "... interrupted by signal 2" (EINTR).
 *
 * What the program left running in the background keeps running, unless the deadline
 * came; output that it writes after the program's end is lost. So is, of a copy, what nobody
 * has taken 2 s after that end, or when the deadline or a signal came.
 */
int helper_run(const struct helper *h, struct err *e);

#endif
