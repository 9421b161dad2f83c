/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_target - where something is mounted
 *
 * The tree below the root is an image's, and another container may be changing it while
 * we look: links may lead anywhere. So it is walked by the kernel alone, with openat2(2),
 * which keeps every component inside the root, and what is made is made as (descriptor,
 * one name), which follows nothing and goes up nowhere. The answer is a descriptor: what it
 * names cannot be exchanged any more.
 */
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/str.h"
#include "mount/mount_room.h"

#define IN_ROOT	 (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
#define DIR_MODE 0755
/* path_resolution(7) */
#define LINKS_MAX 40

int mount_open_in_root(int root, const char *path, uint64_t flags)
{
	return sys_openat2(root, path, flags, 0, IN_ROOT);
}

int mount_target_find(int root, const char *path, uint64_t flags, struct err *e)
{
	int fd = sys_openat2(root, path, flags, 0, IN_ROOT | RESOLVE_NO_SYMLINKS);
	struct statfs fs;

	if (fd != -ELOOP)
		return fd < 0 && fd != -ENOENT
			       ? mount_path_error(root, path, -fd, "open the target", e)
			       : fd;
	/* mount_plan.c has looked at the name, which is not where a link of the image leads */
	fd = mount_open_in_root(root, path, flags);
	if (fd >= 0 && sys_fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC) {
		fd_close(&fd);
		return err_code(e, ELOOP, path,
				"'%s' cannot be mounted because it is a link inside /proc", path);
	}
	return fd < 0 && fd != -ENOENT ? mount_path_error(root, path, -fd, "open the target", e)
				       : fd;
}

static int open_dir(int root, const char *path)
{
	return mount_open_in_root(root, path, O_PATH | O_DIRECTORY);
}

/*
 * Part @name of the path, in @dir, is a link that leads nowhere: what it says instead, as
 * a path from the root: "<before>/<link>/<rest>". The kernel judges it like any other.
 */
static int follow_link(int dir, const char *name, const char *before, const char *rest,
		       char path[PATH_MAX], struct err *e)
{
	char link[PATH_MAX];
	ssize_t n = sys_readlinkat(dir, name, link, sizeof(link));

	if (n < 0)
		return err_sys(e, (int)-n, before, "look at '%s' in", name);
	if (snprintf(path, PATH_MAX, "%s/%s%s%s", link[0] == '/' ? "" : before, link,
		     *rest ? "/" : "", rest) >= PATH_MAX)
		return err_sys(e, ENAMETOOLONG, name, "follow the link");
	return 0;
}

/*
 * Of what a link says the kernel alone resolves dots, within the root: they are always there.
 * Where it says that one is not, the directory before it has gone meanwhile, and to look
 * from our descriptor of that could lead out of the root (CVE-2024-45310).
 */
static bool is_dots(const char *name)
{
	return str_eq(name, ".") || str_eq(name, "..");
}

static int make_dirs(int root, const char *path, int depth, struct err *e);

/* Make directory @name in @dir, or go where the broken link of that name leads. */
static int make_one(int root, int dir, const char *name, const char *before, int depth,
		    struct err *e)
{
	char path[PATH_MAX];
	int fd, r;

	if (is_dots(name))
		return err_sys(e, ENOENT, *before ? before : "/", "open '%s' in", name);
	r = sys_mkdirat(dir, name, DIR_MODE);
	if (r < 0 && r != -EEXIST)
		return err_sys(e, -r, *before ? before : "/", "make the directory '%s' in", name);
	fd = sys_openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd != -ENOTDIR && fd != -ELOOP)
		return fd < 0 ? err_sys(e, -fd, name, "open the directory") : fd;
	if (depth >= LINKS_MAX)
		return err_sys(e, ELOOP, name, "follow the link");
	if (follow_link(dir, name, before, "", path, e) < 0)
		return -e->code;
	return make_dirs(root, path, depth + 1, e);
}

/*
 * The directory @path, whose parents are made as far as they are missing. A part that is
 * there is opened from the root again, because it may be a link that is absolute.
 */
