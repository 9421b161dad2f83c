/* SPDX-License-Identifier: Apache-2.0 */
/* Emptiness, removal, and the record that later commands start from. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/sys.h"
#include "unit/cgroup/live.h"

static struct cleat_state_file record(struct live *l)
{
	struct cleat_state_file s = { 0 };

	cgroup_record(&live_arena, &l->plan, l->cg, &s);
	return s;
}

/* --- waiting and removal -------------------------------------------------------------------------------------- */

LIVE(still_inside)
{
	struct live l;
	struct err e = { 0 };
	pid_t pid;

	live_make(&l, "");
	pid = live_spawn(&l, live_idle, NULL);
	CHECK_INT(cgroup_wait_empty(l.cg, 50, &e), -ETIMEDOUT);
	CHECK_HAS(e.text, "still holds process ");
	CHECK_HAS(e.text, arena_printf(&live_arena, "%d (", (int)pid));
	/* on a busy machine it may not have gone to sleep yet */
	CHECK(strstr(e.text, ", S)") || strstr(e.text, ", R)"));
	live_destroy(&l);
	waitpid(pid, NULL, 0);
}

static void make_nested(const char *hierarchy, int depth)
{
	int fd = open(live_file(hierarchy, "", ""), O_PATH | O_DIRECTORY | O_CLOEXEC);

	REQUIRE(fd >= 0);
	for (int i = 0; i < depth; i++) {
		int child;

		REQUIRE(mkdirat(fd, "deeper", 0755) == 0);
		REQUIRE(mkdirat(fd, "aside", 0755) == 0);
		child = openat(fd, "deeper", O_PATH | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = child;
	}
	close(fd);
}

/* What a container made inside, deeper than descriptors reach. */
LIVE(remove_nested)
{
	struct live l;
	struct err e = { 0 };

	live_make(&l, "");
	if (view != VIEW_V1)
		make_nested(NULL, 200);
	if (live_host.n_v1)
		make_nested(live_host.v1[0].dir, 200);
	CHECK_OK(cgroup_remove(l.cg, &e), &e);
	if (view != VIEW_V1)
		CHECK(!live_exists(NULL, ""));
	for (size_t i = 0; i < live_host.n_v1; i++)
		CHECK(!live_exists(live_host.v1[i].dir, ""));
	CHECK_OK(cgroup_remove(l.cg, &e), &e); /* nothing to do is fine */
	cgroup_close(l.cg);
}

LIVE(remove_waits_below)
{
	struct live l, inner;
	struct err e = { 0 };
	pid_t pid, killer;

	live_make(&l, "");
	live_make(&inner, "/in");
	pid = live_spawn(&inner, live_idle, NULL);
	killer = fork();
	REQUIRE(killer >= 0);
	if (killer == 0) {
		sys_ppoll(NULL, 0, 100);
		kill(pid, SIGKILL);
		_exit(0);
	}
	if (view == VIEW_HYBRID) { /* v1 tells nothing; the v2 tree is asked before */
		CHECK_OK(cgroup_wait_empty(l.cg, 5000, &e), &e);
	}
	CHECK_OK(cgroup_remove(l.cg, &e), &e);
	waitpid(pid, NULL, 0);
	waitpid(killer, NULL, 0);
	cgroup_close(inner.cg);
	cgroup_close(l.cg);
}

/*
 * Creations that fail take away the parents that they made, while others are about to
 * make their own directories there.
 */
static int make_and_remove(enum view view, int n)
{
	const char *bad =
		view == VIEW_V1 ? "{'cpu':{'mems':'9999'}}" : "{'unified':{'cgroup.nothing':'1'}}";
	int wrong = 0;

	for (int i = 0; i < 40; i++) {
		const char *path = arena_printf(&live_arena, "/p/q/%d", n);
		struct err e = { 0 };
		struct live l;

		if (live_create(&l, path, i % 2 ? bad : "{}", &e) < 0) {
			wrong += i % 2 == 0;
			continue;
		}
		wrong += i % 2 || cgroup_remove(l.cg, &e) < 0;
		cgroup_close(l.cg);
	}
	return wrong;
}

LIVE(parallel)
{
	pid_t pids[6];

	live_base(); /* that of this process, not one for each */
	for (int i = 0; i < 6; i++) {
		pids[i] = fork();
		REQUIRE(pids[i] >= 0);
		if (pids[i] == 0)
			_exit(make_and_remove(view, i));
	}
	for (int i = 0; i < 6; i++)
		CHECK_INT(live_wait(pids[i]), 0);
}

/* --- the record ------------------------------------------------------------------------------------------------ */

LIVE(open_again)
{
	struct cleat_state_file s;
	struct cgroup *cg = NULL;
	struct err e = { 0 };
	struct live l;
	pid_t pid;

	live_make(&l, "/x");
	pid = live_spawn(&l, live_idle, NULL);
	s = record(&l);
	cgroup_close(l.cg);
	REQUIRE_OK(cgroup_open(&live_arena, &s, &cg, &e), &e);
	CHECK(cgroup_matches(cg));
	CHECK_INT(cgroup_is_populated(cg), 1);
	CHECK_OK(cgroup_freeze(cg, true, &e), &e);
	CHECK_INT(cgroup_is_frozen(cg), 1);
	CHECK_OK(cgroup_kill(cg, &e), &e);
	CHECK_OK(cgroup_wait_empty(cg, 5000, &e), &e);
	CHECK_OK(cgroup_remove(cg, &e), &e);
	CHECK_INT(live_wait(pid), 128 + SIGKILL);
	cgroup_close(cg);
	/* it has gone: nothing is left to do, and nothing of it fails */
	REQUIRE_OK(cgroup_open(&live_arena, &s, &cg, &e), &e);
	CHECK(!cgroup_matches(cg));
	CHECK_INT(cgroup_is_populated(cg), 0);
	CHECK_INT(cgroup_is_frozen(cg), 0);
	CHECK_OK(cgroup_kill(cg, &e), &e);
	CHECK_INT(cgroup_signal(cg, SIGTERM, &e), 0);
	CHECK_OK(cgroup_wait_empty(cg, 0, &e), &e);
	CHECK_OK(cgroup_remove(cg, &e), &e);
	CHECK_INT(cgroup_freeze(cg, true, &e), -ENODEV);
	CHECK_HAS(e.text, "it has gone");
	cgroup_close(cg);
}

/* The same name, made anew by somebody else: their process lives. */
LIVE(foreign_cgroup)
{
	struct cleat_state_file s;
	struct cgroup *cg = NULL;
	struct live l, other;
	struct err e = { 0 };
	pid_t pid;

	live_make(&l, "/x");
	s = record(&l);
	CHECK_OK(cgroup_remove(l.cg, &e), &e);
	cgroup_close(l.cg);
	live_make(&other, "/x");
	pid = live_spawn(&other, live_idle, NULL);
	REQUIRE_OK(cgroup_open(&live_arena, &s, &cg, &e), &e);
	CHECK(!cgroup_matches(cg));
	CHECK_INT(cgroup_kill(cg, &e), -ESTALE);
	CHECK_HAS(e.text, "is not the one that was made for the container");
	CHECK_INT(cgroup_signal(cg, SIGKILL, &e), -ESTALE);
	CHECK_INT(cgroup_is_populated(cg), 0);
	CHECK_OK(cgroup_wait_empty(cg, 0, &e), &e);
	CHECK_OK(cgroup_remove(cg, &e), &e);
	CHECK_OK(cgroup_remove_by_name(&live_arena, &s, 0, &e), &e);
	CHECK(live_is_alive(pid));
	CHECK_INT(cgroup_is_populated(other.cg), 1);
	cgroup_close(cg);
	live_destroy(&other);
	waitpid(pid, NULL, 0);
}

/* Somebody removed the v2 directory, and another process came into one of the others. */
LIVE(half_gone)
{
	struct cleat_state_file s;
	struct cgroup *cg = NULL;
	struct err e = { 0 };
	struct live l;
	pid_t pid;

	if (view != VIEW_HYBRID)
		unit_skip("there is no half on this kind of host");
	live_make(&l, "/x");
	s = record(&l);
	REQUIRE(rmdir(live_file(NULL, "/x", "")) == 0);
	pid = fork();
	REQUIRE(pid >= 0);
	if (pid == 0)
		_exit(live_idle(NULL));
	l.cg->dirs[0].absent = true;
	REQUIRE_OK(cgroup_join(l.cg, pid, &e), &e);
	cgroup_close(l.cg);
	REQUIRE_OK(cgroup_open(&live_arena, &s, &cg, &e), &e);
	CHECK(!cgroup_matches(cg));
	CHECK_OK(cgroup_kill(cg, &e), &e);
	CHECK_OK(cgroup_remove(cg, &e), &e);
	CHECK(live_is_alive(pid));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	CHECK_OK(cgroup_remove(cg, &e), &e);
	for (size_t i = 0; i < live_host.n_v1; i++)
		CHECK(!live_exists(live_host.v1[i].dir, "/x"));
	cgroup_close(cg);
}

/* A creation that was killed before it recorded an identity. */
LIVE(remove_by_name)
{
	struct cleat_state_file s = { 0 };
	struct err e = { 0 };
	struct live l;

	live_make(&l, "/x");
	cgroup_record(&live_arena, &l.plan, NULL, &s);
	CHECK(!s.cgroup->has_inode);
	CHECK_STR(s.cgroup->manager, "cgroupfs");
	CHECK_OK(cgroup_remove_by_name(&live_arena, &s, 0, &e), &e);
	if (view != VIEW_V1)
		CHECK(!live_exists(NULL, "/x"));
	for (size_t i = 0; i < live_host.n_v1; i++)
		CHECK(!live_exists(live_host.v1[i].dir, "/x"));
	CHECK_OK(cgroup_remove_by_name(&live_arena, &s, 0, &e), &e);
	cgroup_close(l.cg);
}

/* The init of a killed creation may still be on its way out; who stays is not ours. */
LIVE(remove_by_name_waits)
{
	struct cleat_state_file s = { 0 };
	struct err e = { 0 };
	struct live l;
	pid_t pid;

	live_make(&l, "/x");
	cgroup_record(&live_arena, &l.plan, NULL, &s);
	pid = live_spawn(&l, live_idle, NULL);
	CHECK_OK(cgroup_remove_by_name(&live_arena, &s, 20, &e), &e);
	CHECK(live_is_alive(pid));
	CHECK_INT(cgroup_is_populated(l.cg), 1);
	kill(pid, SIGKILL);
	CHECK_OK(cgroup_remove_by_name(&live_arena, &s, 5000, &e), &e);
	if (view != VIEW_V1)
		CHECK(!live_exists(NULL, "/x"));
	for (size_t i = 0; i < live_host.n_v1; i++)
		CHECK(!live_exists(live_host.v1[i].dir, "/x"));
	waitpid(pid, NULL, 0);
	cgroup_close(l.cg);
}

TEST(broken_records)
{
	static const struct {
		struct cleat_state_cgroup cgroup;
		const char *error;
	} rows[] = {
		{ { .manager = "other" }, "unknown cgroup manager 'other'" },
		{ { .manager = "cgroupfs", .unified_path = "/etc", .path = "/x" }, "is not below" },
		{ { .manager = "cgroupfs", .unified_path = "/sys/fs/cgroup/..", .path = "/x" },
		  "is no hierarchy" },
		{ { .manager = "cgroupfs", .unified_path = "/sys/fs/cgroup", .path = "/../x" },
		  "leads upwards" },
		{ { .manager = "cgroupfs", .unified_path = "/sys/fs/cgroup", .path = "/" },
		  "is the root" },
		{ { .manager = "cgroupfs", .unified_path = "/sys/fs/cgroup" }, "is the root" },
		{ { .manager = "cgroupfs",
		    .unified_path = "/sys/fs/cgroup",
		    .path = "/x",
		    .leaf = "a/../.." },
		  "leads upwards" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cleat_state_cgroup copy = rows[i].cgroup;
		const struct cleat_state_file s = { .cgroup = &copy };
		auto_arena a = arena_make();
		struct cgroup *cg = NULL;
		struct err e = { 0 };

		unit_row("%zu", i);
		CHECK_INT(cgroup_open(&a, &s, &cg, &e), -EINVAL);
		CHECK_HAS(e.text, rows[i].error);
		CHECK_INT(cgroup_remove_by_name(&a, &s, 0, &e), -EINVAL);
	}
}
