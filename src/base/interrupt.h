/* SPDX-License-Identifier: Apache-2.0 */
/*
 * interrupt - a signal that ends what takes as long as others like
 *
 * A command that stays in the foreground has all signals blocked and sends them on as soon
 * as there is somebody to get them. Until then it may wait for hooks, which are in sessions
 * of their own, where no ^C reaches them: so who waits for one waits for SIGINT, SIGTERM,
 * SIGHUP and SIGQUIT as well, unless they are ignored. One descriptor a process, as signals
 * are a process's.
 */
#ifndef CLEAT_BASE_INTERRUPT_H
#define CLEAT_BASE_INTERRUPT_H

#include <signal.h>

/* @fd: a signalfd(2) that does not block; it stays the caller's. -1: nothing interrupts. */
void interrupt_by(int fd);
/* What to poll for reading; -1, which poll(2) passes over, when nothing interrupts. */
int interrupt_fd(void);
/*
 * Look at what has come. Returns the signal that interrupts, after which nothing does any more
 * (undoing is not interrupted), or 0.
 */
int interrupt_take(void);
/* All that it has taken; what ended nothing is somebody's. */
const sigset_t *interrupt_taken(void);

#endif
