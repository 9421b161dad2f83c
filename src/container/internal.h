/* SPDX-License-Identifier: Apache-2.0 */
/* internal - what the files of this room share */
#ifndef CLEAT_CONTAINER_INTERNAL_H
#define CLEAT_CONTAINER_INTERNAL_H

#include "container/container.h"
#include "container/notify.h"
#include "plan/plan.h"
#include "run/run.h"

#define RECORD_NAME "state.json"
#define CONFIG_NAME "config.json"

/* Kernel and peers get this long before a command gives up. */
#define CONTAINER_DEADLINE_MS 10000

/* --- root.c ----------------------------------------------------------------------------------- */

/*
 * Open the state root; @make: create it when missing. -ENOENT when it does not exist.
 * ret->name lives in @a.
 */
int root_open(struct arena *a, const struct context *ctx, bool make, struct dir *ret,
	      struct err *e);
/* Where it is, as an absolute path; NULL: our working directory has no name. */
const char *root_path(struct arena *a, const struct context *ctx);

/* --- record.c --------------------------------------------------------------------------------- */

/* How far a creation came; written as words. Each record contains what its predecessor did. */
enum record_phase {
	RECORD_NONE,	 /* no record, or none that can be understood */
	RECORD_INTENT,	 /* the names of what will be made */
	RECORD_IDENTITY, /* init was born: what proves that a process or a cgroup is ours */
	RECORD_CREATED,	 /* init is at the gate, or beyond it */
};
enum record_phase record_phase(const struct cleat_state_file *s);

/* What is known before anything is made. */
struct cleat_state_file *record_new(struct arena *a, const struct dir *root,
				    const struct create_options *o, const struct plan *p);

/* Write @s as the record of @phase. Returns 0 or -errno. */
int record_write(struct arena *a, const struct dir *dir, struct cleat_state_file *s,
		 enum record_phase phase, struct err *e);

/*
 * Read the record below @dirfd. *ret is NULL, with success, when there is none or it
 * cannot be parsed; a record of a newer release is an error, -EPROTONOSUPPORT.
 */
int record_read(struct arena *a, int dirfd, const char *id, struct cleat_state_file **ret,
		struct err *e);
/* The same in a file of another name: processes that wait, see exec_gate.c. */
int record_write_as(struct arena *a, const struct dir *dir, const char *name,
		    struct cleat_state_file *s, enum record_phase phase, struct err *e);
int record_read_as(struct arena *a, int dirfd, const char *name, const char *id,
		   struct cleat_state_file **ret, struct err *e);

/* Decode and encode, for tests. As record_read(); a broken record is -EINVAL. */
int record_decode(struct arena *a, const char *id, const char *text, size_t len,
		  struct cleat_state_file **ret, struct err *e);

/* --- identity.c ------------------------------------------------------------------------------- */

/* Note in @s what tells @pid from any other process of this machine, ever. */
int identity_record(struct arena *a, struct cleat_state_file *s, pid_t pid, int pidfd,
		    struct err *e);
/*
 * A pidfd of the recorded init. -1, with success, when it has ended (a zombie counts) or
 * its pid belongs to another process now.
 */
int identity_open(const struct cleat_state_file *s, int *ret_pidfd, struct err *e);
/*
 * Is the process behind @pidfd, which is not readable, an init that has left everything and
 * waits for the processes in its pid namespace to be reaped? proc_pid_wchan(5)
 */
bool identity_waits_for_zombies(pid_t pid, int pidfd);
/*
 * Will the process behind @pidfd end whatever happens, without anything of ours? It was killed,
 * or is on its way out: proc_pid_status(5), ShdPnd.
 */
bool identity_is_ending(pid_t pid, int pidfd);
/*
 * How the process behind @pidfd ended, as wait(2) has it, while its parent has not reaped
 * it, or it waits for zombies; -ENODATA: it lives, has been reaped, or we may not know.
 */
int identity_zombie_status(pid_t pid, int pidfd);
/* The same of the recorded init, which has ended or only waits for zombies. */
int identity_ended_status(const struct cleat_state_file *s);
/* Wait until the process behind @pidfd has ended: 0, -ETIMEDOUT without an error, or -errno. */
int identity_wait(pid_t pid, int pidfd, uint64_t timeout_ms, struct err *e);

