/* SPDX-License-Identifier: Apache-2.0 */
#include "base/dir.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "unit/unit.h"

static struct dir open_test_dir(void)
{
	struct dir d = DIR_NONE;
	struct err e = { 0 };

	REQUIRE_OK(dir_open(unit_dir(), &d, &e), &e);
	return d;
}

static void touch(const struct dir *d, const char *name)
{
	auto_fd fd = openat(d->fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	REQUIRE(fd >= 0);
}

static bool exists(const struct dir *d, const char *name)
{
	struct stat st;

	return fstatat(d->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

TEST(open_host_path)
{
	auto_dir d = DIR_NONE;
	struct err e = { 0 };

	CHECK_OK(dir_open("/", &d, &e), &e);
	CHECK(fcntl(d.fd, F_GETFD) == FD_CLOEXEC);
	CHECK(fcntl(d.fd, F_GETFL) & O_PATH);
	CHECK_STR(d.name, "/");
	dir_close(&d);
	CHECK_INT(d.fd, -1);
	CHECK_INT(dir_open("/dev/null", &d, &e), -ENOTDIR);
	CHECK_STR(e.text, "open directory '/dev/null': not a directory");
	CHECK_INT(d.fd, -1);
}

TEST(open_below_stays_below)
{
	auto_dir top = open_test_dir();
	static const struct {
		const char *rel;
		int want;
	} rows[] = {
		{ "a", 0 },	     { "a/b", 0 },	    { ".", 0 },
		{ "a/..", 0 },	     { "..", -EXDEV },	    { "a/../..", -EXDEV },
		{ "/", -EXDEV },     { "/a", -EXDEV },	    { "file", -ENOTDIR },
		{ "in", -ELOOP },    { "out", -ELOOP },	    { "a/out/etc", -ELOOP },
		{ "none", -ENOENT }, { "a/none", -ENOENT },
	};

	REQUIRE(mkdirat(top.fd, "a", 0755) == 0 && mkdirat(top.fd, "a/b", 0755) == 0);
	REQUIRE(symlinkat("a", top.fd, "in") == 0 && symlinkat("/etc", top.fd, "out") == 0);
	REQUIRE(symlinkat("/", top.fd, "a/out") == 0);
	touch(&top, "file");
	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_dir d = DIR_NONE;
		struct err e = { 0 };

		unit_row("'%s'", rows[i].rel);
		CHECK_INT(dir_open_below(&top, rows[i].rel, &d, &e), rows[i].want);
		CHECK(rows[i].want ? d.fd == -1 : d.fd >= 0);
		if (rows[i].want && rows[i].rel[0] != '/')
			CHECK_HAS(e.text, unit_dir());
	}
}

TEST(empty_flat)
{
	auto_dir top = open_test_dir(), d = DIR_NONE;
	struct err e = { 0 };

	REQUIRE(mkdirat(top.fd, "s", 0755) == 0 && mkdirat(top.fd, "s/empty", 0755) == 0);
	REQUIRE(mkdirat(top.fd, "keep", 0755) == 0 && symlinkat("../keep", top.fd, "s/link") == 0);
	REQUIRE(mknodat(top.fd, "s/socket", S_IFSOCK | 0600, 0) == 0);
	touch(&top, "keep/file");
	/* more than one read of the directory returns */
	for (int i = 0; i < 500; i++) {
		char name[64];

		snprintf(name, sizeof(name), "s/a-file-with-a-long-enough-name-%d", i);
		touch(&top, name);
	}
	CHECK_OK(dir_open_below(&top, "s", &d, &e), &e);
	CHECK_OK(dir_empty_flat(&d, &e), &e);
	CHECK(unlinkat(top.fd, "s", AT_REMOVEDIR) == 0);
	CHECK(exists(&top, "keep/file"));
}

TEST(empty_flat_goes_one_level_only)
{
	auto_dir top = open_test_dir();
	struct err e = { 0 };

	REQUIRE(mkdirat(top.fd, "full", 0755) == 0);
	touch(&top, "full/file");
	CHECK_INT(dir_empty_flat(&top, &e), -ENOTEMPTY);
	CHECK_HAS(e.text, "full");
	CHECK(exists(&top, "full/file"));
}

TEST(empty_flat_of_a_removed_directory)
{
	auto_dir top = open_test_dir(), d = DIR_NONE;
	struct err e = { 0 };

	REQUIRE(mkdirat(top.fd, "s", 0755) == 0);
	CHECK_OK(dir_open_below(&top, "s", &d, &e), &e);
	/* another one of that name is not meant */
	REQUIRE(unlinkat(top.fd, "s", AT_REMOVEDIR) == 0 && mkdirat(top.fd, "s", 0755) == 0);
	touch(&top, "s/file");
	CHECK_OK(dir_empty_flat(&d, &e), &e);
	CHECK(exists(&top, "s/file"));
}

/* @depth directories, one in the other, each with a file and a link out, from @dir on. */
static void nest(int dir, int depth)
{
	int at = fcntl(dir, F_DUPFD_CLOEXEC, 0);

	for (int i = 0; i < depth; i++) {
		int below;

		REQUIRE(mkdirat(at, "d", 0) == 0 && symlinkat("/", at, "link") == 0);
		REQUIRE(mknodat(at, "file", S_IFREG | 0600, 0) == 0);
		REQUIRE(fchmodat(at, "d", 0700, 0) == 0);
		below = openat(at, "d", O_PATH | O_DIRECTORY | O_CLOEXEC);
		REQUIRE(below >= 0);
		close(at);
		at = below;
	}
	close(at);
}

TEST(empty_deep)
{
	auto_dir top = open_test_dir(), d = DIR_NONE;
	struct err e = { 0 };

	REQUIRE(mkdirat(top.fd, "s", 0755) == 0 && mkdirat(top.fd, "keep", 0755) == 0);
	touch(&top, "keep/file");
	REQUIRE(symlinkat("../keep", top.fd, "s/keep") == 0);
	CHECK_OK(dir_open_below(&top, "s", &d, &e), &e);
	/* deeper than descriptors would go, with what is in the way of what is moved */
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 32, 32 }), 0);
	nest(d.fd, 200);
	for (int i = 0; i < 20; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d", i);
		if (i % 2) {
			REQUIRE(mknodat(d.fd, name, S_IFREG | 0600, 0) == 0);
		} else {
			int sub;

			REQUIRE(mkdirat(d.fd, name, 0700) == 0);
			sub = openat(d.fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
			nest(sub, i % 4 ? 0 : 3);
			close(sub);
		}
	}
	CHECK_INT(dir_empty_deep(&d, 0, &e), -ETIMEDOUT);
	err_clear(&e);
	CHECK_OK(dir_empty_deep(&d, 60000, &e), &e);
	CHECK(unlinkat(top.fd, "s", AT_REMOVEDIR) == 0);
	CHECK(exists(&top, "keep/file"));
	/* and of one that is gone */
	CHECK_OK(dir_empty_deep(&d, 60000, &e), &e);
}

