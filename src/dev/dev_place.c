/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dev_place - where nodes go
 *
 * The tree below the root is an image's: any component may be a link that leads out of
 * it. Directories are found with openat2(RESOLVE_IN_ROOT); what is made in them is made
 * as (descriptor, one name), which follows nothing (openat2(2), mknod(2)).
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/sysmacros.h>

#include "base/fd.h"
#include "base/str.h"
#include "dev/dev_room.h"
#include "sys/sys.h"

#define IN_ROOT (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)

/* @path without its slash at the start: openat2 takes both, messages want the slash. */
static int open_dir(int root, const char *path)
{
	return sys_openat2(root, *path ? path : ".", O_PATH | O_DIRECTORY, 0, IN_ROOT);
}

/* Make the last directory of @path, whose parents exist as far as they do. */
static int make_dir(int root, const char *path, int *ret_dir, struct err *e)
{
	auto_fd dir = open_dir(root, "");
	char part[PATH_MAX];

	if (dir < 0)
		return err_sys(e, -dir, "/", "open");
	for (const char *p = path; *p;) {
		size_t len = strcspn(p, "/");
		int next, r;

		p += len;
		snprintf(part, sizeof(part), "%.*s", (int)(p - path), path);
		next = open_dir(root, part);
		if (next == -ENOENT) {
			snprintf(part, sizeof(part), "%.*s", (int)len, p - len);
			r = sys_mkdirat(dir, part, 0755);
			if (r < 0)
				return err_sys(e, -r, path, "make the directory");
			next = sys_openat(dir, part, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
		}
		if (next < 0)
			return err_sys(e, -next, path, "open");
		fd_close(&dir);
		dir = next;
		p += *p == '/';
	}
	*ret_dir = fd_take(&dir);
	return 0;
}

int dev_open_parent(int root, const char *path, int *ret_dir, const char **ret_name, struct err *e)
{
	const char *slash = strrchr(path, '/');
	char parent[PATH_MAX];
	int dir;

	if (slash - path >= PATH_MAX)
		return err_sys(e, ENAMETOOLONG, path, "open");
	snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path);
	dir = open_dir(root, parent[0] ? parent + 1 : "");
	if (dir == -ENOENT && make_dir(root, parent + 1, &dir, e) < 0)
		return -e->code;
	if (dir < 0)
		return err_sys(e, -dir, parent, "open");
	*ret_dir = dir;
	*ret_name = slash + 1;
	return 0;
}

bool dev_is_node(const struct stat *st, const struct dev_node *n)
{
	if ((st->st_mode & S_IFMT) != n->type)
		return false;
	return n->type == S_IFIFO || st->st_rdev == makedev(n->major, n->minor);
}

static bool can_be_covered(const struct stat *st, const struct dev_node *n)
{
	if (S_ISREG(st->st_mode))
		return st->st_size == 0;
	return n ? dev_is_node(st, n) : S_ISCHR(st->st_mode);
}

static int open_target(int dir, const char *name, const struct dev_node *n)
{
	auto_fd made = sys_openat(dir, name, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0444);
	auto_fd there = -1;
	struct stat st;
	int r;

	if (made != -EEXIST)
		return fd_take(&made);
	there = sys_openat(dir, name, O_PATH | O_NOFOLLOW, 0);
	if (there < 0)
		return there;
	r = sys_fstat(there, &st);
	if (r < 0)
		return r;
	return can_be_covered(&st, n) ? fd_take(&there) : -EEXIST;
}

int dev_attach_file(int tree, int dir, const char *name, const char *path, const struct dev_node *n,
		    struct err *e)
{
	const struct mount_attr private = { .propagation = MS_PRIVATE };
	auto_fd target = open_target(dir, name, n);
	int r;

	if (target < 0)
		return err_sys(e, -target, path, "make a place for the device");
	r = sys_mount_setattr(tree, "", AT_EMPTY_PATH, &private, sizeof(private));
	if (r < 0)
		return err_sys(e, -r, path, "make private the mount of the device");
	r = sys_move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
	return r < 0 ? err_sys(e, -r, path, "attach the device at") : 0;
}
