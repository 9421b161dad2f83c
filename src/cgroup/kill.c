/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill - signals to everybody inside
 *
 * SIGKILL on v2 is one write that no fork can outrun, and it reaches the frozen; but the
 * kernel signals the first thread of each process then, and passes over one whose first
 * thread has ended while others go on. So whoever is still listed, and any other signal,
 * and all of them without v2, goes to each process by a pidfd: a number read from
 * cgroup.procs may be somebody else's by the time it is used, so membership is looked up
 * again when the pidfd is held. Round after round, until one finds nobody new.
 */
#include <signal.h>
#include <stdlib.h>

#include "cgroup/internal.h"
#include "sys/sys.h"

#define ROUNDS_MAX 64 /* a fork bomb outruns any number; then SIGKILL is the answer */

struct round {
	pid_t *v;
	size_t n;
};

static bool contains(const struct round *r, pid_t pid)
{
	size_t low = 0, high = r->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (r->v[mid] == pid)
			return true;
		if (r->v[mid] < pid)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

static int list(struct cgroup *cg, struct arena *a, struct round *ret, struct err *e)
{
	return cgroup_pids(cg, a, &ret->v, &ret->n, e);
}

/* Keep those of @r that @seen has not; the arrays are sorted. */
static void drop_seen(struct round *r, const struct round *seen)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->n; i++)
		if (!contains(seen, r->v[i]))
			r->v[kept++] = r->v[i];
	r->n = kept;
}

/* Processes held by pidfds at a time. */
#define BATCH 64

struct batch {
	int fd[BATCH];
	pid_t pid[BATCH];
	size_t n;
};

static int hold(struct batch *b, pid_t pid, struct err *e)
{
	int fd = sys_pidfd_open(pid, 0);

	/* EINVAL: a thread that is no process */
	if (fd == -ESRCH || fd == -EINVAL)
		return 0;
	if (fd < 0)
		return err_sys(e, -fd, NULL, "open process %d of the container", (int)pid);
	b->fd[b->n] = fd;
	b->pid[b->n++] = pid;
	return 0;
}

/* How many were reached; the others have gone or left. */
static int signal_held(struct cgroup *cg, const struct batch *b, int sig, struct err *e)
{
	auto_arena a = arena_make();
	struct round now;
	int sent = 0;

	if (list(cg, &a, &now, e) < 0)
		return -e->code;
	for (size_t i = 0; i < b->n; i++) {
		int r = contains(&now, b->pid[i]) ? sys_pidfd_send_signal(b->fd[i], sig) : -ESRCH;

		if (r < 0 && r != -ESRCH)
			return err_sys(e, -r, NULL, "send signal %d to process %d of the container",
				       sig, (int)b->pid[i]);
		sent += r == 0;
	}
	return sent;
}

static int signal_round(struct cgroup *cg, const struct round *new, int sig, struct err *e)
{
	int sent = 0, r = 0;

	for (size_t i = 0; i < new->n &&r >= 0;) {
		struct batch b = { .n = 0 };

		for (; i < new->n &&b.n < BATCH &&r >= 0; i++)
			r = hold(&b, new->v[i], e);
		if (r >= 0)
			r = signal_held(cg, &b, sig, e);
		sent += r > 0 ? r : 0;
		while (b.n > 0)
			fd_close(&b.fd[--b.n]);
	}
	return r < 0 ? r : sent;
}

static int signal_each(struct cgroup *cg, int sig, struct err *e)
{
	auto_arena a = arena_make();
	struct round seen = { 0 };
	int sent = 0;

	for (int turn = 0; turn < ROUNDS_MAX; turn++) {
		struct round now, new;
		int r;

		if (list(cg, &a, &now, e) < 0)
			return -e->code;
		new = (struct round){ arena_new_n(&a, now.n, pid_t), now.n };
		for (size_t i = 0; i < now.n; i++)
			new.v[i] = now.v[i];
		drop_seen(&new, &seen);
		if (!new.n)
			break;
		r = signal_round(cg, &new, sig, e);
		if (r < 0)
			return r;
		sent += r;
		seen = now;
	}
	return sent;
}

/* No v2: hold them still, so that no fork outruns us, and let go whatever happened. */
static int kill_v1(struct cgroup *cg, struct err *e)
{
	struct err ignored = { 0 };
	bool freezer = cgroup_dir_v1(cg, "freezer");
	int r;

	if (freezer && cgroup_freeze(cg, true, &ignored) < 0)
		err_ignore(&ignored, "they are killed as they run");
	r = signal_each(cg, SIGKILL, e);
	if (freezer && cgroup_freeze(cg, false, r < 0 ? &ignored : e) < 0 && r >= 0)
		r = cgroup_is_populated(cg) > 0 ? -e->code : 0;
	cgroup_thaw_all(cg);
	return r < 0 ? r : 0;
}

static int refuse_other(const struct cgroup *cg, struct err *e)
{
	return err_code(e, ESTALE, cg->dirs[0].path,
			"cgroup '%s' is not the one that was made for the container",
			cg->dirs[0].path);
}

/* A user may end by the write whom he may not signal: an id that is mapped for him is not his. */
static int kill_v2(struct cgroup *cg, const struct cgroup_dir *d, struct err *e)
{
	int r = cgroup_write_file(cg, d, "cgroup.kill", "1");
	struct err ignored = { 0 };

	/* a threaded cgroup cannot be killed as a whole */
	if (r == -EOPNOTSUPP)
		return signal_each(cg, SIGKILL, e) < 0 ? -e->code : 0;
	if (r < 0)
		return cgroup_is_gone(r) ? 0 : cgroup_error(d, r, e, "kill everything in");
	if (signal_each(cg, SIGKILL, &ignored) < 0)
		err_ignore(&ignored, "nearly everybody got it by the write");
	return 0;
}

int cgroup_kill(struct cgroup *cg, struct err *e)
{
	const struct cgroup_dir *d = cgroup_dir_v2(cg);
	int r;

	if (cg->gone || cgroup_is_none(cg))
		return 0;
	if (cg->other)
		return refuse_other(cg, e);
	if (!d)
		return kill_v1(cg, e);
	r = kill_v2(cg, d, e);
	cgroup_thaw_all(cg);
	return r;
}

int cgroup_signal(struct cgroup *cg, int sig, struct err *e)
{
	if (cg->gone || cgroup_is_none(cg))
		return 0;
	if (cg->other)
		return refuse_other(cg, e);
	return signal_each(cg, sig, e);
}
