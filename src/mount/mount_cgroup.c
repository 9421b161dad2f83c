/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_cgroup - the cgroup mount, in v2, hybrid and v1 form
 *
 * Each hierarchy is a bind of the container's cgroup: in a cgroup namespace whose root
 * that is, it looks exactly as a new mount would, and without one it shows no more than
 * the container's own part. But of the v2 tree, root who asks for no such namespace is shown
 * all that a new mount would show him: there the paths of /proc/PID/cgroup are found. A new
 * mount could also change the options of the host's superblock.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "mount/mount_room.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

/* Returns a detached tree or -errno. */
static int open_hierarchy(const struct mount_ctx *m, const struct mount_op *op,
			  const struct mount_cgroup *h, struct err *e)
{
	const bool below = m->plan->cgroups != HOST_CGROUP_V2;
	const char *folder = h->dir ? h->dir : below ? "unified" : "";
	char path[PATH_MAX];
	auto_fd tree = -1;
	int r;

	snprintf(path, sizeof(path), CGROUP_ROOT "%s%s%s", *folder ? "/" : "", folder,
		 m->plan->all_cgroups && !h->dir ? "" : h->path);
	tree = mount_clone(AT_FDCWD, path, false, false);
	if (tree < 0)
		return err_sys(e, -tree, path, "open the cgroup");
	r = mount_set(tree, false, op->flags.attr_set | op->flags.rec_set, 0, MS_PRIVATE);
	return r < 0 ? err_sys(e, -r, path, "set flags of the cgroup mount") : fd_take(&tree);
}

static int attach_hierarchy(const struct mount_ctx *m, const struct mount_op *op,
			    const struct mount_cgroup *h, int folder, struct err *e)
{
	const char *name = h->dir ? h->dir : "unified";
	auto_fd tree = -1;
	int r = sys_mkdirat(folder, name, 0755);

	if (r < 0)
		return err_sys(e, -r, name, "make the directory of the hierarchy");
	tree = open_hierarchy(m, op, h, e);
	if (tree < 0)
		return tree;
	r = sys_move_mount(tree, "", folder, name, MOVE_MOUNT_F_EMPTY_PATH);
	return r < 0 ? err_sys(e, -r, name, "mount the hierarchy") : 0;
}

/* "cpu,cpuacct" is also found as cpu and as cpuacct. */
static int link_controllers(const struct mount_cgroup *h, int folder, struct err *e)
{
	char words[256], *save = NULL;

	if (!h->dir || !strchr(h->dir, ',') || !str_copy(words, sizeof(words), h->dir))
		return 0;
	for (char *w = strtok_r(words, ",", &save); w; w = strtok_r(NULL, ",", &save)) {
		int r = sys_symlinkat(h->dir, folder, w);

		if (r < 0)
			return err_sys(e, -r, w, "make the link of the controller");
	}
	return 0;
}

/* In our cgroup namespace: its root there is the container's cgroup, where init is by now. */
static int attach_named(const struct mount_op *op, int folder, struct err *e)
{
	auto_fd tree = -1;
	int r = sys_mkdirat(folder, "systemd", 0755);

	if (r < 0)
		return err_sys(e, -r, "systemd", "make the directory of the hierarchy");
	tree = mount_fs_simple("cgroup", op->data, op->n_data,
			       MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, e);
	if (tree < 0)
		return tree;
	r = sys_move_mount(tree, "", folder, "systemd", MOVE_MOUNT_F_EMPTY_PATH);
	return r < 0 ? err_sys(e, -r, "systemd", "mount the hierarchy") : 0;
}

/* A small tmpfs with a folder a hierarchy, as on the host. */
static int mount_tree(struct mount_ctx *m, const struct mount_op *op, int target, struct err *e)
{
	const struct mount_data data[] = { { "source", "cgroup" }, { "mode", "755" } };
	auto_fd tree = mount_fs_simple("tmpfs", data, 2,
				       MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, e);
	int r;

	if (tree < 0)
		return tree;
	/* mounts below a detached tree need a newer kernel than ours may be (6.15) */
	r = mount_attach(tree, target, op->target, e);
	if (op->named)
		return r < 0 ? r : attach_named(op, tree, e);
	for (size_t i = 0; i < m->n_cgroups && r == 0; i++) {
		r = attach_hierarchy(m, op, &m->cgroups[i], tree, e);
		if (r == 0)
			r = link_controllers(&m->cgroups[i], tree, e);
	}
	if (r == 0 && (op->flags.attr_set | op->flags.rec_set) & MOUNT_ATTR_RDONLY) {
		r = mount_set(tree, false, MOUNT_ATTR_RDONLY, 0, 0);
		if (r < 0)
			return err_sys(e, -r, op->target, "make read-only");
	}
	return r;
}

static const struct mount_cgroup *v2_of(const struct mount_ctx *m)
{
	for (size_t i = 0; i < m->n_cgroups; i++)
		if (!m->cgroups[i].dir)
			return &m->cgroups[i];
	return NULL;
}

int mount_cgroup(struct mount_ctx *m, const struct mount_op *op, int target, struct err *e)
{
	const bool wants_v2 = str_eq(op->type, "cgroup2");
	const bool is_v2 = wants_v2 || m->plan->cgroups == HOST_CGROUP_V2;
	auto_fd tree = -1;

	if (m->plan->cgroups == HOST_CGROUP_NONE || (is_v2 && !v2_of(m)))
		return err_code(e, ENODEV, op->type, "this host has no %s hierarchy to mount",
				wants_v2 ? "cgroup v2" : "cgroup");
	if (!is_v2 || op->named)
		return mount_tree(m, op, target, e);
	tree = open_hierarchy(m, op, v2_of(m), e);
	return tree < 0 ? tree : mount_attach(tree, target, op->target, e);
}
