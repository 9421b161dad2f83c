/* SPDX-License-Identifier: Apache-2.0 */
/* Where containers are recorded: the default, who may own it, and what is made. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "container/internal.h"
#include "unit/unit.h"

static const char *below(const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", unit_dir(), name);
	return path;
}

static int open_root(const char *path, bool make, struct err *e)
{
	auto_arena a = arena_make();
	struct context ctx = { .root = path };
	auto_dir d = DIR_NONE;

	return root_open(&a, &ctx, make, &d, e);
}

TEST(root_made_only_on_demand)
{
	struct err e = { 0 };
	struct stat st;
	const char *path = below("a/b/root");

	umask(0);
	CHECK_INT(open_root(path, false, &e), -ENOENT);
	CHECK(access(below("a"), F_OK) < 0);
	path = below("a/b/root");
	err_clear(&e);
	CHECK_OK(open_root(path, true, &e), &e);
	REQUIRE(stat(path, &st) == 0);
	CHECK_INT(st.st_mode & 07777, 0700);
	CHECK_OK(open_root(path, true, &e), &e);
}

TEST(root_refused)
{
	struct err e = { 0 };
	const char *path = below("open");

	REQUIRE(mkdir(path, 0700) == 0 && chmod(path, 0777) == 0);
	CHECK_INT(open_root(path, false, &e), -EPERM);
	CHECK_HAS(e.text, "can be written by everybody");
	err_clear(&e);
	CHECK_INT(open_root("/", false, &e), -EINVAL);
	CHECK_INT(open_root("", false, &e), -EINVAL);
	CHECK_INT(open_root("/proc/self/status", false, &e), -ENOTDIR);
	if (geteuid() != 0)
		return;
	path = below("theirs");
	REQUIRE(mkdir(path, 0700) == 0 && chown(path, 4711, 0) == 0);
	err_clear(&e);
	CHECK_INT(open_root(path, false, &e), -EPERM);
	CHECK_HAS(e.text, "belongs to user 4711");
	REQUIRE(chown(path, 0, 4711) == 0);
	err_clear(&e);
	CHECK_OK(open_root(path, false, &e), &e);
	REQUIRE(chmod(path, 0770) == 0);
	CHECK_INT(open_root(path, false, &e), -EPERM);
	CHECK_HAS(e.text, "can be written by group 4711");
}

/* Somebody who is not root of the host: the same root with a full and a poor environment. */
TEST(root_default_of_a_user)
{
	auto_arena a = arena_make();
	struct context ctx = { 0 };
	auto_dir d = DIR_NONE;
	struct err e = { 0 };
	struct stat st;
	char want[512];

	if (geteuid() == 0 &&
	    (chown(unit_dir(), 4711, 4711) < 0 || setresuid(4711, 4711, 4711) < 0))
		unit_skip("cannot become another user");
	umask(0);
	snprintf(want, sizeof(want), "%s/cleat", unit_dir());
	setenv("XDG_RUNTIME_DIR", unit_dir(), 1);
	REQUIRE_OK(root_open(&a, &ctx, true, &d, &e), &e);
	CHECK_STR(d.name, want);
	REQUIRE(stat(want, &st) == 0);
	CHECK_INT(st.st_mode & 07777, 01700);
	dir_close(&d);
	clearenv();
	setenv("XDG_RUNTIME_DIR", unit_dir(), 1);
	REQUIRE_OK(root_open(&a, &ctx, false, &d, &e), &e);
	CHECK_STR(d.name, want);

	/* a link in its place is somebody's trap */
	REQUIRE(rmdir(want) == 0 && symlink(unit_dir(), want) == 0);
	CHECK(root_open(&a, &ctx, false, &d, &e) < 0);
	unlink(want);
}
