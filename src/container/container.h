/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container - the use cases: one file a verb
 *
 * A container is a directory below the root (0700) with: state.json (the record,
 * atomically replaced), config.json (the copy that create took), gate (socket,
 * while it waits to be started). The lock is on the directory itself; see lock.c.
 */
#ifndef CLEAT_CONTAINER_CONTAINER_H
#define CLEAT_CONTAINER_CONTAINER_H

#include "base/arena.h"
#include "base/dir.h"
#include "base/err.h"
#include "cgroup/cgroup.h"
#include "criu/criu.h"
#include "ocispec/runtime.h"

/* Global options, as the command line gives them. */
struct context {
	const char *root; /* NULL: the default (container_root_default) */
	enum cgroup_manager cgroup_manager;
	enum cgroup_leniency leniency;
	bool debug;
};

enum container_status {
	STATUS_CREATING,
	STATUS_CREATED,
	STATUS_RUNNING,
	STATUS_PAUSED,
	STATUS_STOPPED,
	STATUS_N
};
const char *container_status_name(enum container_status s);

enum container_verb { /* rows of the lifecycle table */
		      VERB_START,
		      VERB_KILL,
		      VERB_DELETE,
		      VERB_EXEC,
		      VERB_PAUSE,
		      VERB_RESUME,
		      VERB_UPDATE,
		      VERB_PS,
		      VERB_EVENTS,
		      VERB_CHECKPOINT,
		      VERB_N
};

/* Letters, digits, "_+-."; not starting with a dot; as long as a file name may be. */
int container_id_check(const char *id, struct err *e);

struct container {
	const char *id;
	struct dir root, dir;		/* the state root; the container's directory in it */
	struct cleat_state_file *state; /* newest record that parses; NULL: none */
	int lock;			/* dir.fd while we hold the lock; -1 */
	int pidfd;			/* init, when it lives and is the recorded one; -1 */
	enum container_status status;
};

/* Open an existing container without a lock. -ENOENT: "container '<id>' does not exist". */
int container_open(struct arena *a, const struct context *ctx, const char *id,
		   struct container *ret, struct err *e);
void container_close(struct container *c);
/*
 * For verbs that change a container: take the lock (deadline 10 s; the error names the
 * holder); the record is read under it only.
 */
int container_open_locked(struct arena *a, const struct context *ctx, const char *id,
			  const char *verb, struct container *ret, struct err *e);
/*
 * The cgroup of a container, when the recorded inode proves that it is ours; NULL: it has
 * none, or the one of that name is somebody else's. The caller closes it.
 */
struct cgroup *container_cgroup(struct arena *a, const struct container *c);
/*
 * Is init kept by zombies in its pid namespace, and nobody else left in its cgroup, or that gone
 * as well, as systemd removes the one of a scope with the last process in it? exec's
 * processes are reaped by whoever is their parent outside, perhaps never, and only then is
 * init's pidfd readable; for all purposes the container has ended. pid_namespaces(7)
 */
bool container_is_zombies(struct arena *a, const struct container *c);
/* Is @verb allowed in this status? The words are docs/contract.md, rows 36 to 45. */
int container_allows(const struct container *c, enum container_verb verb, struct err *e);

/* --- verbs ------------------------------------------------------------------------------------ */
struct create_options {
	const char *id, *bundle, *config, *console_socket, *pidfd_socket, *pid_file;
	bool no_pivot, no_new_keyring, detach, keep, no_subreaper;
	bool record_exit;	  /* leave a process that records the container's end */
	unsigned preserve_fds;	  /* 3 + listen_fds and up */
	unsigned listen_fds;	  /* 3 and up */
	const char *listen_names; /* LISTEN_FDNAMES, or NULL */
	bool require_limits;
};
/* Bring it to the gate. -EEXIST: the id is taken. On failure nothing is left of it. */
int container_create(const struct context *ctx, const struct create_options *o, struct err *e);
/* *ret_status: the container's exit status (128+n for a signal); 0 when detached. */
int container_run(const struct context *ctx, const struct create_options *o, int *ret_status,
		  struct err *e);
/* Words of an option that may be given more than once. */
struct string_list {
	const char **v;
	size_t n;
};

/* A further process of a container; what is not given is as the container's own process has it. */
struct exec_options {
	const char *id;
	const char *create;  /* the name under which it waits for container_exec_start(), or NULL */
	const char *process; /* file with a process object, "-": stdin; NULL: the rest counts */
	char *const *args;   /* ends with NULL */
	const char *cwd, *user, *user_name, *apparmor, *process_label;
	struct string_list env, caps, groups, cgroups;
	bool tty, no_new_privs, detach, ignore_paused, no_subreaper;
	const char *console_socket, *pidfd_socket, *pid_file;
	unsigned preserve_fds, listen_fds;
	const char *listen_names;
};
/* *ret_status: the process's exit status (128+n for a signal); 0 when detached. */
int container_exec(const struct context *ctx, const struct exec_options *o, int *ret_status,
		   struct err *e);
