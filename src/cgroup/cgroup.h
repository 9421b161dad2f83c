/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup - resources, birth, kill, freeze, emptiness
 *
 * On every host with a v2 tree the container has a v2 cgroup (the only one on a
 * pure v2 host, the one at /sys/fs/cgroup/unified on a hybrid host): init is cloned
 * into it, and kill, freeze and emptiness use it. Each controller is used where
 * the kernel has it. A name alone permits only rmdir of an empty cgroup; killing
 * needs the recorded inode to match.
 */
#ifndef CLEAT_CGROUP_CGROUP_H
#define CLEAT_CGROUP_CGROUP_H

#include "base/dir.h"
#include "cgroup/stats.h"
#include "spec/spec.h"
#include "sys/host.h"

enum cgroup_manager { CGROUP_FS, CGROUP_SYSTEMD, CGROUP_DISABLED };
int cgroup_manager_from_name(const char *name); /* "cgroupfs" ...; or -EINVAL */

enum cgroup_op {
	CGROUP_WRITE,	    /* @value to @file */
	CGROUP_USAGE_BELOW, /* no write: refuse when the number in @file is above @value */
};

struct cgroup_value {	  /* one write; the text is final */
	const char *file; /* "memory.max" */
	const char *value;
	bool optional; /* a missing file is no error (a limit that means "unlimited") */
	enum cgroup_op op;
	const char *field; /* of config.json, below linux.resources: "memory.limit" */
	/*
	 * Values of one group bound each other (quota and period, memory and memory with
	 * swap): what the kernel refuses is tried again after the rest of the group. 0: none.
	 */
	unsigned group;
	const struct cgroup_value *otherwise; /* instead, where @file does not exist; or NULL */
};

enum cgroup_when {
	CGROUP_EARLY, /* before anybody is inside: cpuset, realtime, devices, memory ... */
	CGROUP_LATE,  /* after init's birth: pids */
};

struct cgroup_dir_plan {
	const char *hierarchy;	 /* v1: folder name below /sys/fs/cgroup; NULL: v2 */
	const char *controllers; /* v1: "cpu,cpuacct"; v2: what to enable, "cpu memory" */
	const char *path;	 /* of the container's cgroup, relative to the hierarchy's root */
	const char *self;	 /* our own cgroup, likewise */
	const struct cgroup_value *early, *late;
	size_t n_early, n_late;
	bool required; /* a limit was asked for here: no silent degradation */
};

struct cgroup_plan {
	enum cgroup_manager manager;
	enum host_cgroups host;
	const struct cgroup_dir_plan *dirs; /* dirs[0] is v2 when the host has it */
	size_t n_dirs;
	const char *scope, *slice; /* systemd */
	const struct unit_properties *properties;
	const struct bpf_insn *device_prog; /* v2 device program; NULL: none */
	size_t device_len;
	bool required; /* a limit was asked for: no silent degradation */
	bool rootless; /* or as if: where it is not required, no permission is no error */
	bool delegate; /* chown to delegate_uid, the host's id of process.user */
	uid_t delegate_uid;
	/*
	 * The host's id of the container's group 0: a process in the user namespace that
	 * clones into the cgroup has its rights over files only where both ids are mapped.
	 */
	gid_t delegate_gid;
	/*
	 * "a/b": its processes are there, below the cgroup that has the values and is the root of
	 * their cgroup namespace, so that they can give controllers to cgroups of their own; NULL:
	 * they are in it. v2 only.
	 */
	const char *leaf;
	bool named; /* it is in the v1 hierarchy name=systemd as well, at the same path */
	const char *const *warnings; /* what was asked for and cannot be had; create logs them */
	size_t n_warnings;
};

/* Where a caller has no permission to make cgroups: go on without, or fail? */
enum cgroup_leniency {
	CGROUP_LENIENT_ROOTLESS, /* go on without when rootless */
	CGROUP_LENIENT,
	CGROUP_STRICT,
};

