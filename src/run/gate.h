/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate - where a created container, or a process of exec --create, waits to be started
 *
 * A listening SEQPACKET socket named "gate" in the state directory; init holds the
 * listening end, so it works across every namespace and closes with init. The file
 * stays until `start` succeeded; status tells a gate with nobody behind it by a
 * refused connection. Credentials on the socket prove nothing (the kernel reports
 * whoever called listen): identity comes from the recorded pidfd.
 */
#ifndef CLEAT_RUN_GATE_H
#define CLEAT_RUN_GATE_H

#include "run/run.h"

/* parent: make the socket @name in @state_dir. Returns the listening descriptor or -errno. */
int gate_make(const struct dir *state_dir, const char *name, struct err *e);

/*
 * init: wait for somebody who says START on @gate. Connections that say nothing
 * (status asks by connecting) are dropped. Returns the connection or -errno.
 */
int gate_wait(int gate, struct err *e);

/*
 * Wait for the outcome on a connection after START was sent; see run_start().
 * @pidfd: init, whose seccomp listener is fetched for @l
 */
int gate_outcome(int peer, int pidfd, const struct run_listener *l, struct err *e);

#endif
