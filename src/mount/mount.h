/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount - the container's file system
 *
 * The plan is a list of operations; applying it uses the descriptor based mount
 * API only. Before the root switch no path string below the rootfs reaches the
 * kernel: targets are found with openat2(RESOLVE_IN_ROOT) from the descriptor of
 * the root tree, sources are detached trees or new file systems.
 *
 * Processes: the parent opens the rootfs as a detached private tree
 * (mount_rootfs_open) and, for containers with a user namespace, the sources of
 * bind mounts on request (mount_source_open); init does all the rest.
 */
#ifndef CLEAT_MOUNT_MOUNT_H
#define CLEAT_MOUNT_MOUNT_H

#include <linux/mount.h>

#include "base/dir.h"
#include "spec/spec.h"
#include "sys/host.h"

enum mount_kind {
	MOUNT_FS,      /* fsopen, fsconfig one by one, fsmount, move_mount */
	MOUNT_BIND,    /* open_tree of a host path */
	MOUNT_CGROUP,  /* cgroup in v2, hybrid or v1 form */
	MOUNT_REMOUNT, /* change flags of what is mounted at the target */
	MOUNT_LINK,    /* copy-symlink */
};

/* What a word of `options` does; see mount_options.c. */
struct mount_flags {
	uint64_t attr_set, attr_clear; /* MOUNT_ATTR_* of this mount */
	uint64_t rec_set, rec_clear;   /* MOUNT_ATTR_*, recursively */
	uint64_t sb_flags, sb_clear; /* MS_* that belong to the superblock: ro, sync, dirsync... */
	uint64_t propagation;	     /* MS_SHARED..., | MS_REC; 0: not given */
	bool bind, recursive;	     /* bind, rbind */
	bool remount, tmpcopyup, copy_symlink, src_nofollow, dest_nofollow;
	bool idmap, ridmap;
	const char *idmap_text; /* after "idmap=": uids=C-H-N#C-H-N;gids=...; NULL: not given */
};

struct mount_data { /* one option of the file system; value NULL: a flag */
	const char *key, *value;
};

struct mount_op {
	enum mount_kind kind;
	size_t index;	    /* of mounts[] in config.json, for messages */
	const char *source; /* absolute host path (bind) or the source word; never NULL */
	const char *target; /* below the rootfs, absolute, cleaned */
	/* bind: the source from the container's root, clean, where the operations before this
	   one may have mounted what is there; NULL: it is the host's */
	const char *in_root;
	const char *type;
	struct mount_flags flags;
	const struct mount_data *data;
	size_t n_data;
	const struct id_map *uid_maps, *gid_maps; /* idmap; NULL: the container's */
	size_t n_uid_maps, n_gid_maps;
	const char *link; /* copy-symlink: what the source says; NULL: it is read when it is made */
	bool late_readonly; /* made read-only at the end: what is filled or labelled first */
	bool label_root;    /* the root directory gets the label, for the superblock takes none */
	bool named;	    /* MOUNT_CGROUP: a tmpfs with the v1 hierarchy name=systemd in it */
	bool from_parent;   /* the source is opened outside of the container's user namespace */
	bool peers; /* it stays a peer of the host's mounts: what is mounted on it shows there */
};

/* One hierarchy of the host and where the container is in it. */
struct mount_cgroup {
	const char *dir;	 /* folder name below /sys/fs/cgroup; NULL: the v2 tree */
	const char *controllers; /* v1: "cpu,cpuacct", each of which gets a link; or NULL */
	const char *path;	 /* the container's cgroup, absolute in the hierarchy */
};