/* --- wait.c ----------------------------------------------------------------------------------- */

/*
 * Wait until init has ended, or only waits for zombies of others, as container_is_zombies() has
 * it. @timeout_ms: -1 for ever. Returns 0, -ETIMEDOUT without an error, or -errno.
 */
int container_await_end(struct arena *a, const struct container *c, int64_t timeout_ms,
			struct err *e);

/* --- exit.c ----------------------------------------------------------------------------------- */

/* How the process ended, as wait(2) has it; -ENODATA when nobody can tell. */
int exit_wait_status(pid_t pid, int pidfd);
/* What is on record; -ENOENT: nothing. */
int exit_read(struct arena *a, const struct container *c, struct cleat_exit **ret);
/* What there is to say now that it has ended. */
struct cleat_exit *exit_describe(struct arena *a, const struct container *c, int wait_status);
/* Put it on record, unless somebody has; takes the lock if we do not have it. */
void exit_record(struct arena *a, struct container *c, const struct cleat_exit *x);
/*
 * Leave a process behind that records the end of @c, whose init is @pidfd. The lock must not
 * be held: it would be the process's too.
 */
int exit_watch(struct arena *a, const struct container *c, int pidfd, struct err *e);

/* --- open.c ----------------------------------------------------------------------------------- */

/* The error: there is no such container. */
int container_absent(const char *id, struct err *e);
/* Open the directory @id below @root and nothing else. */
int container_open_dir(const struct dir *root, const char *id, struct container *ret,
		       struct err *e);
/* The same with the root of @ctx; the id is checked. */
int container_find_dir(struct arena *a, const struct context *ctx, const char *id,
		       struct container *ret, struct err *e);
/*
 * Read the record and look for init. c->status is CREATING or STOPPED when that is
 * certain, else RUNNING; container_refine() tells created, running and paused apart. A
 * directory without a record is fine when @leftovers (c->state is NULL; CREATING while
 * somebody works on it), else the container "does not exist", as one whose directory was
 * removed meanwhile.
 */
int container_reload(struct arena *a, struct container *c, bool leftovers, struct err *e);
/* A living one is to be killed: are there perhaps others that nothing of ours reaches? */
void container_warn_of_others(struct arena *a, const struct container *c);
/* As container_cgroup(), but it may be gone, or somebody else's; NULL: none is on record. */
struct cgroup *container_recorded_cgroup(struct arena *a, const struct container *c);
/*
 * The same, but an init that has left everything and waits for zombies may still count as
 * alive: who is to fail at it anyway asks then, by container_has_zombies_only(), which gives
 * @c the status that it has.
 */
int container_read(struct arena *a, struct container *c, bool leftovers, struct err *e);
bool container_has_zombies_only(struct arena *a, struct container *c);
void container_refine(struct arena *a, struct container *c);
/* container_open() without container_refine(). */
int container_find(struct arena *a, const struct context *ctx, const char *id,
		   struct container *ret, struct err *e);
bool container_was_removed(const struct container *c);

/* --- state.c ---------------------------------------------------------------------------------- */

struct oci_state *container_describe(struct arena *a, const struct container *c);

/* --- lock.c ----------------------------------------------------------------------------------- */

/* Returns 0, -EWOULDBLOCK when somebody else holds it, or -errno. */
int lock_try(int dirfd);
/* Wait for it; @verb begins the message that names the holder. Returns 0 or -errno. */
int lock_wait(struct arena *a, int dirfd, const char *id, const char *verb, unsigned timeout_ms,
	      struct err *e);
void lock_drop(int dirfd);
/* Does anybody change this container just now? */
bool lock_is_held(int dirfd);

/* --- pid_file.c ------------------------------------------------------------------------------- */

struct pid_file {
	struct dir dir;	  /* where it will be; -1: no pid file is wanted */
	const char *name; /* in that directory */
	bool written;	  /* it is ours */
};

/*
 * Open the directory of @path now, while the working directory is the caller's. What is
 * there already is replaced by pid_file_write(), and has to be a regular file (-EINVAL).
 */
int pid_file_prepare(struct arena *a, const char *path, struct pid_file *ret, struct err *e);
int pid_file_write(struct pid_file *f, pid_t pid, struct err *e);
/* If it was written. */
void pid_file_remove(const struct pid_file *f);
void pid_file_close(struct pid_file *f);

