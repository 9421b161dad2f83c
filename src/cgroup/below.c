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
		return err_user(e, path, "--cgroup: %s is not a sub cgroup path of the container",
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
	if (found)
		*ret_v2 = fd;
	for (size_t i = 0; i < cg->n_dirs; i++) {
		struct cgroup_dir *d = &cg->dirs[i];
		int r = !d->hierarchy || d->absent ? -ENOENT : move_v1(cg, d, path);

		if (r < 0 && r != -ENOENT)
			return refuse(path, r, e);
		found |= r == 0;
	}
	return found ? 0 : refuse(path, -ENOENT, e);
}

/*
 * The directory of each controller's hierarchy moves once: "cpu,cpuacct" may be one. @by has for
 * each directory which word has moved it, 0 for none.
 */
static int enter_some(struct cgroup *cg, char *controllers, const char *path, size_t word,
		      size_t *by, struct err *e)
{
	char *save = NULL;

	for (char *c = strtok_r(controllers, ",", &save); c; c = strtok_r(NULL, ",", &save)) {
		struct cgroup_dir *d = cgroup_dir_v1(cg, c);
		int r = 0;

		if (!d)
			return err_user(e, c, "--cgroup: unknown controller '%s'", c);
		if (by[d - cg->dirs] == word)
			continue;
		if (by[d - cg->dirs])
			return err_user(e, c, "--cgroup: the hierarchy of '%s' is named twice", c);
		by[d - cg->dirs] = word;
		if (*path)
			r = move_v1(cg, d, path);
		if (r < 0)
			return refuse(path, r, e);
	}
	return 0;
}

/* Of "cpu,memory:path"; without v1 hierarchies, or behind a slash, a colon is part of the path. */
static const char *end_of_controllers(const struct cgroup *cg, const char *where)
{
	const char *colon = where + strcspn(where, ":/");

	for (size_t i = 0; i < cg->n_dirs && *colon == ':'; i++)
		if (cg->dirs[i].hierarchy && !cg->dirs[i].absent)
			return colon;
	return NULL;
}

int cgroup_enter_below(struct cgroup *cg, const char *const *where, size_t n, int *ret_v2,
		       struct err *e)
{
	size_t *by = arena_new_n(cg->arena, cg->n_dirs + 1, size_t);
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		const char *colon = end_of_controllers(cg, where[i]);
		const char *path = colon ? colon + 1 : where[i];

		path += strspn(path, "/");
		if (colon)
			r = enter_some(
				cg, arena_strndup(cg->arena, where[i], (size_t)(colon - where[i])),
				path, i + 1, by, e);
		else if (n > 1)
			r = err_user(
				e, where[i],
				"--cgroup: '%s' is without controllers, so it cannot be one of "
				"several",
				where[i]);
		else if (*path)
			r = enter_all(cg, path, ret_v2, e);
	}
	return r;
}