struct mount_plan {
	const char *rootfs; /* absolute path */
	bool has_ns;	    /* a mount namespace of our own (new or joined) */
	bool user_ns;	    /* the container has a user namespace: sources come from the parent */
	bool in_user_ns;    /* that, or one that we are in ourselves: the kernel may refuse some */
	bool own_pid_ns, own_net_ns, own_cgroup_ns;
	bool wants_path; /* hooks look for the mounts below the rootfs path */
	bool needs_path; /* createContainer hooks, which see nothing else */
	enum host_cgroups cgroups;
	bool all_cgroups; /* of v2, not just the container's own part */
	bool readonly_root;
	bool no_pivot;
	uint64_t root_propagation; /* 0: slave, recursively */
	const char *label;	   /* mountLabel as SELinux context; NULL: none */
	const char *label_key;	   /* context, fscontext, defcontext or rootcontext */
	const struct mount_op *ops;
	size_t n_ops;
	const char *const *masked, *const *readonly;
	size_t n_masked, n_readonly;
	/* our own cgroups: what a container without any of its own is in */
	const struct mount_cgroup *own_cgroups;
	size_t n_own_cgroups;
};

struct mount_plan_options {
	bool no_pivot;
};

/* Pure. */
int mount_plan_make(struct arena *a, const struct spec *spec, const struct host *host,
		    const struct mount_plan_options *opt, struct mount_plan *ret, struct err *e);

/* @path as targets are compared: absolute, without "." and "..". Pure. */
const char *mount_path_clean(struct arena *a, const char *path);

/* Parse one list of options (also for `mounts add`, features). Pure. */
int mount_options_parse(struct arena *a, const char *const *options, size_t n,
			struct mount_flags *ret_flags, const struct mount_data **ret_data,
			size_t *ret_n_data, struct err *e);
/* The options of mounts, sorted, for `features`: without words that are for the caller. */
const char *const *mount_option_names(size_t *ret_n);
/*
 * mount_option_doubt() - is @m->options[@option] a word that neither we nor the file system
 * of the mount understand? Pure.
 *
 * Returns what there is to say about it ("'nosiud' is no option of tmpfs, perhaps 'nosuid'
 * is meant"), or NULL: it is fine, or of a type whose options are not known here.
 * *ret_refused: mount_plan_make() refuses it too.
 */
const char *mount_option_doubt(struct arena *a, const struct oci_mount *m, size_t option,
			       bool *ret_refused);

/*
 * mount_rootfs_open() - parent: the rootfs as a detached tree, made private
 *
 * *ret_tree is -1 (with success) where the caller may not clone mounts (rootless):
 * init then opens the path in its own mount namespace. *ret_dir is an O_PATH
 * descriptor of the directory, for checks before anything is made.
 */
int mount_rootfs_open(const struct mount_plan *p, int *ret_tree, int *ret_dir, struct err *e);

/* Is it mapped as the container is? Then mount_source_open() takes its user namespace. */
static inline bool mount_op_takes_userns(const struct mount_op *op)
{
	return op->flags.idmap && !op->n_uid_maps;
}

/*
 * mount_source_open() - the source of a bind, or an id-mapped new file system, as a
 * detached tree, flags applied
 * @p: NULL for a bind: it has nothing to do with a label
 *
 * Called by init, or by the parent on request when there is a user namespace;
 * @userns_fd: where mount_op_takes_userns(), else -1. -EPERM from the
 * parent tells init to try in its own namespace.
 *
 * @tree: -1, or the source as init has cloned it (in_root), which only gets its mapping and
 * flags; then the tree, on success, which the caller owns as he does what he gave.
 */
int mount_source_open(const struct mount_plan *p, const struct mount_op *op, int userns_fd,
		      int *tree, struct err *e);

