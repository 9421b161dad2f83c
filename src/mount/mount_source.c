/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_source - what is bound, as a detached tree that has its flags already
 *
 * A clone is still a member of its source's peer group: what is mounted on it would show
 * on the host. So it leaves the group before it is attached, as a slave when nothing else
 * was asked for, so that what the host mounts below the source later is seen; "shared" makes
 * a new group of such slaves. Only "shared" in a root that is shared keeps it, since that is
 * what the two ask for.
 */
#include <fcntl.h>
#include <sched.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "mount/mount_room.h"

#define PROPAGATIONS (MS_SHARED | MS_SLAVE | MS_PRIVATE | MS_UNBINDABLE)

/* mount_setattr(2): whoever sets one of the access time values clears all. */
static uint64_t clear_mask(uint64_t set, uint64_t clear)
{
	return (set | clear) & MOUNT_ATTR__ATIME ? clear | MOUNT_ATTR__ATIME : clear;
}

int mount_set(int fd, bool recursive, uint64_t set, uint64_t clear, uint64_t propagation)
{
	const struct mount_attr attr = {
		.attr_set = set,
		.attr_clr = clear_mask(set, clear),
		.propagation = propagation & PROPAGATIONS,
	};

	if (!set && !clear && !attr.propagation)
		return 0;
	return sys_mount_setattr(fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr,
				 sizeof(attr));
}

int mount_clone(int dirfd, const char *path, bool recursive, bool nofollow)
{
	unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;

	if (!*path)
		flags |= AT_EMPTY_PATH;
	if (recursive)
		flags |= AT_RECURSIVE;
	if (nofollow)
		flags |= AT_SYMLINK_NOFOLLOW;
	return sys_open_tree(dirfd, path, flags);
}

/* Of a tree, where what was asked for is for its top alone: what is below leaves as well. */
static int leave_peers(const struct mount_op *op, int tree)
{
	const struct mount_flags *f = &op->flags;

	if (op->peers || !f->recursive || !f->propagation || f->propagation & MS_REC)
		return 0;
	return mount_set(tree, true, 0, 0, MS_SLAVE);
}

/*
 * "rw" is a default that podman writes to every bind. So it is no reason to fail where the host's
 * mount is read-only and a user namespace may not change that; other flags are named on purpose.
 */
static int set_top(const char *source, int tree, uint64_t set, uint64_t *clear,
		   uint64_t propagation)
{
	int r = mount_set(tree, false, set, *clear, propagation);

	if (r != -EPERM || !(*clear & MOUNT_ATTR_RDONLY))
		return r;
	*clear &= ~(uint64_t)MOUNT_ATTR_RDONLY;
	r = mount_set(tree, false, set, *clear, propagation);
	if (r == 0)
		log_warning(
			"'%s' stays read-only, as it was mounted outside of this user namespace",
			source);
	return r;
}

/*
 * Set what the operation wants on a detached tree; propagation included, but for "shared". Each
 * of the two calls is made only if it has something to do: for the whole tree, for its top.
 */
static int tree_flags(const struct mount_op *op, int tree, struct err *e)
{
	const struct mount_flags *f = &op->flags;
	uint64_t top_set = f->attr_set, top_clear = f->attr_clear;
	uint64_t propagation = f->propagation & PROPAGATIONS;
	bool all = f->recursive && (!f->propagation || f->propagation & MS_REC);
	int r;

	if (!propagation || propagation == MS_SHARED)
		propagation = op->peers ? 0 : MS_SLAVE;
	r = leave_peers(op, tree);
	if (r < 0)
		return err_sys(e, -r, op->source, "take out of the host's peer group");
	if (f->recursive)
		r = mount_set(tree, true, f->rec_set, f->rec_clear, all ? propagation : 0);
	else
		mount_flags_top(f, &top_set, &top_clear);
	if (r < 0)
		return mount_flags_error(op->source, f->rec_set, f->rec_clear, true, -r, e);
	r = set_top(op->source, tree, top_set, &top_clear, all ? 0 : propagation);
	return r < 0 ? mount_flags_error(op->source, top_set, top_clear, false, -r, e) : 0;
}

/* Only a detached mount that nobody uses yet takes a mapping. */
static int apply_idmap(const struct mount_op *op, int tree, int userns_fd, struct err *e)
{
	auto_fd userns = mount_idmap_userns(op, userns_fd, e);
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP };
	int r;

	if (userns < 0)
		return userns == -EPERM ? mount_idmap_error(op->source, EPERM, e) : userns;
	attr.userns_fd = (uint64_t)userns;
	r = sys_mount_setattr(tree, "", AT_EMPTY_PATH | (op->flags.ridmap ? AT_RECURSIVE : 0),
			      &attr, sizeof(attr));
	return r < 0 ? mount_idmap_error(op->source, -r, e) : 0;
}

static int open_source(const struct mount_plan *p, const struct mount_op *op, struct err *e)
{
	int tree;

	if (op->kind == MOUNT_FS)
		return mount_fs_make(p, op, NULL, e);
	tree = mount_clone(AT_FDCWD, op->source, op->flags.recursive, op->flags.src_nofollow);
	return tree < 0 ? mount_clone_error(op->source, op->flags.recursive, -tree, e) : tree;
}

int mount_source_open(const struct mount_plan *p, const struct mount_op *op, int userns_fd,
		      int *tree, struct err *e)
{
	auto_fd opened = *tree < 0 ? open_source(p, op, e) : -1;
	int fd = *tree < 0 ? opened : *tree;
	int r = 0;

	if (fd < 0)
		return fd;
	if (op->flags.idmap)
		r = apply_idmap(op, fd, userns_fd, e);
	if (r == 0 && op->kind != MOUNT_FS)
		r = tree_flags(op, fd, e);
	if (r == 0 && opened >= 0)
		*tree = fd_take(&opened);
	return r;
}
