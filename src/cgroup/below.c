/* SPDX-License-Identifier: Apache-2.0 */
/*
 * below - where a further process goes that is to be in a cgroup below the container's
 *
 * With v1 hierarchies each has a tree of its own. A path alone means the cgroup of that name
 * in every tree that has it, "cpu,memory:path" the one in the trees of these controllers.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>

#include "base/str.h"
#include "cgroup/internal.h"
#include "sys/sys.h"

static int open_below(int top, const char *path)
{
	return sys_openat2(top, path, O_PATH | O_DIRECTORY, 0,
			   RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

static int refuse(const char *path, int r, struct err *e)
{
	if (r == -EXDEV)
		return err_user(e, path, "--cgroup: '%s' is not a sub cgroup path of the container",
				path);
	return err_sys(e, -r, path, "open the cgroup");
}

/* 0, or -errno without a word about it. */
static int move_v1(struct cgroup *cg, struct cgroup_dir *d, const char *path)
{
	auto_fd top = sys_openat(cg->root.fd, d->at, O_PATH | O_DIRECTORY, 0);
	auto_fd fd = top < 0 ? top : open_below(top, path);

	if (fd < 0)
		return fd;
	d->at = arena_printf(cg->arena, "%s/%s", d->at, path);
	d->path = arena_printf(cg->arena, "%s/%s", d->path, path);
	return 0;
}

static int enter_all(struct cgroup *cg, const char *path, int *ret_v2, struct err *e)
{
	int fd = cg->v2 < 0 ? -ENOENT : open_below(cg->v2, path);
	bool found = fd >= 0;

	if (fd < 0 && fd != -ENOENT)
		return refuse(path, fd, e);
	if (found) {
		fd_close(ret_v2);
		*ret_v2 = fd;
	}
	for (size_t i = 0; i < cg->n_dirs; i++) {
		struct cgroup_dir *d = &cg->dirs[i];
		int r = !d->hierarchy || d->absent ? -ENOENT : move_v1(cg, d, path);

		if (r < 0 && r != -ENOENT)
			return refuse(path, r, e);
		found |= r == 0;
	}
	return found ? 0 : refuse(path, -ENOENT, e);
}

/* Controllers of one hierarchy may be named together: their directory moves once. */
static int enter_some(struct cgroup *cg, char *controllers, const char *path, struct err *e)
{
	bool *wanted = arena_new_n(cg->arena, cg->n_dirs + 1, bool);
	char *save = NULL;
	int r = 0;

	for (char *c = strtok_r(controllers, ",", &save); c; c = strtok_r(NULL, ",", &save)) {
		const struct cgroup_dir *d = cgroup_dir_v1(cg, c);

		if (!d)
			return err_user(e, c, "--cgroup: unknown controller '%s'", c);
		wanted[d - cg->dirs] = true;
	}
	for (size_t i = 0; i < cg->n_dirs && r == 0; i++)
		if (wanted[i] && *path)
			r = move_v1(cg, &cg->dirs[i], path);
	return r < 0 ? refuse(path, r, e) : 0;
}

int cgroup_enter_below(struct cgroup *cg, const char *where, int *ret_v2, struct err *e)
{
	const char *colon = strchr(where, ':');
	const char *path = where;
	bool has_v1 = false;

	for (size_t i = 0; i < cg->n_dirs; i++)
		has_v1 |= cg->dirs[i].hierarchy && !cg->dirs[i].absent;
	if (!has_v1 || !colon || memchr(where, '/', (size_t)(colon - where)))
		colon = NULL;
	if (colon)
		path = colon + 1;
	path += strspn(path, "/");
	if (colon)
		return enter_some(cg, arena_strndup(cg->arena, where, (size_t)(colon - where)),
				  path, e);
	return *path ? enter_all(cg, path, ret_v2, e) : 0;
}
