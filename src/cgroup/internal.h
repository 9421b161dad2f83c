/* SPDX-License-Identifier: Apache-2.0 */
/* internal - what the files of this room share */
#ifndef CLEAT_CGROUP_INTERNAL_H
#define CLEAT_CGROUP_INTERNAL_H

#include "cgroup/cgroup.h"
#include "cgroup/unit_client.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

/*
 * A directory is named relative to CGROUP_ROOT, whose descriptor is held; the v2 one
 * has a descriptor of its own besides. Paths went through cgroup_path_clean(): single
 * names, no "..", and cgroup file systems have no links.
 */
struct cgroup_dir {
	const char *hierarchy; /* v1: its folder; NULL: v2 */
	const char *at;	       /* "memory/a/b", "unified/a/b", "a/b" */
	const char *path;      /* "/a/b" */
	size_t prefix;	       /* bytes of @at in front of @path */
	unsigned n_made;       /* directories on the way that we made, the last one included */
	bool made;	       /* the last one, too */
	bool absent;	       /* could not be made, and nothing needs it */
};

/* Everything that differs between managers. */
struct cgroup_manager_ops {
	const char *name; /* in state files */
	int (*create)(struct cgroup *cg, const struct cgroup_plan *p, struct err *e);
	int (*remove)(struct cgroup *cg, struct err *e);
};
extern const struct cgroup_manager_ops cgroup_fs_ops, cgroup_systemd_ops;
const struct cgroup_manager_ops *cgroup_manager(enum cgroup_manager m);

struct cgroup {
	const struct cgroup_manager_ops *ops;
	struct arena *arena;
	struct dir root;
	int v2;			 /* O_PATH descriptor of the v2 directory; -1: none */
	struct cgroup_dir leaf;	 /* below it, where the processes are; @at NULL: none */
	int birth;		 /* O_PATH descriptor of a new leaf; -1 */
	struct cgroup_dir named; /* in the hierarchy name=systemd, see named.c; @at NULL: none */
	int named_tree;		 /* a mount of that, when it was used; -1 */
	struct cgroup_dir *dirs;
	size_t n_dirs;
	uint64_t inode; /* of the v2, else of the first v1 directory; 0: unknown */
	bool other;	/* opened from a record: what stands there now is not what was recorded */
	bool gone;	/* opened from a record: nothing stands there */
	const char *scope, *invocation; /* systemd: the unit; NULL: none, or not known */
	struct unit_helper helper;	/* stays in a new scope until init is in it and known */
	int hints;			/* for cgroup_create(): see there; not ours */
	struct err enabling; /* why a controller could not be enabled, the first of them */
};

/* mgr_fs.c: all that create does; @adopt: systemd made the v2 directory, and is in it */
int cgroup_fs_build(struct cgroup *cg, const struct cgroup_plan *p, bool adopt, struct err *e);
void cgroup_fs_unmake(struct cgroup *cg);
/* mgr_systemd.c: the properties of other resources, for a living unit */
int cgroup_systemd_set(const struct cgroup *cg, const struct oci_linux_resources *r, bool v2,
		       struct err *e);

/* --- directories (mgr_fs.c) ------------------------------------------------------------------- */
/* A new object with the root open, for @n directories. */
int cgroup_new(struct arena *a, enum cgroup_manager m, size_t n, struct cgroup **ret,
	       struct err *e);
/* "/a/b", or "memory:/a/b" in a v1 hierarchy: how messages name a directory. */
const char *cgroup_dir_name(const struct cgroup_dir *d, char buf[DIR_TEXT_SIZE]);
/*
 * "<action> cgroup '<name>': <reason>". One that has gone is said to have gone: callers
 * take "no such file or directory" for a command that was not found. Returns -code.
 */
int cgroup_error(const struct cgroup_dir *d, int code, struct err *e, const char *action, ...)
	ERR_PRINTF(4, 5);
/* Open a file of a directory by the shortest way; a descriptor or -errno. */
int cgroup_open_file(const struct cgroup *cg, const struct cgroup_dir *d, const char *file,
		     int flags);
/* Read a small one; the length or -errno. */
ssize_t cgroup_read_file(const struct cgroup *cg, const struct cgroup_dir *d, const char *file,
			 char *buf, size_t size);
/* Write one, without a word about it; 0 or -errno. */
int cgroup_write_file(const struct cgroup *cg, const struct cgroup_dir *d, const char *file,
		      const char *value);
