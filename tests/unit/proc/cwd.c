/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <limits.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proc/proc.h"
#include "unit/proc/place.h"
#include "unit/unit.h"

static int go(const char *path, struct err *e)
{
	const struct spec_process process = { .cwd = path };
	const struct proc_plan p = { .process = &process };

	return proc_cwd(&p, e);
}

static void check_is(const char *want)
{
	char now[PATH_MAX];

	REQUIRE(getcwd(now, sizeof(now)) != NULL);
	CHECK_STR(now, want);
}

TEST(cwd_entered)
{
	struct err e = { 0 };

	place_enter_root();
	place_dir("/a", 0755);
	place_dir("/a/b", 0755);
	REQUIRE(symlink("/a/b", "/link") == 0);
	CHECK_OK(go("/", &e), &e);
	check_is("/");
	CHECK_OK(go("/a/b", &e), &e);
	check_is("/a/b");
	CHECK_OK(go("/link", &e), &e);
	check_is("/a/b");
	CHECK_OK(go("/../../a", &e), &e);
	check_is("/a");
}

TEST(cwd_made)
{
	struct err e = { 0 };
	struct stat st;

	place_enter_root();
	place_dir("/real", 0755);
	REQUIRE(symlink("/real", "/link") == 0);
	umask(077);
	CHECK_OK(go("/new/deeper//still", &e), &e);
	check_is("/new/deeper/still");
	REQUIRE(stat("/new/deeper", &st) == 0);
	CHECK_INT(st.st_mode & 07777, 0755);
	CHECK_INT(umask(077), 077); /* as it was */
	CHECK_OK(go("/link/below", &e), &e);
	check_is("/real/below");
}

TEST(cwd_refused)
{
	struct err e = { 0 };

	place_enter_root();
	place_file("/file", 0644, "");
	REQUIRE(symlink("/nowhere", "/dangling") == 0);
	CHECK_INT(go("/file", &e), -ENOTDIR);
	CHECK_HAS(e.text, "'/file'");
	err_clear(&e);
	CHECK_INT(go("/file/below", &e), -ENOTDIR);
	err_clear(&e);
	CHECK(go("/dangling", &e) < 0);
	check_is("/");
	CHECK(access("/nowhere", F_OK) < 0);
}

/* CVE-2024-21626: the ways out that a forgotten descriptor opens. */
TEST(cwd_by_magic_link)
{
	static const char *const ways[] = { "/proc/self/fd/%d", "/proc/thread-self/fd/%d",
					    "/proc/self/fd/%d/..", "/link" };
	auto_arena a = arena_make();
	int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	REQUIRE(host >= 0);
	if (!place_is_root())
		unit_skip("needs root");
	place_own_mounts();
	REQUIRE(mkdir(arena_printf(&a, "%s/proc", unit_dir()), 0755) == 0);
	REQUIRE(mount("proc", arena_printf(&a, "%s/proc", unit_dir()), "proc", 0, NULL) == 0);
	place_enter_root();
	REQUIRE(symlink(arena_printf(&a, ways[0], host), "/link") == 0);
	REQUIRE(chdir(arena_printf(&a, ways[0], host)) == 0); /* it is a way */
	REQUIRE(chdir("/") == 0);
	for (size_t i = 0; i < COUNT(ways); i++) {
		struct err e = { 0 };

		unit_row("%s", ways[i]);
		CHECK_INT(go(arena_printf(&a, ways[i], host), &e), -ELOOP);
		check_is("/");
	}
	close(host);
}

/* What the check relies on: outside of the root the kernel's answer begins otherwise. */
TEST(cwd_outside_is_told)
{
	const char *dir = unit_dir();
	char now[PATH_MAX];

	if (!place_is_root())
		unit_skip("needs root");
	REQUIRE(chdir("/tmp") == 0);
	REQUIRE(chroot(dir) == 0);
	REQUIRE(sys_getcwd(now, sizeof(now)) > 0);
	CHECK(now[0] != '/');
}

TEST(cwd_as_root_then_as_user)
{
	const struct spec_process process = { .cwd = "/locked", .uid = 1000, .gid = 1000 };
	const struct proc_plan p = { .process = &process };
	struct err e = { 0 };
	bool done = false;

	place_enter_root();
	if (!place_is_root())
		unit_skip("needs root");
	place_dir("/locked", 0700);
	CHECK_OK(proc_cwd_early(&p, &done, &e), &e);
	CHECK(done);
	check_is("/locked");
	REQUIRE(chdir("/") == 0);
	CHECK_OK(proc_ids(&p, &e), &e);
	CHECK_OK(proc_cwd_early(&p, &done, &e), &e);
	CHECK(!done);
	CHECK_INT(proc_cwd(&p, &e), -EACCES);
	CHECK_HAS(e.text, "permission denied");
}