static int make_dirs(int root, const char *path, int depth, struct err *e)
{
	char part[PATH_MAX];
	auto_fd dir = open_dir(root, path);

	if (dir != -ENOENT)
		return dir < 0 ? mount_path_error(root, path, -dir, "open the directory", e)
			       : fd_take(&dir);
	if (!str_copy(part, sizeof(part), path))
		return err_sys(e, ENAMETOOLONG, path, "make the directory");
	dir = open_dir(root, "/");
	for (char *p = part; dir >= 0 && *(p += strspn(p, "/"));) {
		char *name = p, *slash = p == part ? p : p - 1, end;
		int next;

		p += strcspn(p, "/");
		end = *p;
		*p = '\0';
		next = open_dir(root, part);
		if (next == -ENOENT) {
			*slash = '\0';
			next = make_one(root, dir, name, part, depth, e);
			*slash = '/';
		} else if (next < 0) {
			mount_path_error(root, part, -next, "open the directory", e);
		}
		if (next < 0)
			return next;
		fd_close(&dir);
		dir = next;
		*p = end;
	}
	return dir < 0 ? err_sys(e, -dir, path, "open the directory") : fd_take(&dir);
}

int mount_target_parent(int root, const char *path, const char **ret_name, struct err *e)
{
	const char *slash = strrchr(path, '/');
	char parent[PATH_MAX];

	if (!slash || !slash[1])
		return err_user(e, path, "'%s' is not the name of a file", path);
	if (is_dots(slash + 1))
		return err_sys(e, ENOENT, path, "open the target");
	*ret_name = slash + 1;
	if (slash == path)
		return make_dirs(root, "/", 0, e);
	if ((size_t)(slash - path) >= sizeof(parent))
		return err_sys(e, ENAMETOOLONG, path, "open the parent of");
	memcpy(parent, path, (size_t)(slash - path));
	parent[slash - path] = '\0';
	return make_dirs(root, parent, 0, e);
}

/* Returns 0, 1 when something was there (a broken link, since it was not found), or -errno. */
static int make_last(int parent, const char *name, bool file, mode_t mode)
{
	int r = file ? sys_mknodat(parent, name, S_IFREG | mode, 0)
		     : sys_mkdirat(parent, name, mode);

	return r == -EEXIST ? 1 : r;
}

/* It was not there: make it, or what the broken link of that name leads to. */
static int make_target(int root, const char *path, unsigned how, mode_t mode, int depth,
		       struct err *e)
{
	auto_fd parent = -1;
	const char *name = "";
	char other[PATH_MAX], before[PATH_MAX];
	struct stat st;
	int fd, r;

	parent = mount_target_parent(root, path, &name, e);
	if (parent < 0)
		return parent;
	r = make_last(parent, name, how & MOUNT_TARGET_FILE, mode);
	if (r < 0)
		return err_sys(e, -r, path, "make the target");
	fd = sys_openat(parent, name, O_PATH | O_NOFOLLOW, 0);
	if (fd < 0 || r == 0 || how & MOUNT_TARGET_NOFOLLOW || sys_fstat(fd, &st) < 0 ||
	    !S_ISLNK(st.st_mode))
		return fd < 0 ? err_sys(e, -fd, path, "open the target") : fd;
	fd_close(&fd);
	snprintf(before, sizeof(before), "%.*s", (int)(name - path - 1), path);
	if (depth >= LINKS_MAX)
		return err_sys(e, ELOOP, path, "follow the link");
	if (follow_link(parent, name, before, "", other, e) < 0)
		return -e->code;
	return make_target(root, other, how, mode, depth + 1, e);
}

int mount_target_new(int dir, const char *name, mode_t mode)
{
	int r = sys_mkdirat(dir, name, mode);

	return r < 0 ? r : sys_openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
}

int mount_target_open(int root, const char *path, unsigned how, mode_t mode, bool *ret_created,
		      struct err *e)
{
	uint64_t flags = O_PATH | (how & MOUNT_TARGET_NOFOLLOW ? O_NOFOLLOW : 0) |
			 (how & MOUNT_TARGET_PLAIN ? O_NOFOLLOW | O_DIRECTORY : 0);
	int fd = mount_target_find(root, path, flags, e);

	if (ret_created)
		*ret_created = fd == -ENOENT;
	if (fd == -ENOENT)
		return make_target(root, path, how, mode, 0, e);
	if (fd == -ENOTDIR && how & MOUNT_TARGET_PLAIN) {
		err_clear(e);
		return err_sys(e, ENOTDIR, path,
			       "must be mounted on ordinary directory, not on a link or a file:");
	}
	return fd;
}

int mount_make_target(int root, const char *path, bool file, mode_t mode, int *ret_fd,
		      struct err *e)
{
	int fd = mount_target_open(root, path, file ? MOUNT_TARGET_FILE : 0, mode, NULL, e);

	if (fd < 0)
		return fd;
	*ret_fd = fd;
	return 0;
}

int mount_attach(int tree, int target, const char *name, struct err *e)
{
	int r = sys_move_mount(tree, "", target, "",
			       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);

	return r < 0 ? mount_attach_error(tree, target, -r, name, e) : 0;
}
