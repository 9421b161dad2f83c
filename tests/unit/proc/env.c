/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proc/proc.h"
#include "unit/proc/place.h"
#include "unit/unit.h"

static const char *home_for(struct arena *a, uid_t uid, const char *given)
{
	const struct spec_process process = { .uid = uid };
	const char *vars[] = { "A=1", given };
	const struct proc_plan p = { .process = &process, .env = vars, .n_env = given ? 2 : 1 };
	const char *const *env = NULL;
	struct err e = { 0 };

	REQUIRE_OK(proc_env(a, &p, 0, NULL, &env, &e), &e);
	CHECK_STR(env[0], "A=1");
	CHECK(env[2] == NULL);
	return env[1];
}

TEST(home_is_looked_up)
{
	static const struct {
		const char *passwd;
		uid_t uid;
		const char *want;
	} rows[] = {
		{ "root:x:0:0:root:/root:/bin/sh\nu:x:1000:1000::/home/u:/bin/sh\n", 1000,
		  "HOME=/home/u" },
		{ "root:x:0:0:root:/root:/bin/sh\n", 0, "HOME=/root" },
		{ "root:x:0:0:root:/root:/bin/sh\n", 7, "HOME=/" },
		{ "a:x:7:7::/first:\na:x:7:7::/second:\n", 7, "HOME=/first" },
		{ "a:x:7:7::/no-newline:/bin/sh", 7, "HOME=/no-newline" },
		{ "a:x:7:7::/short", 7, "HOME=/short" },
		{ "a:x:7:7:", 7, "HOME=/" },
		{ "a:x:7:7:::\n", 7, "HOME=/" },
		{ "a:x:7:7::relative:\n", 7, "HOME=/" },
		{ "1000:x:0:0::/evil:\nb:x:1000:1::/good:\n", 1000, "HOME=/good" },
		{ "a:x:010:7::/octal:\nb:x: 8:7::/blank:\nc:x:8:7::/c:\n", 8, "HOME=/c" },
		{ "a:x:4294967303:7::/wraps:\n", 7, "HOME=/" },
		{ "\n\n::::\na:x:7:7::/after:\n", 7, "HOME=/after" },
		{ "", 7, "HOME=/" },
	};
	auto_arena a = arena_make();

	place_enter_root();
	place_dir("/etc", 0755);
	for (size_t i = 0; i < COUNT(rows); i++) {
		unit_row("%zu", i);
		place_file("/etc/passwd", 0644, rows[i].passwd);
		CHECK_STR(home_for(&a, rows[i].uid, NULL), rows[i].want);
		REQUIRE(unlink("/etc/passwd") == 0);
	}
}

TEST(home_given_or_empty)
{
	auto_arena a = arena_make();

	place_enter_root();
	place_dir("/etc", 0755);
	place_file("/etc/passwd", 0644, "a:x:7:7::/home/a:\n");
	CHECK_STR(home_for(&a, 7, "HOME=/given"), "HOME=/given");
	CHECK_STR(home_for(&a, 7, "HOME="), "HOME=/home/a");
	CHECK_STR(home_for(&a, 7, "HOME=relative"), "HOME=relative");
}

/* A line longer than any buffer is passed over, the next one counts. */
TEST(home_long_line)
{
	auto_arena a = arena_make();
	size_t n = 70000;
	char *text = arena_alloc(&a, n + 100);

	place_enter_root();
	place_dir("/etc", 0755);
	memset(text, 'x', n);
	snprintf(text + n, 100, ":x:7:7::/long:\nb:x:7:7::/b:\n");
	place_file("/etc/passwd", 0644, text);
	CHECK_STR(home_for(&a, 7, NULL), "HOME=/b");
}

/* What is not a file of bounded size costs neither time nor memory. */
TEST(home_hostile_passwd)
{
	auto_arena a = arena_make();
	int fd;

	place_enter_root();
	CHECK_STR(home_for(&a, 7, NULL), "HOME=/");
	place_dir("/etc", 0755);
	REQUIRE(mkfifo("/etc/passwd", 0644) == 0);
	CHECK_STR(home_for(&a, 7, NULL), "HOME=/");
	REQUIRE(unlink("/etc/passwd") == 0);
	place_dir("/etc/passwd", 0755);
	CHECK_STR(home_for(&a, 7, NULL), "HOME=/");
	REQUIRE(rmdir("/etc/passwd") == 0);
	REQUIRE(symlink("/etc/passwd", "/etc/passwd") == 0);
	CHECK_STR(home_for(&a, 7, NULL), "HOME=/");
	REQUIRE(unlink("/etc/passwd") == 0);
	fd = open("/etc/passwd", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	REQUIRE(fd >= 0 && ftruncate(fd, (off_t)4 << 30) == 0);
	close(fd);
	CHECK_STR(home_for(&a, 7, NULL), "HOME=/");
}

TEST(listen_fds)
{
	const struct spec_process process = { .uid = 0 };
	const char *vars[] = { "LISTEN_PID=99", "HOME=/", "LISTEN_FDS=5" };
	const struct proc_plan p = { .process = &process, .env = vars, .n_env = COUNT(vars) };
	auto_arena a = arena_make();
	const char *const *env = NULL;
	struct err e = { 0 };

	REQUIRE_OK(proc_env(&a, &p, 2, NULL, &env, &e), &e);
	CHECK_STR(env[0], arena_printf(&a, "LISTEN_PID=%d", getpid()));
	CHECK_STR(env[2], "LISTEN_FDS=2");
	CHECK(env[3] == NULL);
	REQUIRE_OK(proc_env(&a, &p, 2, "web:ctl", &env, &e), &e);
	CHECK_STR(env[3], "LISTEN_FDNAMES=web:ctl");
	CHECK(env[4] == NULL);
	/* the plan's own array is as it was */
	CHECK_STR(vars[0], "LISTEN_PID=99");
}