/* --- delete.c --------------------------------------------------------------------------------- */

/*
 * container_destroy() - remove everything that was made for a container
 *
 * The lock is held. How far the creation came decides what may be done: see delete.c.
 * Also the undo of a failed creation and the end of `run`.
 */
int container_destroy(struct arena *a, struct container *c, struct err *e);

/* --- listener.c ------------------------------------------------------------------------------- */

/* Whose seccomp listener it is. */
struct listener_of {
	struct arena *arena;
	const struct container *container;
	const struct spec *spec; /* NULL: the copy in the state directory is read when needed */
	pid_t pid;		 /* a further process; 0: init */
	const char *variable;	 /* RUN_OCI_SECCOMP_RECEIVER at its creation, or NULL */
};
struct run_listener listener_for(struct listener_of *l);
/*
 * The receiver of the prepared @run's listener, if it is the environment's, for the record:
 * whoever starts the process may have another environment. Else NULL.
 */
const char *listener_from_environment(const struct run *run, const struct host *host);

/* --- exec_process.c --------------------------------------------------------------------------- */

/* The process object that the options of an exec mean, checked. */
int exec_process(struct arena *a, const struct container *c, const struct spec *spec,
		 const struct exec_options *o, struct spec_process *ret, struct err *e);

/* --- exec_gate.c ------------------------------------------------------------------------------ */

/* Of a process that waits to be started: its name, and the files in the state directory. */
struct exec_gate {
	const char *name, *socket, *record;
	const char *receiver; /* of its seccomp listener, where the environment has named it */
	int lock;	      /* names are taken and given back under it; -1: not held */
};
#define EXEC_GATE_NONE ((struct exec_gate){ .lock = -1 })
/* Check the name. */
int exec_gate_name(struct arena *a, const char *name, struct exec_gate *ret, struct err *e);
/*
 * Make the name ours. -EEXIST: one of that name waits. What is left of one that has ended is
 * removed. Released when the process is on record, or removed again.
 */
int exec_gate_claim(struct arena *a, const struct container *c, struct exec_gate *g, struct err *e);
void exec_gate_release(struct exec_gate *g);
/* Which process it is. */
int exec_gate_record(struct arena *a, const struct container *c, const struct exec_gate *g,
		     pid_t pid, int pidfd, struct err *e);
void exec_gate_remove(const struct container *c, const struct exec_gate *g);

/* --- create.c --------------------------------------------------------------------------------- */

/* A container that this process makes. */
struct creation {
	struct arena *arena;
	const struct create_options *options;
	struct host host;
	struct spec *spec;
	struct plan *plan;
	struct run run;
	bool prepared;	    /* run_close() is due */
	bool owned;	    /* the directory is locked and has a file of ours: it is to be undone */
	struct container c; /* its directory is open and locked once it is ours */
	struct pid_file pid_file;
	struct cgroup *cgroup;
	struct listener_of listener;
	const char *notify_target; /* who is told that it is ready; NULL: nobody */
};

/* Bring a container to the gate. On failure nothing is left. */
int creation_make(struct arena *a, struct creation *m, const struct context *ctx,
		  const struct create_options *o, const struct run_options *how, struct err *e);
/* The same with @bring instead of run_create(): the processes come from somewhere else. */
int creation_make_by(struct arena *a, struct creation *m, const struct context *ctx,
		     const struct create_options *o, const struct run_options *how,
		     int (*bring)(struct creation *m, void *arg, struct err *e), void *arg,
		     struct err *e);
/* Undo one that was made: kill, remove, poststop hooks. The error of before stays. */
void creation_undo(struct creation *m);
/* Release the lock and close; the container stays. */
void creation_close(struct creation *m);

/* It goes on without us, as soon as it is ready; with --record-exit somebody watches for its end. */
int creation_leave(struct creation *m, struct notify *n, struct err *e);

/* --- run.c: in the foreground until the container's end, then delete it */
int creation_stay(struct creation *m, int *ret_status, struct err *e);

/* poststart hooks of a container that runs since just now. */
int container_poststart(struct arena *a, const struct hook_plan *hooks, const struct spec *spec,
			const struct container *c, struct err *e);

#endif
