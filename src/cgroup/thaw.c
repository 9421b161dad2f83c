/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thaw - the v1 freezer, which holds back even SIGKILL
 *
 * It may be there beside v2. A container that can write to its cgroups can freeze itself in
 * it, in a cgroup of its own making as well, and would never end: so who is to die is let go
 * in all of them. The way down and up again needs one descriptor and no path; those that are
 * still to be seen are kept with their depth, deepest first.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "cgroup/internal.h"
#include "sys/sys.h"

#define THAW_WAIT_MS 5000 /* for any number of cgroups that somebody has made */
#define STATE	     "freezer.state"

struct place {
	const char *name;
	unsigned depth;
};

struct walk {
	struct arena *arena;
	int at;
	unsigned depth; /* of @at */
	struct {
		struct place *v;
		size_t n, cap;
	} todo;
};

static int note(const char *name, unsigned char type, void *arg)
{
	struct walk *w = arg;

	if (type == DT_DIR)
		*vec_push(w->arena, &w->todo) =
			(struct place){ arena_strdup(w->arena, name), w->depth + 1 };
	return 0;
}

/* Was it frozen, or about to be? */
static bool thaw_here(int at)
{
	char state[32];
	auto_fd fd = -1;

	if (file_read_small(at, STATE, state, sizeof(state)) <= 0 || str_eq(state, "THAWED"))
		return false;
	fd = sys_openat(at, STATE, O_WRONLY, 0);
	return fd >= 0 && sys_write(fd, "THAWED", strlen("THAWED")) > 0;
}

/* Go to the next place that is still there. */
static bool step(struct walk *w)
{
	while (w->todo.n > 0) {
		struct place next = w->todo.v[--w->todo.n];
		int fd = 0;

		while (fd >= 0 && w->depth >= next.depth) {
			fd = sys_openat(w->at, "..", O_PATH | O_DIRECTORY, 0);
			if (fd >= 0) {
				fd_close(&w->at);
				w->at = fd;
				w->depth--;
			}
		}
		if (fd >= 0)
			fd = sys_openat(w->at, next.name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
		if (fd < 0)
			continue;
		fd_close(&w->at);
		w->at = fd;
		w->depth = next.depth;
		return true;
	}
	return false;
}

bool cgroup_thaw_all(struct cgroup *cg)
{
	const struct cgroup_dir *d = cgroup_matches(cg) ? cgroup_dir_v1(cg, "freezer") : NULL;
	int64_t deadline = clock_now_ms() + THAW_WAIT_MS;
	auto_arena a = arena_make();
	struct walk w = { .arena = &a, .at = -1 };
	bool was_frozen = false;

	if (d)
		w.at = sys_openat(cg->root.fd, d->at, O_PATH | O_DIRECTORY, 0);
	if (w.at < 0)
		return false;
	do {
		struct dir here = { .fd = w.at, .name = d->path };

		was_frozen |= thaw_here(w.at);
		dir_each(&here, note, &w, NULL);
	} while (clock_now_ms() < deadline && step(&w));
	fd_close(&w.at);
	return was_frozen;
}

/* Is the freezer cgroup of the process frozen, or about to be? */
static bool is_held(const struct cgroup *cg, const struct cgroup_dir *own, pid_t pid)
{
	char path[PATH_MAX], file[PATH_MAX], state[32];

	/* "/..": beyond what we see of the hierarchy */
	if (cgroup_of_process(pid, "freezer", path, sizeof(path)) < 0 || str_starts(path, "/.."))
		return false;
	if (snprintf(file, sizeof(file), "%s%s/" STATE, own->hierarchy, path) >= PATH_MAX)
		return false;
	return file_read_small(cg->root.fd, file, state, sizeof(state)) > 0 &&
	       !str_eq(state, "THAWED");
}

bool cgroup_bring_home(struct cgroup *cg, pid_t pid, int pidfd)
{
	const struct cgroup_dir *d = cgroup_matches(cg) ? cgroup_dir_v1(cg, "freezer") : NULL;
	char text[16];

	snprintf(text, sizeof(text), "%d", (int)pid);
	return d && is_held(cg, d, pid) && sys_pidfd_send_signal(pidfd, 0) == 0 &&
	       cgroup_write_file(cg, d, "cgroup.procs", text) >= 0;
}