/* Say where the leaf is: "a/b" below dirs[0], which is v2. */
void cgroup_set_leaf(struct cgroup *cg, const char *below);
/* The directory of the v2 tree, or of the v1 hierarchy with that controller; NULL: none. */
struct cgroup_dir *cgroup_dir_v2(const struct cgroup *cg);
struct cgroup_dir *cgroup_dir_v1(const struct cgroup *cg, const char *controller);
/* The first that is there, v2 if possible: the one that holds all processes. */
struct cgroup_dir *cgroup_dir_main(const struct cgroup *cg);
/*
 * The path of a process's cgroup, as /proc/PID/cgroup has it, in the v1 hierarchy with @controller
 * or, with "", in the v2 tree. 0 or -errno; -ENODATA: there is no such hierarchy.
 */
int cgroup_of_process(pid_t pid, const char *controller, char *path, size_t size);
/* Inode of a directory, or 0. */
uint64_t cgroup_dir_inode(const struct cgroup *cg, const struct cgroup_dir *d);

/* cpuset.c: v1 takes no process before cpus and mems are set; copy them down. */
int cgroup_cpuset_fill(const struct cgroup *cg, const struct cgroup_dir *d,
		       const struct cgroup_dir_plan *p, struct err *e);

/* enable.c: make the controllers (words) available in the v2 directory, as far as they exist. */
int cgroup_enable(struct cgroup *cg, const char *words, struct err *e);

/* cgroup_write.c */
int cgroup_write_values(const struct cgroup *cg, const struct cgroup_dir *d,
			const struct cgroup_value *v, size_t n, struct err *e);

/*
 * cgroup_devices.c: attach the program; @reused: take away what others left; @hints as in
 * device_share_get().
 */
int cgroup_attach_devices(const struct cgroup *cg, const struct cgroup_plan *p, bool reused,
			  int hints, struct err *e);

/*
 * remove.c: rmdir of the directory alone. Where the file system is read-only -EROFS comes before
 * the question whether it is there at all; here -ENOENT does.
 */
int cgroup_rmdir(const struct cgroup *cg, const struct cgroup_dir *d);
/* The leaf alone, with what is between it and the container's own; 0 or -errno. */
int cgroup_rmdir_leaf(const struct cgroup *cg);
/* Those below @path from @dir, then it: v1, without a wait for processes. 0 or -errno. */
int cgroup_remove_tree(int dir, const char *path);

/* --- named.c ---------------------------------------------------------------------------------- */
/* It has the path of dirs[0], which is v2. */
void cgroup_set_named(struct cgroup *cg);
int cgroup_named_make(struct cgroup *cg, struct err *e);
int cgroup_named_join(struct cgroup *cg, const char *pid, struct err *e);
/* @nested: with those that it holds. A hierarchy that has gone held nothing. 0 or -errno. */
int cgroup_named_remove(const struct cgroup *cg, bool nested);

/* All directories, nested ones first. */
int cgroup_remove_dirs(struct cgroup *cg, struct err *e);

/* --- events (events.c) ------------------------------------------------------------------------ */
struct cgroup_events {
	int populated, frozen;
};
/* Read cgroup.events of an O_PATH descriptor; -ENODEV: the cgroup is gone. */
int cgroup_events_read(int dirfd, struct cgroup_events *ret);
/* The same of cgroup.events itself, from its start; @fd may be -errno of opening it. */
int cgroup_events_read_fd(int fd, struct cgroup_events *ret);
/*
 * Wait until the key ("populated", "frozen") has the value. 0, -ETIMEDOUT after
 * @timeout_ms, -ENODEV: the cgroup is gone.
 */
int cgroup_events_wait(int dirfd, const char *key, int value, uint64_t timeout_ms);
/*
 * On a host without v2 nothing tells of a change, so look again: after 1, 2, 4 ... 64 ms.
 * Returns false when @deadline_ms (CLOCK_MONOTONIC) has passed.
 */
bool cgroup_v1_pause(unsigned *turn, int64_t deadline_ms);

/* "process 12 (sh, D), 13 (cat, S)": who is still inside, for errors. */
const char *cgroup_describe_pids(struct cgroup *cg, const struct cgroup_dir *d);

/*
 * cgroup_undo_text() - what has to be written to a file to have it say @old again; pure
 * @value: what is going to be written: for files with a line a device it names the line
 * @old: all that the file says now; taken apart
 *
 * NULL: there is nothing to put back.
 */
const char *cgroup_undo_text(struct arena *a, const char *file, const char *value, char *old);

/* Gone, as kernfs says it in several ways. */
static inline bool cgroup_is_gone(int r)
{
	return r == -ENOENT || r == -ENODEV;
}

#endif