struct seen {
	int files, dirs, links, others, stop_at;
};

static int count_entry(const char *name, unsigned char type, void *arg)
{
	struct seen *s = arg;

	s->files += type == DT_REG;
	s->dirs += type == DT_DIR;
	s->links += type == DT_LNK;
	s->others += name[0] == '.';
	return s->files == s->stop_at ? 42 : 0;
}

TEST(each)
{
	auto_dir top = open_test_dir();
	struct seen s = { .stop_at = -1 };
	struct err e = { 0 };

	for (int i = 0; i < 300; i++) {
		char name[64];

		snprintf(name, sizeof(name), "a-file-with-a-long-enough-name-%d", i);
		touch(&top, name);
	}
	REQUIRE(mkdirat(top.fd, "d", 0755) == 0 && symlinkat("d", top.fd, "l") == 0);
	CHECK_INT(dir_each(&top, count_entry, &s, &e), 0);
	CHECK_INT(s.files, 300);
	CHECK_INT(s.dirs, 1);
	CHECK_INT(s.links, 1);
	CHECK_INT(s.others, 0);
	/* from the beginning again, and no further than wanted */
	s = (struct seen){ .stop_at = 10 };
	CHECK_INT(dir_each(&top, count_entry, &s, &e), 42);
	CHECK_INT(s.files, 10);
}

TEST(each_of_a_removed_directory)
{
	auto_dir top = open_test_dir();
	auto_dir d = DIR_NONE;
	struct seen s = { .stop_at = -1 };
	struct err e = { 0 };

	REQUIRE(mkdirat(top.fd, "d", 0755) == 0);
	REQUIRE_OK(dir_open_below(&top, "d", &d, &e), &e);
	REQUIRE(unlinkat(top.fd, "d", AT_REMOVEDIR) == 0);
	CHECK_INT(dir_each(&d, count_entry, &s, &e), 0);
	CHECK_INT(s.files + s.dirs, 0);
}