struct cgroup_plan_options {
	enum cgroup_manager manager;
	const char *id;
	bool rootless;
	enum cgroup_leniency leniency;
	bool require_limits; /* going on without: a limit that cannot be applied is an error */
	bool update;	     /* new values for a living container: no devices, 0 pids is no limit */
};

/* Pure: config and host facts in, files and values out. */
int cgroup_plan_make(struct arena *a, const struct spec *spec, const struct host *host,
		     const struct cgroup_plan_options *opt, struct cgroup_plan *ret, struct err *e);

/*
 * cgroup_unit() - the systemd unit that a cgroupsPath names; pure
 * @cgroups_path: "slice:prefix:name", or NULL or "" for the default
 *
 * An empty slice is system.slice (rootless: user.slice), the name is prefix-name.scope,
 * and a name that ends in ".slice" is itself the unit. Returns 0 or -EINVAL.
 */
struct cgroup_unit {
	const char *slice; /* "a-b.slice" */
	const char *unit;  /* "cri-containerd-x.scope" */
	const char *path;  /* below the manager's own cgroup: "/a.slice/a-b.slice/...scope" */
};
int cgroup_unit(struct arena *a, const char *cgroups_path, const char *id, bool rootless,
		struct cgroup_unit *ret, struct err *e);

struct cgroup; /* directory descriptors and the manager that must agree with them */

/*
 * cgroup_create() - make the directories, write the early values
 *
 * Refuses a cgroup that exists and holds processes or is frozen. What was made is
 * removed again on failure. Rootless without delegation degrades (cgroup_is_none()
 * is true then) unless a limit is required. @hints is a directory, of root's alone, in
 * which we note the device programs that there are, to use them again; -1: none.
 */
int cgroup_create(struct arena *a, const struct cgroup_plan *p, int hints, struct cgroup **ret,
		  struct err *e);
/* Open the cgroup of an existing container from its state (paths and inode). */
struct cleat_state_file;
int cgroup_open(struct arena *a, const struct cleat_state_file *state, struct cgroup **ret,
		struct err *e);
void cgroup_close(struct cgroup *cg);
/* init is inside and on record: what kept a place for it leaves. Called by close, too. */
void cgroup_release(struct cgroup *cg);
/* How long systemd may take for a request; default: 30000. For this process. */
void cgroup_systemd_timeout(unsigned ms);

/*
 * Where directory @i of the plan really is: systemd may put the unit below another one.
 * NULL: it could not be made, and the container is where its maker was.
 */
const char *cgroup_path(const struct cgroup *cg, size_t i);
bool cgroup_is_none(const struct cgroup *cg); /* manager disabled, or degraded to nothing */
int cgroup_v2_fd(const struct cgroup *cg);    /* O_PATH; -1: none */
/* Of a new one: where init is born, the plan's leaf or the v2 directory itself; -1: none. */
int cgroup_birth_fd(const struct cgroup *cg);
bool cgroup_matches(const struct cgroup *cg);	 /* opened: the recorded inode is still there */
bool cgroup_needs_join(const struct cgroup *cg); /* v1 hierarchies: parent writes init's pid */
int cgroup_join(struct cgroup *cg, pid_t pid, struct err *e);
/*
 * For exec: the container's v2 cgroup takes no process (EBUSY) once init has moved on
 * into a nested one and enabled controllers for it. An O_PATH descriptor of where process
 * @pid is now, if that is below; the caller closes it.
 */
int cgroup_open_below(struct cgroup *cg, pid_t pid, struct err *e);
/*
 * For exec, too: where a further process belongs when the container's cgroup has a leaf for
 * them: there, or where process @pid is if that leaf has gone. The caller closes the
 * descriptor, *ret; -1: it has none, or that process has come to the container's cgroup itself.
 */
int cgroup_open_leaf(struct cgroup *cg, pid_t pid, int *ret, struct err *e);
/*
 * For exec: cgroup_join() is to take a further process to a cgroup below the container's, which
 * must be there. @where is a path, or one or more "cpu,memory:path" for the v1 hierarchies of
 * these controllers alone, each named once. *ret_v2 gets the v2 directory of a path, which the
 * caller closes; it is untouched where that has none.
 */
