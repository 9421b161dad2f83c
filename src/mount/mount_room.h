/* SPDX-License-Identifier: Apache-2.0 */
/* mount_room - what the files of this room share; nobody else includes it */
#ifndef CLEAT_MOUNT_MOUNT_ROOM_H
#define CLEAT_MOUNT_MOUNT_ROOM_H

#include "mount/mount.h"
#include "sys/sys.h"

/* --- mount_options.c: flags by name ("ro,nosuid"), for messages */
void mount_attr_print(uint64_t attr, char *buf, size_t size);
/* mount_doubt.c: ", perhaps 'nosuid' is meant" of a word that @type does not have, or "". */
const char *mount_option_nearest(struct arena *a, const char *type, const char *key);
/* What both kinds of words together mean for the topmost mount. */
void mount_flags_top(const struct mount_flags *f, uint64_t *ret_set, uint64_t *ret_clear);

/* --- mount_idmap.c */
/* Parse the inline form "uids=C-H-N#C-H-N;gids=..."; pure. */
int mount_idmap_parse(struct arena *a, const char *text, const struct spec *spec,
		      struct mount_op *op, struct err *e);
/*
 * A user namespace that stands for the mapping of an id-mapped mount.
 * @userns_fd: of the container, used when the op has no mappings of its own; -1: none.
 * Returns a descriptor that the caller owns, or -errno.
 */
int mount_idmap_userns(const struct mount_op *op, int userns_fd, struct err *e);

/* --- mount_target.c */
#define MOUNT_TARGET_FILE     1U /* make a file, not a directory */
#define MOUNT_TARGET_NOFOLLOW 2U /* the last component is not followed */
#define MOUNT_TARGET_PLAIN    4U /* a directory and no link to one, or -ENOTDIR */
/*
 * Find the target of a mount below @root, or make it.
 * *ret_created: nothing was there before; NULL: not wanted. Returns an O_PATH descriptor
 * or -errno.
 */
int mount_target_open(int root, const char *path, unsigned how, mode_t mode, bool *ret_created,
		      struct err *e);
/* A new directory @name in @dir, opened; -EEXIST when there is something of that name. */
int mount_target_new(int dir, const char *name, mode_t mode);
/*
 * Open @path below @root with @flags of openat2(2). A link of the image may lead anywhere in
 * it but into a procfs: what is mounted there is what labels and sysctls are written through
 * (mount_plan.c checks the names). Returns a descriptor, -ENOENT without an error, or -errno.
 */
int mount_target_find(int root, const char *path, uint64_t flags, struct err *e);
/* The directory that holds @path and the last component's name, made as needed. */
int mount_target_parent(int root, const char *path, const char **ret_name, struct err *e);

/* --- mount_fs.c */
/* A new file system as a detached mount; @mode: of a tmpfs's root, NULL: the kernel's. */
int mount_fs_make(const struct mount_plan *p, const struct mount_op *op, const char *mode,
		  struct err *e);
/* The same for our own needs, with @attr as attributes. */
int mount_fs_simple(const char *type, const struct mount_data *data, size_t n, unsigned attr,
		    struct err *e);
/* Give the root directory of a mount that is still writable an SELinux label. */
int mount_fs_label_root(int tree, const struct mount_op *op, const char *label, struct err *e);
/* Does the operation need mount(2), because fsconfig(2) cannot carry what it says? */
bool mount_fs_is_old_style(const struct mount_op *op);
/* Has it layers that fsconfig(2) of an older kernel answers EINVAL to, and mount(2) takes? */
bool mount_fs_has_long_layers(const struct mount_op *op);
/*
 * mount(2) for a moment on @target, and off again: a detached mount, as mount_fs_make() has it.
 * @mode: of the directory that is covered, where the configuration gives none; or NULL.
 */
int mount_fs_old_style(const struct mount_plan *p, const struct mount_op *op, int target,
		       const char *mode, struct err *e);
/* Is @key among its options for the file system? */
bool mount_op_has(const struct mount_op *op, const char *key);
/* Does it consist of files of the host: a block device, layers? */
bool mount_fs_has_files(const struct mount_op *op);

/* --- mount_source.c */
/* Change attributes and propagation; 0 and 0 and 0 is nothing to do. Returns 0 or -errno. */
int mount_set(int fd, bool recursive, uint64_t set, uint64_t clear, uint64_t propagation);
/* A detached clone of what lies at @path (from @dirfd); @recursive: with the mounts below. */
int mount_clone(int dirfd, const char *path, bool recursive, bool nofollow);

/*
 * --- mount_live.c: the mount of ours that the descriptor @fd of @path is the root of. NULL
 * with an error: nothing is mounted there, or it is none of ours.
 */
struct mount_added *mount_live_find(const struct mount_live *live, int fd, const char *path,
				    struct err *e);

/*
 * --- mount_explain.c: errors that say what the kernel does not. All fill @e and return
 * -@code, positive.
 */
/* @action on @path failed: which part of it is to blame? @root: AT_FDCWD, or what it is below. */
int mount_path_error(int root, const char *path, int code, const char *action, struct err *e);
/* move_mount(2) of @tree on @target, called @name. */
int mount_attach_error(int tree, int target, int code, const char *name, struct err *e);
/* mount_setattr(2) of what lies at @path; @all: of the mounts below it too. */
int mount_flags_error(const char *path, uint64_t set, uint64_t clear, bool all, int code,
		      struct err *e);
/* open_tree(2) of @source as a detached clone. */
int mount_clone_error(const char *source, bool recursive, int code, struct err *e);
/* The same with a mapping of ids. */
int mount_idmap_error(const char *source, int code, struct err *e);

/*
 * --- mount_plan.c: clean @path as seen from @dir: "/x", or "" when it is @dir itself (of "/",
 * "/"); NULL: it is not below. Pure.
 */
const char *mount_path_from(const char *path, const char *dir);

/*
 * --- mount_masks.c: is something to be masked, or read-only, in what @op mounts? Its tree is
 * kept in m->own then, if it is procfs or sysfs.
 */
bool mount_has_masks(const struct mount_plan *p, const struct mount_op *op);

/* --- mount_cgroup.c, mount_copyup.c */
int mount_cgroup(struct mount_ctx *m, const struct mount_op *op, int target, struct err *e);
/* Copy what directory @from holds to directory @to: the fresh tmpfs of @op, which says more. */
int mount_copyup(int from, int to, const struct mount_op *op, struct err *e);

#endif
