/* SPDX-License-Identifier: Apache-2.0 */
/*
 * remove - empty directories go, those that others made inside first
 *
 * The way down and up again holds two descriptors however deep a container has nested
 * its cgroups, and needs no path: a directory that cannot be removed is entered, and
 * left by "..", which in a cgroup file system is where we came from.
 */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/trace.h"
#include "cgroup/internal.h"
#include "sys/sys.h"

#define EMPTY_WAIT_MS 5000 /* processes that were killed and are still on their way out */
#define GONE_WAIT_MS  100  /* what is left of a container whose own directory has gone */

struct walk {
	int at;		  /* directory that is being emptied */
	int stuck;	  /* child of it that holds something, opened; -1 */
	bool v2;	  /* it tells when the last process has left */
	bool pause;	  /* no v2 tree at all: looking again is all that is left */
	int64_t deadline; /* CLOCK_MONOTONIC */
	int result;
};

static int remove_child(const char *name, unsigned char type, void *arg)
{
	struct walk *w = arg;
	int r;

	if (type != DT_DIR)
		return 0;
	r = sys_unlinkat(w->at, name, AT_REMOVEDIR);
	if (r == -EBUSY)
		r = w->stuck = sys_openat(w->at, name, O_PATH | O_DIRECTORY, 0);
	if (r == 0 || cgroup_is_gone(r))
		return 0;
	w->result = r < 0 ? r : 0;
	return 1;
}

/* Until no process is in the directory itself. 0, -EBUSY at the deadline, -ENODEV. */
static int wait_left(const struct walk *w, int dir)
{
	int64_t left = w->deadline - clock_now_ms();
	unsigned turn = 0;
	char pid[16];
	ssize_t n;

	if (w->v2) {
		int r = cgroup_events_wait(dir, "populated", 0, left > 0 ? (uint64_t)left : 0);

		return r == -ETIMEDOUT ? -EBUSY : r;
	}
	do {
		n = file_read_small(dir, "cgroup.procs", pid, sizeof(pid));
	} while (n > 0 && w->pause && cgroup_v1_pause(&turn, w->deadline));
	return n > 0 ? -EBUSY : (int)n;
}

static int step_to(struct walk *w, int fd)
{
	if (fd < 0)
		return fd;
	fd_close(&w->at);
	w->at = fd;
	return 0;
}

/* Remove everything below @top, which stays open. */
static int remove_below(struct walk *w, int top)
{
	unsigned depth = 0;
	int r = step_to(w, sys_openat(top, ".", O_PATH | O_DIRECTORY, 0));

	while (r == 0) {
		struct dir d = { .fd = w->at, .name = "." };

		w->stuck = -1;
		w->result = 0;
		r = dir_each(&d, remove_child, w, NULL);
		/* a directory that went while we were in it is as good as empty */
		if (r < 0 && cgroup_is_gone(r))
			r = 0;
		if (r < 0 || w->result < 0)
			r = r < 0 ? r : w->result;
		else if (w->stuck >= 0) {
			r = step_to(w, w->stuck);
			depth++;
		} else if (depth == 0) {
			break;
		} else {
			/* nothing below it any more: it is processes that hold it */
			r = wait_left(w, w->at);
			if (r == 0 || cgroup_is_gone(r))
				r = step_to(w, sys_openat(w->at, "..", O_PATH | O_DIRECTORY, 0));
			depth--;
		}
		/* somebody inside may make new ones as fast as we remove them */
		if (r == 0 && clock_now_ms() > w->deadline)
			r = -EBUSY;
	}
	return r;
}

int cgroup_rmdir(const struct cgroup *cg, const struct cgroup_dir *d)
{
	int r = sys_unlinkat(cg->root.fd, d->at, AT_REMOVEDIR);

	if (r == -EROFS && sys_faccessat(cg->root.fd, d->at, F_OK, 0) == -ENOENT)
		r = -ENOENT;
	return r;
}

int cgroup_rmdir_leaf(const struct cgroup *cg)
{
	size_t top = cg->leaf.at ? strlen(cg->dirs[0].at) : 0;
	struct cgroup_dir d = { .at = cg->leaf.at };
	int r = 0;

	while (d.at && strlen(d.at) > top && (r == 0 || cgroup_is_gone(r))) {
		r = cgroup_rmdir(cg, &d);
		if (r == -ENOTDIR) /* the name of a file, which is why it was not made */
			r = 0;
		d.at = arena_strndup(cg->arena, d.at, (size_t)(strrchr(d.at, '/') - d.at));
	}
	return cgroup_is_gone(r) ? 0 : r;
}

static int remove_busy(const struct cgroup *cg, const struct cgroup_dir *d)
{
	struct walk w = {
		.at = -1,
		.stuck = -1,
		.v2 = !d->hierarchy,
		.pause = !cgroup_dir_v2(cg),
		.deadline = clock_now_ms() + (cg->gone ? GONE_WAIT_MS : EMPTY_WAIT_MS),
	};
	auto_fd top = sys_openat(cg->root.fd, d->at, O_PATH | O_DIRECTORY, 0);
	int r = top < 0 ? top : remove_below(&w, top);

	fd_close(&w.at);
	if (r == 0)
		r = wait_left(&w, top);
	if (r == 0)
		r = cgroup_rmdir(cg, d);
	return r;
}

int cgroup_remove_tree(int dir, const char *path)
{
	struct walk w = { .at = -1, .stuck = -1, .deadline = clock_now_ms() + EMPTY_WAIT_MS };
	auto_fd top = sys_openat(dir, path, O_PATH | O_DIRECTORY, 0);
	int r = top < 0 ? top : remove_below(&w, top);

	fd_close(&w.at);
	return r < 0 ? r : sys_unlinkat(dir, path, AT_REMOVEDIR);
}

static int remove_dir(struct cgroup *cg, const struct cgroup_dir *d, struct err *e)
{
	char name[DIR_TEXT_SIZE];
	int r = cgroup_rmdir(cg, d);

	if (r == -EBUSY && !cg->other)
		r = remove_busy(cg, d);
	/* who is in a directory that was not recorded, or that cannot be told, is not ours */
	if (r == -EBUSY && !cgroup_matches(cg))
		r = 0;
	trace(CGROUP, "remove %s: %s", d->at, errno_name(-r));
	if (r == 0 || cgroup_is_gone(r))
		return 0;
	if (r != -EBUSY)
		return cgroup_error(d, r, e, "remove");
	cgroup_dir_name(d, name);
	return err_code(e, EBUSY, name, "remove cgroup '%s': it still holds %s", name,
			cgroup_describe_pids(cg, d));
}

int cgroup_remove_dirs(struct cgroup *cg, struct err *e)
{
	int r = 0, named;

	/* one that cannot be removed does not keep the others */
	for (size_t i = cg->n_dirs; i-- > 0;)
		if (!cg->dirs[i].absent && remove_dir(cg, &cg->dirs[i], r < 0 ? NULL : e) < 0)
			r = -EBUSY;
	/* nobody is in the v2 one any more, so nobody is there */
	named = cgroup_named_remove(cg, r == 0 && cgroup_matches(cg));
	if (r == 0 && named < 0)
		r = cgroup_error(&cg->named, named, e, "remove");
	return r < 0 ? -e->code : 0;
}