int cgroup_enter_below(struct cgroup *cg, const char *const *where, size_t n, int *ret_v2,
		       struct err *e);
int cgroup_apply_late(struct cgroup *cg, const struct cgroup_plan *p, struct err *e);

/* SIGKILL to everything inside (cgroup.kill, then each; v1: frozen first); cgroup_thaw_all(). */
int cgroup_kill(struct cgroup *cg, struct err *e);
/* Any signal to everything inside; number of processes reached or -errno. */
int cgroup_signal(struct cgroup *cg, int sig, struct err *e);
int cgroup_freeze(struct cgroup *cg, bool frozen, struct err *e);
int cgroup_is_frozen(struct cgroup *cg); /* 1, 0 or -errno */
/*
 * Thaw the container's v1 freezer and all that is nested in it, for those who have got SIGKILL.
 * Returns whether one was frozen; false without such a hierarchy.
 */
bool cgroup_thaw_all(struct cgroup *cg);
/*
 * Take a process out of another v1 freezer cgroup that is frozen, where it cannot end, into the
 * container's. Before it does so, @pidfd proves that @pid is still that process's: who is held
 * keeps it. False without such a hierarchy, when it is not held, or does not go.
 */
bool cgroup_bring_home(struct cgroup *cg, pid_t pid, int pidfd);
int cgroup_is_populated(struct cgroup *cg);
/*
 * To wait for several things at once: a descriptor that poll(2) finds POLLPRI on when somebody
 * comes or the last one leaves, since cgroup_events_say_empty() last looked. The caller closes
 * it; -1: nothing tells, without v2.
 */
int cgroup_open_events(const struct cgroup *cg);
bool cgroup_events_say_empty(int fd);
/* Wait on cgroup.events until nobody is inside. -ETIMEDOUT with the pids in the text. */
int cgroup_wait_empty(struct cgroup *cg, uint64_t deadline_ms, struct err *e);
/* Remove directories, nested ones first, waiting on cgroup.events; missing is fine. */
int cgroup_remove(struct cgroup *cg, struct err *e);
/* All pids inside, nested cgroups included. */
int cgroup_pids(struct cgroup *cg, struct arena *a, pid_t **ret, size_t *ret_n, struct err *e);
/* Was somebody inside killed for memory? limit and peak in bytes (-1 unknown). */
bool cgroup_oom_killed(struct cgroup *cg, int64_t *ret_limit, int64_t *ret_peak);

/*
 * cgroup_update() - other values for a living container
 * @r: what it sets is written, all else stays; devices are not looked at
 *
 * All or nothing: when a value is refused those before it are put back. *ret is good for
 * cgroup_update_undo() while the arena lives. Returns 0 or -errno.
 */
struct cgroup_change;
int cgroup_update(struct arena *a, struct cgroup *cg, const struct host *host,
		  const struct oci_linux_resources *r, struct cgroup_change **ret, struct err *e);
/* Put back what was there before; what is refused is logged. */
void cgroup_update_undo(const struct cgroup *cg, const struct cgroup_change *change);

/* Fill the cgroup part of a state record (intent: names; identity: inode). */
void cgroup_record(struct arena *a, const struct cgroup_plan *p, const struct cgroup *cg,
		   struct cleat_state_file *state);
/*
 * cgroup_remove_empty() - the way most containers end: nothing is left in the directories
 *
 * Removes them by name, which a record permits at any time, as long as each is empty and v2
 * goes last, so that what proves it ours is there until then. Scopes of systemd are left to
 * it. True when all are gone.
 */
bool cgroup_remove_empty(struct arena *a, const struct cleat_state_file *state);
/*
 * cgroup_remove_by_name() - from the record alone (crash before identity)
 * @wait_ms: how long who is still inside may take to leave; 0: do not wait
 *
 * rmdir of the directories that are empty; one that is not stays, which is no error.
 * Returns 0 or -errno.
 */
int cgroup_remove_by_name(struct arena *a, const struct cleat_state_file *state, uint64_t wait_ms,
			  struct err *e);

#endif
