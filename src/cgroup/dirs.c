/* SPDX-License-Identifier: Apache-2.0 */
/* dirs - the directories of one container and their files */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "cgroup/internal.h"
#include "sys/sys.h"

int cgroup_new(struct arena *a, enum cgroup_manager m, size_t n, struct cgroup **ret, struct err *e)
{
	struct cgroup *cg = arena_new(a, struct cgroup);

	cg->ops = cgroup_manager(m);
	cg->arena = a;
	cg->root = DIR_NONE;
	cg->v2 = cg->birth = cg->named_tree = cg->hints = -1;
	cg->helper = UNIT_HELPER_NONE;
	cg->dirs = arena_new_n(a, n, struct cgroup_dir);
	if (n && dir_open(CGROUP_ROOT, &cg->root, e) < 0)
		return -e->code;
	*ret = cg;
	return 0;
}

void cgroup_close(struct cgroup *cg)
{
	if (!cg)
		return;
	cgroup_release(cg);
	fd_close(&cg->birth);
	fd_close(&cg->named_tree);
	fd_close(&cg->v2);
	dir_close(&cg->root);
}

const char *cgroup_path(const struct cgroup *cg, size_t i)
{
	return cg->dirs[i].absent ? NULL : cg->dirs[i].path;
}

const char *cgroup_dir_name(const struct cgroup_dir *d, char buf[DIR_TEXT_SIZE])
{
	snprintf(buf, DIR_TEXT_SIZE, "%s%s%s", d->hierarchy ? d->hierarchy : "",
		 d->hierarchy ? ":" : "", d->path);
	return buf;
}

int cgroup_error(const struct cgroup_dir *d, int code, struct err *e, const char *action, ...)
{
	char name[DIR_TEXT_SIZE], what[256];
	int r = code < 0 ? code : -code;
	va_list ap;

	va_start(ap, action);
	vsnprintf(what, sizeof(what), action, ap);
	va_end(ap);
	cgroup_dir_name(d, name);
	return err_code(e, -r, name, "%s cgroup '%s': %s", what, name,
			cgroup_is_gone(r) ? "it has gone" : errno_text(-r));
}

int cgroup_open_file(const struct cgroup *cg, const struct cgroup_dir *d, const char *file,
		     int flags)
{
	char path[PATH_MAX];

	if (!d->hierarchy && cg->v2 >= 0)
		return sys_openat(cg->v2, file, flags, 0);
	if (snprintf(path, sizeof(path), "%s/%s", d->at, file) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return sys_openat(cg->root.fd, path, flags, 0);
}

ssize_t cgroup_read_file(const struct cgroup *cg, const struct cgroup_dir *d, const char *file,
			 char *buf, size_t size)
{
	char path[PATH_MAX];

	if (!d->hierarchy && cg->v2 >= 0)
		return file_read_small(cg->v2, file, buf, size);
	if (snprintf(path, sizeof(path), "%s/%s", d->at, file) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return file_read_small(cg->root.fd, path, buf, size);
}

int cgroup_write_file(const struct cgroup *cg, const struct cgroup_dir *d, const char *file,
		      const char *value)
{
	auto_fd fd = cgroup_open_file(cg, d, file, O_WRONLY);
	size_t len = strlen(value);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = sys_write(fd, value, len);
	if (n < 0)
		return (int)n;
	return (size_t)n == len ? 0 : -EIO;
}

void cgroup_set_leaf(struct cgroup *cg, const char *below)
{
	cg->leaf = (struct cgroup_dir){
		.at = arena_printf(cg->arena, "%s/%s", cg->dirs[0].at, below),
		.path = arena_printf(cg->arena, "%s/%s", cg->dirs[0].path, below),
		.prefix = cg->dirs[0].prefix,
	};
}

struct cgroup_dir *cgroup_dir_v2(const struct cgroup *cg)
{
	return cg->n_dirs && !cg->dirs[0].hierarchy && !cg->dirs[0].absent ? &cg->dirs[0] : NULL;
}

struct cgroup_dir *cgroup_dir_v1(const struct cgroup *cg, const char *controller)
{
	for (size_t i = 0; i < cg->n_dirs; i++)
		if (cg->dirs[i].hierarchy && !cg->dirs[i].absent &&
		    str_has_word(cg->dirs[i].hierarchy, controller))
			return &cg->dirs[i];
	return NULL;
}

struct cgroup_dir *cgroup_dir_main(const struct cgroup *cg)
{
	for (size_t i = 0; i < cg->n_dirs; i++)
		if (!cg->dirs[i].absent)
			return &cg->dirs[i];
	return NULL;
}

uint64_t cgroup_dir_inode(const struct cgroup *cg, const struct cgroup_dir *d)
{
	struct stat st;
	int r;

	if (!d->hierarchy && cg->v2 >= 0)
		r = sys_fstat(cg->v2, &st);
	else
		r = sys_fstatat(cg->root.fd, d->at, &st, AT_SYMLINK_NOFOLLOW);
	return r < 0 ? 0 : st.st_ino;
}

bool cgroup_is_none(const struct cgroup *cg)
{
	return !cgroup_dir_main(cg);
}

int cgroup_v2_fd(const struct cgroup *cg)
{
	return cg->v2;
}

int cgroup_birth_fd(const struct cgroup *cg)
{
	return cg->birth >= 0 ? cg->birth : cg->v2;
}

bool cgroup_matches(const struct cgroup *cg)
{
	return !cg->other && !cg->gone;
}
