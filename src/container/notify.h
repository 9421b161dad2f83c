/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify - sd_notify(3) from the container to whoever started us
 *
 * Our own NOTIFY_SOCKET cannot be the container's: its service manager knows us, not the
 * pids inside, and lets nobody else speak. So the container gets a socket of ours, in a
 * directory of the state directory that is bound at the path that NOTIFY_SOCKET names (at
 * /run/notify where that is no path, or systemd's own), and what it says there is passed on:
 * READY=1 together with MAINPID, and what else does no harm. Whoever starts the container
 * detached waits for READY, and for the barrier that says that the manager has read it, since
 * a message of a process that is gone by then counts for nothing.
 *
 * Nothing of this exists, and nothing is looked at, when NOTIFY_SOCKET is not set.
 */
#ifndef CLEAT_CONTAINER_NOTIFY_H
#define CLEAT_CONTAINER_NOTIFY_H

#include "container/container.h"
#include "spec/spec.h"

struct notify {
	int in;	   /* the container's socket; -1: there is none */
	int out;   /* connected to ours */
	pid_t pid; /* of the container, as our manager sees it */
	bool ready;
};
#define NOTIFY_NONE ((struct notify){ .in = -1, .out = -1 })

/* NOTIFY_SOCKET, when it is set and of a kind that we know; else NULL. */
const char *notify_target(void);

/*
 * notify_extend() - give @spec the mount and the variable by which the container finds it
 * @target: as notify_target() has it
 * @state_dir: absolute path of the container's state directory
 */
void notify_extend(struct arena *a, struct spec *spec, const char *target, const char *state_dir);
/* The directory, in the state directory of @c. */
int notify_make(const struct container *c, struct err *e);
int notify_remove(const struct container *c, struct err *e);

/*
 * notify_open() - the two sockets, before the container's program can look for its own
 *
 * A container that was made without, or a manager that is not there, leaves *ret empty.
 * Returns 0 or -errno.
 */
int notify_open(const struct container *c, const char *target, pid_t pid, struct notify *ret,
		struct err *e);
void notify_close(struct notify *n);
/* Pass on what is there; @arg is a struct notify. */
void notify_relay(void *arg);
/* Relay until READY was said and read, or the container behind @pidfd has ended. */
int notify_await(struct notify *n, int pidfd, struct err *e);

#endif