/* What init needs while it mounts. Descriptors belong to init. */
struct mount_ctx {
	const struct mount_plan *plan;
	int root;     /* in: the parent's detached tree or -1; then: the root of the container */
	bool at_path; /* the root is attached at the rootfs path, not on "/" */
	int proc;     /* a procfs of our own (the container's, taken before it could be tampered
		       with, or a detached one); -1: not made yet, see mount_proc() */
	/* Ask the parent for a source (NULL: open here), or to finish @tree, unless it is -1.
	   Returns a tree fd or -errno. */
	int (*request_source)(void *arg, size_t op, int tree, struct err *e);
	void *arg;
	/* the container's cgroups, which the cgroup mount shows */
	const struct mount_cgroup *cgroups;
	size_t n_cgroups;
	/* by number of the operation, made by mount_all(); -1: none */
	int *late; /* trees of late_readonly operations */
	int *own;  /* what shows the kernel's own and has something to be masked */
	struct mount_fresh {
		const char *path; /* a tmpfs of ours, just mounted: nobody else can be in it */
		int tree;	  /* its root; -1: the last operation made none */
	} fresh;
	/* a container that runs, see mount_live_add(); NULL: it is being made */
	const struct mount_live *live;
	int attached; /* live: the mount that was attached; -1: none */
};

/* init, in this order; each is a step of its own */
int mount_root_attach(struct mount_ctx *m, struct err *e); /* slave host tree, attach rootfs */
int mount_all(struct mount_ctx *m, struct err *e);	   /* mounts[] in order */
/* Says of which operation @e speaks. Returns -e->code. */
int mount_op_error(const struct mount_op *op, struct err *e);
int mount_masks(struct mount_ctx *m, struct err *e);	   /* maskedPaths, readonlyPaths */
int mount_root_switch(struct mount_ctx *m, struct err *e); /* pivot_root or MS_MOVE + chroot */
int mount_finish(struct mount_ctx *m, struct err *e);	   /* late read-only, root, propagation */

/* One mount that mount_live_add() made. */
struct mount_added {
	uint64_t id;	    /* statx(2), unique where the kernel has such; 0: it is gone, or none */
	const char *target; /* as mount_path_clean() has it */
};

/* All of them, in memory that the caller shares with the process which acts. */
struct mount_live {
	struct mount_added *added;
	size_t n;
};

/*
 * mount_live_source() - before that process joins: what @op takes from the host
 * @userns_fd: where mount_op_takes_userns(), else -1
 *
 * Paths mean what the container wants in there. *ret_tree is a detached tree, or -1 where
 * @op takes nothing, or only a link, which is noted in it.
 */
int mount_live_source(struct arena *a, const struct mount_plan *p, struct mount_op *op,
		      int userns_fd, int *ret_tree, struct err *e);
/*
 * mount_live_add() - in a process that has joined the container's mount namespace
 * @trees: sources that were opened outside, by number of the operation; -1: made here
 * @proc: a procfs in which "self" is this process
 * @live: what was added so far; the last @p->n_ops are for what is now, their ids still 0
 *
 * All or none: what was mounted before a failure is taken back. What is remounted must be
 * among @live.
 */
int mount_live_add(struct arena *a, const struct mount_plan *p, const int *trees, int proc,
		   const struct mount_live *live, struct err *e);
/*
 * Detach what is mounted on these clean paths, all or none. Each must be in @live by its path
 * and its id: those inside can let the name of a mount lead to any other.
 */
int mount_live_remove(struct arena *a, const char *const *paths, size_t n, int proc,
		      const struct mount_live *live, struct err *e);

/* The procfs of our own, made (detached, subset=pid) when there is none. Returns fd or -errno. */
int mount_proc(struct mount_ctx *m, struct err *e);
/* A detached procfs with everything in it (sysctl); the caller closes it at once. */
int mount_proc_full(struct err *e);

/*
 * Open below the container's root: openat2 with RESOLVE_IN_ROOT | NO_MAGICLINKS.
 * Returns a descriptor or -errno.
 */
int mount_open_in_root(int root, const char *path, uint64_t flags);
/* Make the target (and parents) of a mount below @root: a directory, or a file when @file. */
int mount_make_target(int root, const char *path, bool file, mode_t mode, int *ret_fd,
		      struct err *e);
/* Attach a detached tree at an O_PATH descriptor. */
int mount_attach(int tree, int target, const char *name, struct err *e);

#endif
