/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_root - the container's root: cloned, attached, and switched to
 *
 * The rootfs is cloned by the parent as a detached tree, so no mount ever appears in the
 * caller's namespace. init moves it onto its own "/": lookups of absolute paths begin at
 * the root of the process, which is the host's tree below it, so sources and hooks find
 * the host until pivot_root(2) makes the cover the root and the host's tree is dropped.
 *
 * Where hooks look for the mounts below the rootfs path, the tree is attached there instead:
 * createContainer hooks run in our mount namespace, prestart and createRuntime hooks may enter
 * it. That is done before we become root of a user namespace, as who we were born, since the
 * caller's directories may be closed to that root. Where the path is closed to us as well, or
 * the mount namespace that is joined has no such path, only createContainer hooks insist.
 */
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/vfs.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "mount/mount_room.h"

static int open_directory(const char *path, int *ret_dir, struct err *e)
{
	*ret_dir = sys_open(path, O_PATH | O_DIRECTORY, 0);
	return *ret_dir < 0 ? err_sys(e, -*ret_dir, path, "open the rootfs") : 0;
}

/* A slave still sees what the host mounts below the rootfs later. */
static int clone_root(const char *path, struct err *e)
{
	auto_fd tree = mount_clone(AT_FDCWD, path, true, false);
	int r;

	if (tree < 0)
		return tree == -EPERM ? tree : err_sys(e, -tree, path, "open the rootfs");
	r = mount_set(tree, true, 0, 0, MS_SLAVE);
	return r < 0 ? err_sys(e, -r, path, "make the rootfs a slave") : fd_take(&tree);
}

int mount_rootfs_open(const struct mount_plan *p, int *ret_tree, int *ret_dir, struct err *e)
{
	*ret_tree = *ret_dir = -1;
	if (!p->has_ns)
		return open_directory(p->rootfs, ret_dir, e);
	*ret_tree = clone_root(p->rootfs, e);
	if (*ret_tree == -EPERM) {
		*ret_tree = -1;
		return open_directory(p->rootfs, ret_dir, e);
	}
	return *ret_tree < 0 ? *ret_tree : 0;
}

/* The path may end in a link. */
static int attach_at(struct mount_ctx *m, const char *path)
{
	return sys_move_mount(m->root, "", AT_FDCWD, path,
			      MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS);
}

/* The kernel's EINVAL does not say that a file cannot be the root. */
static int attach_error(const struct mount_ctx *m, int r, struct err *e)
{
	struct stat st;

	if (sys_fstatat(m->root, "", &st, AT_EMPTY_PATH) == 0 && !S_ISDIR(st.st_mode))
		return err_sys(e, ENOTDIR, m->plan->rootfs, "open the rootfs");
	return err_sys(e, -r, m->plan->rootfs, "attach the rootfs");
}

int mount_root_attach(struct mount_ctx *m, struct err *e)
{
	const struct mount_plan *p = m->plan;
	const struct mount_attr slave = { .propagation = MS_SLAVE };
	int r = sys_mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &slave, sizeof(slave));

	if (r < 0)
		return err_sys(e, -r, "/", "make the host's mounts slaves");
	if (m->root < 0)
		m->root = clone_root(p->rootfs, e);
	if (m->root < 0)
		return m->root == -EPERM ? err_sys(e, EPERM, p->rootfs, "open the rootfs")
					 : m->root;
	r = p->wants_path ? attach_at(m, p->rootfs) : -ENOENT;
	m->at_path = r == 0;
	if (r < 0 && !p->needs_path) {
		if (p->wants_path)
			log_debug("hooks find the root on '/', not on '%s': %s", p->rootfs,
				  errno_text(-r));
		r = attach_at(m, "/");
	}
	return r < 0 ? attach_error(m, r, e) : 0;
}

