/* SPDX-License-Identifier: Apache-2.0 */
/*
 * named - a place in the v1 hierarchy name=systemd, on a host with cgroup v2 alone
 *
 * Whoever keeps a tree of processes there, as an old systemd does, needs no controller. The
 * kernel makes a hierarchy only for its initial cgroup namespace, and one with cgroups in it
 * stays when its last mount goes; so it is the host's to make. In it the container has
 * a cgroup of the same path as in v2, and so its own root. Nothing need be mounted at a known
 * place: we have a mount of our own that is nowhere.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "base/trace.h"
#include "cgroup/internal.h"
#include "sys/sys.h"

#define DIR_MODE 0755
#define MAKE	 "mount -t cgroup -o none,name=systemd,xattr cgroup DIRECTORY"

static bool is_there(void)
{
	char text[8192];

	return file_read_small(AT_FDCWD, "/proc/self/cgroup", text, sizeof(text)) > 0 &&
	       strstr(text, ":name=systemd:");
}

/* The hierarchy, which must exist already, or it would be made. */
static int open_hierarchy(void)
{
	auto_fd fs = is_there() ? sys_fsopen("cgroup", FSOPEN_CLOEXEC) : -ENOENT;
	int r = fs < 0 ? fs : sys_fsconfig(fs, FSCONFIG_SET_FLAG, "none", NULL, 0);

	if (r == 0)
		r = sys_fsconfig(fs, FSCONFIG_SET_STRING, "name", "systemd", 0);
	if (r == 0)
		r = sys_fsconfig(fs, FSCONFIG_SET_FLAG, "xattr", NULL, 0);
	if (r == 0)
		r = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	return r < 0 ? r
		     : sys_fsmount(fs, FSMOUNT_CLOEXEC,
				   MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

static int tree_error(int r, struct err *e)
{
	if (r == -ENOENT)
		return err_code(e, ENOENT, "name=systemd",
				"this host has no cgroup hierarchy name=systemd; '" MAKE
				"' makes one");
	return err_sys(e, -r, "name=systemd", "mount the cgroup hierarchy");
}

static int make_dir(const struct cgroup *cg)
{
	const char *path = cg->named.at;
	int r = 0;

	for (const char *slash = path; slash && (r == 0 || r == -EEXIST);) {
		slash = strchr(slash + 1, '/');
		r = sys_mkdirat(cg->named_tree,
				slash ? arena_strndup(cg->arena, path, (size_t)(slash - path))
				      : path,
				DIR_MODE);
	}
	return r;
}

void cgroup_set_named(struct cgroup *cg)
{
	const char *path = cg->dirs[0].path;

	cg->named = (struct cgroup_dir){ .hierarchy = "systemd", .at = path + 1, .path = path };
}

int cgroup_named_make(struct cgroup *cg, struct err *e)
{
	char pid[16];
	int r;

	cgroup_set_named(cg);
	cg->named_tree = open_hierarchy();
	if (cg->named_tree < 0)
		return tree_error(cg->named_tree, e);
	r = make_dir(cg);
	trace(CGROUP, "make name=systemd:%s: %s", cg->named.path, errno_name(-r));
	if (r < 0 && r != -EEXIST)
		return cgroup_error(&cg->named, r, e, "make");
	cg->named.n_made = r == 0;
	r = (int)file_read_small(cg->named_tree,
				 arena_printf(cg->arena, "%s/cgroup.procs", cg->named.at), pid,
				 sizeof(pid));
	if (r > 0)
		return cgroup_error(&cg->named, -EBUSY, e, "take");
	return r < 0 ? cgroup_error(&cg->named, r, e, "read cgroup.procs of") : 0;
}

int cgroup_named_join(struct cgroup *cg, const char *pid, struct err *e)
{
	struct dir d = { .name = "name=systemd" };
	int r = 0;

	if (cg->named_tree < 0)
		cg->named_tree = open_hierarchy();
	if (cg->named_tree < 0)
		return tree_error(cg->named_tree, e);
	d.fd = cg->named_tree;
	r = file_write_at(&d, arena_printf(cg->arena, "%s/cgroup.procs", cg->named.at), pid,
			  strlen(pid), e);
	return r < 0 ? cgroup_error(&cg->named, r, e, "move process %s to", pid) : 0;
}

int cgroup_named_remove(const struct cgroup *cg, bool nested)
{
	auto_fd opened = -1;
	int tree, r;

	if (!cg->named.at)
		return 0;
	if (cg->named_tree < 0)
		opened = open_hierarchy();
	tree = cg->named_tree < 0 ? opened : cg->named_tree;
	r = tree < 0 ? tree : sys_unlinkat(tree, cg->named.at, AT_REMOVEDIR);
	if (r == -EBUSY && nested)
		r = cgroup_remove_tree(tree, cg->named.at);
	trace(CGROUP, "remove name=systemd:%s: %s", cg->named.path, errno_name(-r));
	return cgroup_is_gone(r) ? 0 : r;
}
