/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pids - who is inside
 *
 * Nested cgroups count. A cgroup that vanishes while it is read had nobody in it any
 * more. One that is threaded has no cgroup.procs; its processes are listed above it.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "cgroup/internal.h"
#include "sys/sys.h"

#define PROCS_MAX (16 << 20) /* bytes: more than two million processes */
#define SHOWN_MAX 8

struct pid_list {
	pid_t *v;
	size_t n, cap;
};

struct path_list {
	const char **v;
	size_t n, cap;
};

struct listing {
	struct arena *arena;
	struct pid_list pids;
	struct path_list paths; /* still to be read, below the top */
	const char *path;	/* being read */
};

static void add_pids(struct listing *l, const char *text)
{
	for (char *end; *text; text = end + (*end == '\n')) {
		long pid = strtol(text, &end, 10);

		if (end == text)
			return;
		/* 0: a process of a pid namespace that we do not see */
		if (pid > 0)
			*vec_push(l->arena, &l->pids) = (pid_t)pid;
	}
}

static int add_child(const char *name, unsigned char type, void *arg)
{
	struct listing *l = arg;

	if (type == DT_DIR && strlen(l->path) + strlen(name) < PATH_MAX - 64)
		*vec_push(l->arena, &l->paths) = arena_printf(l->arena, "%s/%s", l->path, name);
	return 0;
}

static int read_one(struct listing *l, int top)
{
	auto_dir d = { .fd = sys_openat(top, l->path, O_PATH | O_DIRECTORY, 0), .name = l->path };
	char *text;
	ssize_t n;
	int r;

	if (d.fd < 0)
		return cgroup_is_gone(d.fd) ? 0 : d.fd;
	n = file_read_at(d.fd, "cgroup.procs", l->arena, PROCS_MAX, &text, NULL);
	if (n > 0)
		add_pids(l, text);
	if (n < 0 && !cgroup_is_gone((int)n) && n != -EOPNOTSUPP)
		return (int)n;
	r = dir_each(&d, add_child, l, NULL);
	return cgroup_is_gone(r) ? 0 : r;
}

static int compare_pids(const void *a, const void *b)
{
	const pid_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* A process that is moved while we read may be seen twice. */
static size_t sort_unique(pid_t *v, size_t n)
{
	size_t kept = 0;

	if (n)
		qsort(v, n, sizeof(*v), compare_pids);
	for (size_t i = 0; i < n; i++)
		if (!kept || v[i] != v[kept - 1])
			v[kept++] = v[i];
	return kept;
}

static int list_dir(const struct cgroup *cg, const struct cgroup_dir *d, struct arena *a,
		    struct pid_list *ret)
{
	struct listing l = { .arena = a };
	auto_fd top = sys_openat(cg->root.fd, d->at, O_PATH | O_DIRECTORY, 0);
	int r = 0;

	if (top < 0)
		return cgroup_is_gone(top) ? 0 : top;
	*vec_push(a, &l.paths) = ".";
	for (size_t i = 0; i < l.paths.n && r == 0; i++) {
		l.path = l.paths.v[i];
		r = read_one(&l, top);
	}
	if (r < 0)
		return r;
	l.pids.n = sort_unique(l.pids.v, l.pids.n);
	*ret = l.pids;
	return 0;
}

int cgroup_pids(struct cgroup *cg, struct arena *a, pid_t **ret, size_t *ret_n, struct err *e)
{
	const struct cgroup_dir *d = cgroup_dir_main(cg);
	struct pid_list pids = { 0 };
	int r = d && cgroup_matches(cg) ? list_dir(cg, d, a, &pids) : 0;

	if (r < 0)
		return cgroup_error(d, r, e, "list the processes of");
	*ret = pids.v;
	*ret_n = pids.n;
	return 0;
}

/* "12 (sh, D)": name and state as /proc tells them; the name may hold anything. */
static const char *describe(struct arena *a, pid_t pid)
{
	char path[64], text[256], *open, *close;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (file_read_small(AT_FDCWD, path, text, sizeof(text)) <= 0)
		return arena_printf(a, "%d", (int)pid);
	open = strchr(text, '(');
	close = strrchr(text, ')');
	if (!open || !close || close < open || !close[1])
		return arena_printf(a, "%d", (int)pid);
	*close = '\0';
	str_escape_control(open);
	return arena_printf(a, "%d %s, %c)", (int)pid, open, close[2]);
}

const char *cgroup_describe_pids(struct cgroup *cg, const struct cgroup_dir *d)
{
	struct pid_list pids = { 0 };
	const char *text = "";

	if (list_dir(cg, d, cg->arena, &pids) < 0 || !pids.n)
		return "something";
	for (size_t i = 0; i < pids.n && i < SHOWN_MAX; i++)
		text = arena_printf(cg->arena, "%s%s%s", text, i ? ", " : "",
				    describe(cg->arena, pids.v[i]));
	return arena_printf(cg->arena, "process%s %s%s", pids.n > 1 ? "es" : "", text,
			    pids.n > SHOWN_MAX ? " and others" : "");
}
