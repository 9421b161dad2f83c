/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handover - a filter is loaded in init, and its listener goes to the agent
 *
 * Init waits in a page fault, which tells the peer the number of the listener (sec.h). Who
 * may trace init could take it, but init is non-dumpable and its memory belongs to the user
 * namespace that cleat was started in, so that takes CAP_SYS_PTRACE there. Instead init has a
 * second thread, made before the filter and therefore without it, which has the same
 * descriptors and sends the one that the peer asks for:
 *
 *	init    LISTENER, with the descriptor of the watched memory
 *	init    loads the filter, touches the page of the listener's number
 *	peer    FETCH with that number
 *	thread  OK with the listener, and ends
 *	peer    delivers it, fills the page: init goes on
 *
 * The thread answers one question and is gone before init goes on; it ends with init, and
 * when the peer does. Nothing of it survives execve(2). Where none can be made (pids.max,
 * RLIMIT_NPROC, SCHED_DEADLINE) LISTENER says so, and the peer tries pidfd_getfd(2), as it
 * does with an init of a release that had no thread.
 */
#ifndef CLEAT_RUN_HANDOVER_H
#define CLEAT_RUN_HANDOVER_H

#include "run/channel.h"
#include "run/run.h"

/* init: load @f, which has a listener; returns once the peer has delivered it. 0 or -errno. */
int handover_load(int peer, const struct seccomp_filter *f, bool no_new_privs, struct err *e);

/*
 * handover_take() - the peer: take the listener and deliver it
 * @offer: the message LISTENER, with the descriptor @watch, which stays the caller's
 *
 * Waits 10 s at most for init, and for its thread.
 */
int handover_take(int peer, int pidfd, const struct msg *offer, int watch,
		  const struct run_listener *l, struct err *e);

#endif
