/* SPDX-License-Identifier: Apache-2.0 */
/*
 * freeze - stop everything inside where it is, and let it go on
 *
 * v2: a write to cgroup.freeze, and cgroup.events tells when the last one has stopped.
 * Whatever fails on the way, nothing is left half frozen. On a host without v2 the
 * freezer may need to be told again and again, and now and then to be let go first,
 * since a process can wait for one that is frozen already.
 */
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "cgroup/internal.h"
#include "sys/sys.h"

#define FREEZE_WAIT_MS 10000
#define REFREEZE_TURNS 8 /* looks after which a v1 freezer is let go and told anew */

static int freeze_error(struct cgroup *cg, const struct cgroup_dir *d, bool frozen, int r,
			struct err *e)
{
	char name[DIR_TEXT_SIZE];
	const char *what = frozen ? "freeze" : "thaw";

	cgroup_dir_name(d, name);
	if (r == -ETIMEDOUT)
		return err_code(e, ETIMEDOUT, name,
				"%s cgroup '%s': not done after %d s, it holds %s", what, name,
				FREEZE_WAIT_MS / 1000, cgroup_describe_pids(cg, d));
	return cgroup_error(d, cgroup_is_gone(r) ? -ENODEV : r, e, "%s", what);
}

static int freeze_v2(struct cgroup *cg, bool frozen)
{
	const struct cgroup_dir *d = cgroup_dir_v2(cg);
	int r = cgroup_write_file(cg, d, "cgroup.freeze", frozen ? "1" : "0");

	if (r == 0)
		r = cgroup_events_wait(cg->v2, "frozen", frozen, FREEZE_WAIT_MS);
	if (r < 0 && frozen)
		cgroup_write_file(cg, d, "cgroup.freeze", "0");
	return r;
}

static int freeze_v1(struct cgroup *cg, const struct cgroup_dir *d, bool frozen)
{
	const char *want = frozen ? "FROZEN" : "THAWED";
	int64_t deadline = clock_now_ms() + FREEZE_WAIT_MS;
	unsigned turn = 0;
	char state[32];
	ssize_t n;
	int r;

	do {
		if (frozen && turn % REFREEZE_TURNS == REFREEZE_TURNS - 1)
			cgroup_write_file(cg, d, "freezer.state", "THAWED");
		r = cgroup_write_file(cg, d, "freezer.state", want);
		n = r < 0 ? r : cgroup_read_file(cg, d, "freezer.state", state, sizeof(state));
	} while (n >= 0 && !str_eq(state, want) && cgroup_v1_pause(&turn, deadline));
	if (n >= 0)
		n = str_eq(state, want) ? 0 : -ETIMEDOUT;
	if (n < 0 && frozen)
		cgroup_write_file(cg, d, "freezer.state", "THAWED");
	return (int)n;
}

int cgroup_freeze(struct cgroup *cg, bool frozen, struct err *e)
{
	const struct cgroup_dir *v2 = cgroup_dir_v2(cg), *v1 = cgroup_dir_v1(cg, "freezer");
	const struct cgroup_dir *d = v2 ? v2 : v1;
	int r = cgroup_matches(cg) ? 0 : -ENODEV;

	if (!d)
		return err_code(e, ENOTSUP, NULL, "the container has no cgroup that can be frozen");
	if (r == 0 && v2)
		r = freeze_v2(cg, frozen);
	/* beside v2 we freeze nobody there, but who is inside may have */
	if (r == 0 && v1 && (!v2 || !frozen))
		r = freeze_v1(cg, d = v1, frozen);
	return r < 0 ? freeze_error(cg, d, frozen, r, e) : 0;
}

static int is_frozen_v1(struct cgroup *cg)
{
	const struct cgroup_dir *d = cgroup_dir_v1(cg, "freezer");
	char state[32];
	int r;

	if (!d)
		return 0;
	r = (int)cgroup_read_file(cg, d, "freezer.state", state, sizeof(state));
	return r < 0 ? (cgroup_is_gone(r) ? 0 : r) : str_eq(state, "FROZEN");
}

/* Beside v2 we do not use the v1 freezer, but who is in there may, or a tool. */
int cgroup_is_frozen(struct cgroup *cg)
{
	struct cgroup_events now;
	int r = 0;

	if (!cgroup_matches(cg))
		return 0;
	if (cgroup_dir_v2(cg)) {
		r = cgroup_events_read(cg->v2, &now);
		r = r < 0 ? (cgroup_is_gone(r) ? 0 : r) : now.frozen == 1;
	}
	return r ? r : is_frozen_v1(cg);
}

int cgroup_is_populated(struct cgroup *cg)
{
	struct cgroup_events now;
	auto_arena a = arena_make();
	pid_t *pids;
	size_t n;
	int r;

	if (!cgroup_matches(cg))
		return 0;
	if (cgroup_dir_v2(cg)) {
		r = cgroup_events_read(cg->v2, &now);
		return r < 0 ? (cgroup_is_gone(r) ? 0 : r) : now.populated == 1;
	}
	r = cgroup_pids(cg, &a, &pids, &n, NULL);
	return r < 0 ? r : n > 0;
}

int cgroup_wait_empty(struct cgroup *cg, uint64_t deadline_ms, struct err *e)
{
	int64_t deadline = clock_now_ms() + (int64_t)deadline_ms;
	const struct cgroup_dir *d;
	char name[DIR_TEXT_SIZE];
	unsigned turn = 0;
	int r;

	if (!cgroup_matches(cg) || cgroup_is_none(cg))
		return 0;
	if (cgroup_dir_v2(cg)) {
		r = cgroup_events_wait(cg->v2, "populated", 0, deadline_ms);
	} else {
		do
			r = cgroup_is_populated(cg);
		while (r > 0 && cgroup_v1_pause(&turn, deadline));
		r = r > 0 ? -ETIMEDOUT : r;
	}
	if (r == 0 || cgroup_is_gone(r))
		return 0;
	d = cgroup_dir_main(cg);
	if (r != -ETIMEDOUT)
		return cgroup_error(d, r, e, "wait for the end of all processes of");
	cgroup_dir_name(d, name);
	return err_code(e, ETIMEDOUT, name, "cgroup '%s' still holds %s after %llu ms", name,
			cgroup_describe_pids(cg, d), (unsigned long long)deadline_ms);
}