/* pivot_root(2), "pivot_root(".", ".")": the old root lies above the new one, and goes. */
static int pivot(const struct mount_plan *p, struct err *e)
{
	int r = sys_pivot_root(".", ".");

	if (r == -EINVAL)
		return err_sys(e, EINVAL, p->rootfs,
			       "pivot_root (does the host run from an initramfs? then --no-pivot "
			       "is needed) to");
	if (r < 0)
		return err_sys(e, -r, p->rootfs, "pivot_root to");
	r = sys_umount2(".", MNT_DETACH);
	return r < 0 ? err_sys(e, -r, NULL, "detach the host's root") : 0;
}

/*
 * A user namespace may mount procfs and sysfs only as far as it sees others in full: the
 * host's, which stay in the mount namespace below the root, must not count. Where they are
 * locked, they are covered.
 */
static int hide_from_below(const char *path, struct err *e)
{
	auto_fd tree = -1;
	int r = sys_umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);

	if (r == 0 || r == -ENOENT)
		return 0;
	if (r != -EINVAL && r != -EPERM)
		return err_sys(e, -r, path, "detach the host's");
	tree = mount_fs_simple("tmpfs", NULL, 0, MOUNT_ATTR_RDONLY, e);
	if (tree < 0)
		return tree;
	r = sys_move_mount(tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH);
	return r < 0 ? err_sys(e, -r, path, "cover the host's") : 0;
}

/* Without pivot_root the host's tree stays below, covered at its very root. */
static int move_and_chroot(struct mount_ctx *m, struct err *e)
{
	int r = 0;

	if (hide_from_below("/proc", e) < 0 || hide_from_below("/sys", e) < 0)
		return -e->code;
	if (m->at_path)
		r = sys_move_mount(m->root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH);
	if (r < 0)
		return err_sys(e, -r, m->plan->rootfs, "move to '/' the rootfs");
	r = sys_chroot(".");
	return r < 0 ? err_sys(e, -r, m->plan->rootfs, "chroot to") : 0;
}

int mount_root_switch(struct mount_ctx *m, struct err *e)
{
	int r = sys_fchdir(m->root);

	if (r < 0)
		return err_sys(e, -r, m->plan->rootfs, "enter the rootfs");
	return m->plan->no_pivot ? move_and_chroot(m, e) : pivot(m->plan, e);
}

static int finish_late(struct mount_ctx *m, struct err *e)
{
	for (size_t i = 0; m->late && i < m->plan->n_ops; i++) {
		int r = m->late[i] < 0 ? 0 : mount_set(m->late[i], false, MOUNT_ATTR_RDONLY, 0, 0);

		if (r < 0)
			return err_sys(e, -r, m->plan->ops[i].target, "make read-only");
		fd_close(&m->late[i]);
	}
	return 0;
}

int mount_finish(struct mount_ctx *m, struct err *e)
{
	const struct mount_plan *p = m->plan;
	int r = finish_late(m, e);

	if (r < 0)
		return r;
	r = mount_set(m->root, false, p->readonly_root ? MOUNT_ATTR_RDONLY : 0, 0, 0);
	if (r < 0)
		return err_sys(e, -r, "/", "make read-only");
	r = mount_set(m->root, p->root_propagation & MS_REC, 0, 0, p->root_propagation);
	return r < 0 ? err_sys(e, -r, "/", "set linux.rootfsPropagation of") : 0;
}

/* --- procfs of our own ---------------------------------------------------------------- */

#define PROC_ATTR (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

/* The kernel refuses a new one to who may not see all of the old, or not own its processes. */
static int proc_as_it_is(void)
{
	auto_fd fd = sys_open("/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	struct statfs fs;

	if (fd < 0)
		return fd;
	if (sys_fstatfs(fd, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC)
		return -ENOTTY;
	return fd_take(&fd);
}

int mount_proc(struct mount_ctx *m, struct err *e)
{
	const struct mount_data only_pids = { "subset", "pid" };

	if (m->proc < 0)
		m->proc = mount_fs_simple("proc", &only_pids, 1, PROC_ATTR, e);
	if (m->proc == -EPERM || m->proc == -EACCES) {
		int fd = proc_as_it_is();

		if (fd >= 0)
			m->proc = fd;
	}
	return m->proc;
}

int mount_proc_full(struct err *e)
{
	return mount_fs_simple("proc", NULL, 0, PROC_ATTR, e);
}
