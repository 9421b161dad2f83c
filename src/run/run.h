/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run - the processes: parent, middle, init, and what they say to each other
 *
 * See ARCHITECTURE.md, "Processes". In order: run_prepare() does what can fail before
 * anything exists, run_create() brings a container to the gate, run_release() lets it
 * through, or run_start() does so from another process, and run_attach() stays with it in
 * the foreground. run_abort() undoes what failed in between, run_close() ends each.
 */
#ifndef CLEAT_RUN_RUN_H
#define CLEAT_RUN_RUN_H

#include "plan/plan.h"

/* exec: the container to enter instead of making one */
struct run_exec {
	pid_t pid;	     /* its init */
	int pidfd;	     /* the same, verified */
	uint64_t namespaces; /* CLONE_NEW* that differ from ours */
	const char *cgroup;  /* the v2 one that was asked for, and no other; NULL: any */
};

/* Where a created container waits. */
#define RUN_GATE "gate"

struct run_options {
	const struct run_exec *exec; /* NULL: create a container */
	const char *gate;	     /* wait at a socket of that name; NULL: on the channel */
	bool foreground;	     /* we stay: relay the terminal, forward signals */
	const char *console_socket;  /* path or NULL */
	const char *pidfd_socket;
};

/* Who gets a listener of seccomp_unotify(2): the container floor, which knows the state. */
struct run_listener {
	/* Send it to the agent; the descriptor stays the caller's. NULL: nobody is there. */
	int (*deliver)(void *arg, int listener, struct err *e);
	void *arg;
};

/* What the container floor does while the processes come to life. */
struct run_callbacks {
	/* init exists and waits for GO: record identity. NULL: there is nothing to record. */
	int (*identity)(void *arg, pid_t pid, int pidfd, struct err *e);
	/* everything up to the gate is done: record created, write the pid file. */
	int (*created)(void *arg, struct err *e);
	void *arg;
	struct run_listener listener;
};

/* Something else that run_attach() waits for. */
struct run_watch {
	int fd; /* -1: nothing */
	void (*readable)(void *arg);
	void *arg;
};

/* A container's init while this process still holds it. */
struct run {
	struct plan *plan; /* constant, but for what run_prepare() learns of our own process */
	struct ns_plan ns; /* the plan's, with what ns_open() opened */
	struct run_options options;
	struct run_callbacks callbacks;
	struct cgroup *cgroup;
	int birth;	      /* v2 directory that init is born in; -1: the cgroup's own */
	struct dir state_dir; /* holds the gate */
	struct seccomp_filter filter;
	pid_t pid;
	int pidfd;
	int wait_status;  /* after run_attach(): how init ended, as wait(2) has it */
	int channel;	  /* to init; -1 when it is gone */
	int gate;	  /* listening socket, handed to init */
	int console;	  /* connected console socket; -1 */
	int pidfd_socket; /* connected; -1 */
	int master;	  /* pty master in the foreground; -1 */
	int rootfs_tree, rootfs_dir;
	bool sets_priorities;  /* the parent does, since init has no right to */
	struct hook_fds hooks; /* empty: there are none */
	int userns;	       /* the container's user namespace, for id-mapped mounts; -1 */
	struct dir proc;       /* a procfs of our own; empty until parent_proc() */
	struct net_moves net;  /* devices that are in the container by our doing */
	struct rdt_fs rdt;     /* open when the container has a group there */
	struct rdt_made rdt_made;
	struct run_watch watch;
	struct run_progress *progress; /* shared page: role and step; stays mapped */
};

/*
 * run_prepare() - everything that can fail before anything is made
 *
 * Opens rootfs, namespaces to join, console socket; compiles the filter.
 */
int run_prepare(struct arena *a, struct run *r, struct err *e);

/* Is init (or exec-init) in another user namespace than we are? */
bool run_has_user_ns(const struct run *r);
/*
 * run_cut_off() - a directory that exec-init is born with must not lead to the host
 * @fd: of a cgroup; replaced by a read-only clone of that directory alone, from which ".."
 *      goes nowhere
 *
 * Only where somebody inside could take it in the moment before exec-init closes it: to take
 * such a clone apart again costs the kernel a grace period. Returns 0 or -errno; *fd stays the
 * caller's either way.
 */
int run_cut_off(const struct run *r, int *fd, struct err *e);

/*
 * run_create() - fork middle and init, serve them, come to the gate
 *
 * On failure init and middle are dead and reaped; the caller undoes the rest.
 */
int run_create(struct arena *a, struct run *r, struct err *e);

/* Let a container that run_create() made in this process go: START, then EXEC or the reason. */
int run_release(struct run *r, struct err *e);

/*
 * run_start() - `start` from another process: through the gate @gate in @state_dir
 * @pidfd: whoever waits there
 *
 * Returns when its program is executed, or with the reason why not.
 */
int run_start(const struct dir *state_dir, const char *gate, int pidfd,
	      const struct run_listener *l, struct err *e);
/* 1: somebody listens at the gate (created), 0: nobody, -errno. */
int run_gate_is_open(const struct dir *state_dir);

/*
 * Foreground: from now on signals wait for run_attach(), but for those that interrupt
 * (base/interrupt.h); init gets a fresh mask. run_prepare() does it if nobody has: until then
 * a signal ends us, and nothing is to be undone.
 */
int run_block_signals(struct err *e);
/* Foreground: forward signals, relay the terminal, wait; the container's exit status. */
int run_attach(struct arena *a, struct run *r, int *ret_status, struct err *e);
/* Take the ends of all children that have ended; waits for none. */
void run_reap_dead(void);

/*
 * run_explain_quota() - when @e says that something is full, say what, and how much fits; of
 * namespaces that may not be had, why
 * @run: whose creation failed; NULL: something else did
 */
void run_explain_quota(const struct run *run, struct err *e);

/* Kill and reap what is left of a failed creation. Safe at any point. */
void run_abort(struct run *r);
void run_close(struct run *r);

/*
 * Execute our own binary again from a read-only clone of its mount (or a sealed
 * memfd), once, before any fork: CVE-2019-5736. Returns 0 when that has happened
 * already.
 */
int run_protect_exe(char *const argv[], struct err *e);

/* Read CLEAT_FAIL, which names a step that is to fail (debug builds only); before any fork. */
void run_read_faults(void);

#endif
