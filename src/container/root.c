/* SPDX-License-Identifier: Apache-2.0 */
/*
 * root - the directory that holds the containers' directories
 *
 * The default must come out the same whatever the caller's environment is, because
 * engines give one call a full environment and the next one XDG_RUNTIME_DIR alone or
 * nothing: only the ids, the user namespace and XDG_RUNTIME_DIR decide
 * (docs/contract.md, row 4). Root of the initial user namespace always has /run/cleat.
 *
 * Links in the path of the root are followed (/var/run is one); below it none is.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/str.h"
#include "container/internal.h"
#include "sys/host.h"
#include "sys/sys.h"

#define ROOT_MODE 0700

/* A directory that nobody else can have prepared for us. */
static bool is_ours(const char *path)
{
	struct stat st;

	return sys_fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode) &&
	       st.st_uid == geteuid();
}

static const char *root_default(struct arena *a, mode_t *ret_mode)
{
	const char *runtime_dir = getenv("XDG_RUNTIME_DIR");
	const char *path;

	*ret_mode = ROOT_MODE;
	if (geteuid() == 0 && !host_in_user_ns())
		return "/run/cleat";
	/* The sticky bit tells those who tidy up runtime directories to leave it alone. */
	*ret_mode = ROOT_MODE | S_ISVTX;
	if (runtime_dir && runtime_dir[0] == '/')
		return arena_printf(a, "%s/cleat", runtime_dir);
	path = arena_printf(a, "/run/user/%u", (unsigned)geteuid());
	if (is_ours(path))
		return arena_printf(a, "%s/cleat", path);
	*ret_mode = ROOT_MODE;
	return arena_printf(a, "/tmp/cleat-%u", (unsigned)geteuid());
}

/* mkdir -p of a host path; what exists is fine. */
static int make_path(struct arena *a, const char *path, mode_t mode, struct err *e)
{
	char *copy = arena_strdup(a, path);
	int r;

	for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		r = sys_mkdirat(AT_FDCWD, copy, 0755);
		if (r < 0 && r != -EEXIST)
			return err_sys(e, -r, copy, "make the directory");
		*slash = '/';
	}
	r = sys_mkdirat(AT_FDCWD, copy, mode);
	return r < 0 && r != -EEXIST ? err_sys(e, -r, path, "make the state root") : 0;
}

/*
 * Whoever may write here can invent containers, which we would signal and remove: it
 * must be ours (or root's) and closed to the world and to other groups than root's and our
 * own, which a umask of 002 opens it to. A link at the end is refused for the default,
 * whose place in /tmp anybody could have taken.
 */
static int check_owner(int fd, const char *path, struct err *e)
{
	struct stat st;
	int r = sys_fstat(fd, &st);

	if (r < 0)
		return err_sys(e, -r, path, "stat the state root");
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return err_code(e, EPERM, path, "state root '%s' belongs to user %u", path,
				(unsigned)st.st_uid);
	if (st.st_mode & S_IWOTH)
		return err_code(e, EPERM, path, "state root '%s' can be written by everybody",
				path);
	if ((st.st_mode & S_IWGRP) && st.st_gid != 0 && st.st_gid != getegid())
		return err_code(e, EPERM, path, "state root '%s' can be written by group %u", path,
				(unsigned)st.st_gid);
	return 0;
}

const char *root_path(struct arena *a, const struct context *ctx)
{
	char cwd[PATH_MAX];
	mode_t mode;
	const char *path = ctx->root ? ctx->root : root_default(a, &mode);

	if (path[0] == '/')
		return path;
	return sys_getcwd(cwd, sizeof(cwd)) < 0 ? NULL : arena_printf(a, "%s/%s", cwd, path);
}

/* Engines keep it away, `su` takes it along: to a user whose directory it is not. */
static int default_error(const struct context *ctx, const char *path, struct err *e)
{
	const char *runtime_dir = getenv("XDG_RUNTIME_DIR");

	if (ctx->root || !runtime_dir || !runtime_dir[0] || !str_starts(path, runtime_dir))
		return -e->code;
	return err_note(e, "XDG_RUNTIME_DIR is '%s'; --root names another place", runtime_dir);
}

int root_open(struct arena *a, const struct context *ctx, bool make, struct dir *ret, struct err *e)
{
	mode_t mode = ROOT_MODE;
	const char *path = ctx->root ? ctx->root : root_default(a, &mode);
	int flags = O_PATH | O_DIRECTORY | (ctx->root ? 0 : O_NOFOLLOW);
	auto_fd fd = -1;

	if (str_eq(path, "/") || !path[0])
		return err_user(e, path, "'%s' cannot be the state root", path);
	fd = sys_open(path, flags, 0);
	if (fd == -ENOENT && make) {
		if (make_path(a, path, mode, e) < 0)
			return default_error(ctx, path, e);
		fd = sys_open(path, flags, 0);
	}
	if (fd == -ENOENT)
		return err_code(e, ENOENT, path, "state root '%s' does not exist", path);
	if (fd < 0)
		err_sys(e, -fd, path, "open the state root");
	if (fd < 0 || check_owner(fd, path, e) < 0)
		return default_error(ctx, path, e);
	*ret = (struct dir){ .fd = fd_take(&fd), .name = path };
	return 0;
}