/* Let the process go that waits as @name. -ESRCH: there is none, or it has ended. */
int container_exec_start(const struct context *ctx, const char *id, const char *name,
			 struct err *e);
/* Let it through the gate. Returns when its program is executed, or with the reason why not. */
int container_start(const struct context *ctx, const char *id, struct err *e);
/*
 * @sig: CONTAINER_STOP_SIGNAL is the one that the image names, else SIGTERM. @all: to everybody
 * in its cgroup, also when init has ended.
 */
#define CONTAINER_STOP_SIGNAL (-1)
int container_kill(const struct context *ctx, const char *id, int sig, bool all, struct err *e);
/*
 * Wait until it has ended. *ret: how, in @a; NULL when nobody can tell: it had been reaped
 * before, and nobody recorded it, or the kernel does not say (before 6.15). @timeout_ms: -1
 * for ever; -ETIMEDOUT. One that is just being made is waited for, too: as long as for a lock.
 */
int container_wait(struct arena *a, const struct context *ctx, const char *id, int64_t timeout_ms,
		   struct cleat_exit **ret, struct err *e);
/*
 * Ask it to end by CONTAINER_STOP_SIGNAL; kill it @timeout_ms later. Fine when it has ended.
 * One that is just being made is stopped as soon as it has an init.
 */
int container_stop(const struct context *ctx, const char *id, int64_t timeout_ms, struct err *e);
/*
 * Remove all that was made for it. @force: kill it first, whatever its status is; then it is no
 * error when it does not exist, and what a killed creation has left goes as well.
 */
int container_delete(const struct context *ctx, const char *id, bool force, struct err *e);

/* Hold all of its processes still, and let them go on: when it returns they are, and do. */
int container_pause(const struct context *ctx, const char *id, struct err *e);
int container_resume(const struct context *ctx, const char *id, struct err *e);
/* Everything but resources may be NULL. All or nothing. */
struct update_options {
	const struct oci_linux_resources *resources;
	const char *l3_cache_schema, *mem_bw_schema;
};
int container_update(const struct context *ctx, const char *id, const struct update_options *o,
		     struct err *e);
/* What it uses now; stats lie in @a. */
struct cgroup_stats;
int container_stats(struct arena *a, const struct context *ctx, const char *id,
		    struct cgroup_stats *ret, struct err *e);
/* The same every @interval_ms until nobody is left inside or @output has no reader. */
struct event_sink {
	int64_t interval_ms;
	int output; /* descriptor that is written to */
	/* @stats NULL: somebody inside was killed for memory. What it returns below 0 ends all. */
	int (*emit)(void *arg, const char *id, const struct cgroup_stats *stats, struct err *e);
	void *arg;
};
int container_events(const struct context *ctx, const char *id, const struct event_sink *sink,
		     struct err *e);
/* All processes, sorted; of a container without a cgroup init alone. */
int container_pids(struct arena *a, const struct context *ctx, const char *id, pid_t **ret,
		   size_t *ret_n, struct err *e);
/*
 * Mounts of a running container. Adding and removing is all or nothing; of what is to be
 * removed only the destination counts.
 */
int container_mounts_add(const struct context *ctx, const char *id, const struct oci_mounts *mounts,
			 struct err *e);
int container_mounts_remove(const struct context *ctx, const char *id,
			    const struct oci_mounts *mounts, struct err *e);
/* /proc/PID/mountinfo of its init. */
int container_mountinfo(struct arena *a, const struct context *ctx, const char *id, char **ret,
			struct err *e);

/* checkpoint and restore; what CRIU itself is told is in ->choices */
struct image_options {
	struct criu_choices choices;
	const char *images; /* directory; NULL: ./checkpoint */
	const char *work;   /* directory of CRIU's log; NULL: the one of the images */
	const char *criu;   /* the program; NULL: it is looked for */
	bool pre_dump;
	int status_fd; /* checkpoint: written to when the page server listens; -1: none */
};
int container_checkpoint(const struct context *ctx, const char *id, const struct image_options *o,
			 struct err *e);
/* *ret_status: as of container_run() */
int container_restore(const struct context *ctx, const struct create_options *c,
		      const struct image_options *o, int *ret_status, struct err *e);

/* The state object of runtime.md with what callers decode (rootfs, created, owner). */
int container_state(struct arena *a, const struct context *ctx, const char *id,
		    struct oci_state **ret, struct err *e);
/* The ids that an extended regular expression matches, see regex(7); sorted. */
int container_match(struct arena *a, const struct context *ctx, const char *pattern,
		    const char ***ret, size_t *ret_n, struct err *e);
/* All containers of the root; a broken entry does not spoil the rest. */
int container_list(struct arena *a, const struct context *ctx, struct oci_state ***ret,
		   size_t *ret_n, struct err *e);

#endif
