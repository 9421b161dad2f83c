/* SPDX-License-Identifier: Apache-2.0 */
/* A CRIU that is none: what is said when it is missing, ends, or says nothing. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "criu/criu.h"
#include "unit/unit.h"

static const char *program(struct arena *a, const char *text)
{
	const char *path = arena_printf(a, "%s/criu", unit_dir());
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	REQUIRE(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	return path;
}

TEST(find)
{
	auto_arena a = arena_make();
	const char *own = program(&a, "#!/bin/sh\n"), *path;
	struct err e = { 0 };

	REQUIRE(setenv("PATH", arena_printf(&a, "/nowhere:%s", unit_dir()), 1) == 0);
	CHECK_OK(criu_find(&a, NULL, &path, &e), &e);
	CHECK_STR(path, own);
	CHECK_OK(criu_find(&a, "/some/criu", &path, &e), &e);
	CHECK_STR(path, "/some/criu");
	REQUIRE(unsetenv("PATH") == 0);
	CHECK(criu_find(&a, "no-such-criu", &path, &e) == -ENOENT);
	CHECK_STR(e.text, "'no-such-criu' is not installed: checkpoint and restore need it");
	CHECK_STR(e.id, "criu-missing");
}

TEST(version_of_nothing)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "#!/bin/sh\nexit 3\n", "does not tell its version: it ended with status 3" },
		{ "#!/bin/sh\nkill -9 $$\n",
		  "does not tell its version: it was killed by signal 9" },
		{ "#!/nowhere\n", "does not tell its version: it could not be executed" },
	};
	auto_arena a = arena_make();

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct criu_process p = { .path = program(&a, rows[i].text), .cgroup = -1 };
		struct err e = { 0 };

		unit_row("%s", rows[i].text);
		CHECK(criu_version(&a, &p, &e) == -EIO);
		CHECK_HAS(e.text, rows[i].want);
	}
}

TEST(run_of_nothing)
{
	const struct criu_choices c = { 0 };
	auto_arena a = arena_make();
	const struct criu_process p = {
		.path = program(&a, "#!/bin/sh\n"
				    "echo '(00.01) Error (criu/a.c:7): no such luck' >"
				    "$0.log; exit 1\n"),
		.cgroup = -1,
	};
	int dir = open(unit_dir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct criu_request q = {
		.choices = &c, .images = dir, .work = dir, .log_file = "criu.log", .pid = 1
	};
	struct err e = { 0 };
	pid_t pid;

	CHECK(criu_run(&a, &p, &q, &pid, &e) == -EIO);
	CHECK_STR(e.text, arena_printf(&a,
				       "criu dump failed: no such luck (the whole log is in "
				       "'%s/criu.log')",
				       unit_dir()));
	CHECK_STR(e.id, "criu-failed");
	CHECK_INT(pid, 0);
	close(dir);
}
