/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cpuset - a v1 cpuset must have cpus and mems before it takes a process; cpuset(7)
 *
 * What is empty is copied from the level above; what has a value keeps it. Hierarchies
 * mounted with "noprefix" name the files without "cpuset.".
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "cgroup/internal.h"
#include "sys/sys.h"

#define LIST_MAX 4096 /* a list of cpus of the largest machines */

struct level {
	const struct cgroup *cg;
	char at[PATH_MAX];
	size_t root; /* bytes of the hierarchy's folder: nothing above it */
};

static int file_of(const struct level *l, size_t len, const char *file, char path[PATH_MAX])
{
	if (snprintf(path, PATH_MAX, "%.*s/%s", (int)len, l->at, file) >= PATH_MAX)
		return -ENAMETOOLONG;
	return 0;
}

static int write_list(const struct level *l, const char *path, const char *list)
{
	auto_fd fd = sys_openat(l->cg->root.fd, path, O_WRONLY, 0);
	ssize_t n = fd < 0 ? fd : sys_write(fd, list, strlen(list));

	return n < 0 ? (int)n : 0;
}

/* The list of the directory that is the first @len bytes, filled from above if it is empty. */
static int list_of(const struct level *l, size_t len, const char *file, bool is_new,
		   char list[LIST_MAX])
{
	size_t above = len;
	char path[PATH_MAX];
	ssize_t n = file_of(l, len, file, path);

	if (n == 0 && !is_new)
		n = file_read_small(l->cg->root.fd, path, list, LIST_MAX);
	if (n != 0 || len <= l->root)
		return n < 0 ? (int)n : 0;
	while (above > l->root && l->at[above - 1] != '/')
		above--;
	n = list_of(l, above - 1, file, false, list);
	return n < 0 ? (int)n : write_list(l, path, list);
}

static bool is_planned(const struct cgroup_dir_plan *p, const char *file)
{
	for (size_t i = 0; i < p->n_early; i++)
		if (str_eq(p->early[i].file, file))
			return true;
	return false;
}

static int fill(struct level *l, const struct cgroup_dir *d, const char *file, bool planned,
		struct err *e)
{
	bool is_new = d->n_made > planned;
	size_t len = strlen(l->at);
	char list[LIST_MAX];
	int r;

	/* what the configuration sets is not copied, but nothing can be set below an empty level */
	if (planned)
		len -= strlen(strrchr(l->at, '/'));
	if (planned && len <= l->root)
		return 0;
	r = list_of(l, len, file, is_new, list);
	if (r == -ENOENT)
		r = list_of(l, len, file + strlen("cpuset."), is_new, list);
	if (r < 0)
		return cgroup_error(d, r, e, "copy %s down to", file);
	return 0;
}

int cgroup_cpuset_fill(const struct cgroup *cg, const struct cgroup_dir *d,
		       const struct cgroup_dir_plan *p, struct err *e)
{
	struct level l = { .cg = cg, .root = d->prefix - 1 };

	str_copy(l.at, sizeof(l.at), d->at);
	if (fill(&l, d, "cpuset.cpus", is_planned(p, "cpuset.cpus"), e) < 0)
		return -e->code;
	return fill(&l, d, "cpuset.mems", is_planned(p, "cpuset.mems"), e);
}
