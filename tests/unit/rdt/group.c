/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups in a tree that looks like resctrl. What the kernel would do (the files of a group
 * come and go with its directory) the two functions of struct rdt_fs do here.
 */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "ocispec/runtime.h"
#include "rdt/rdt.h"
#include "unit/unit.h"

#define DEFAULT_SCHEMATA "    MB:0=100;1=100\n    L3:0=7ff;1=7ff\n"

static int fake_error; /* what the next mkdir answers; 0: it works */

static void put_file(int dir, const char *group, const char *file, const char *text)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", group, file);
	fd = openat(dir, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	REQUIRE(fd >= 0);
	REQUIRE(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static int fake_make(int dir, const char *name, mode_t mode)
{
	char path[256];

	if (fake_error)
		return fake_error;
	if (mkdirat(dir, name, mode) < 0)
		return -errno;
	put_file(dir, name, "tasks", "");
	if (strstr(name, "mon_groups"))
		return 0;
	put_file(dir, name, "schemata", DEFAULT_SCHEMATA);
	snprintf(path, sizeof(path), "%s/mon_groups", name);
	REQUIRE(mkdirat(dir, path, 0755) == 0);
	return 0;
}

static int fake_remove(int dir, const char *name, int flags)
{
	static const char *const parts[] = { "tasks", "schemata" };
	char path[256];

	for (size_t i = 0; i < COUNT(parts); i++) {
		snprintf(path, sizeof(path), "%s/%s", name, parts[i]);
		(void)unlinkat(dir, path, 0);
	}
	snprintf(path, sizeof(path), "%s/mon_groups", name);
	(void)unlinkat(dir, path, AT_REMOVEDIR);
	return unlinkat(dir, name, flags) < 0 ? -errno : 0;
}

static struct rdt_fs fake(void)
{
	struct rdt_fs fs = { .make = fake_make, .remove = fake_remove };

	fake_error = 0;
	REQUIRE_OK(dir_open(unit_dir(), &fs.dir, NULL), NULL);
	put_file(fs.dir.fd, ".", "tasks", "1\n2\n");
	put_file(fs.dir.fd, ".", "schemata", DEFAULT_SCHEMATA);
	REQUIRE(mkdirat(fs.dir.fd, "mon_groups", 0755) == 0);
	REQUIRE(mkdirat(fs.dir.fd, "info", 0755) == 0);
	REQUIRE(mkdirat(fs.dir.fd, "info/MB", 0755) == 0);
	put_file(fs.dir.fd, "info", "last_cmd_status", "ok\n");
	put_file(fs.dir.fd, "info/MB", "min_bandwidth", "10\n");
	put_file(fs.dir.fd, "info/MB", "bandwidth_gran", "10\n");
	return fs;
}

static const char *content(const struct rdt_fs *fs, const char *path)
{
	static char text[512];

	return file_read_small(fs->dir.fd, path, text, sizeof(text)) < 0 ? "(missing)" : text;
}

static bool exists(const struct rdt_fs *fs, const char *path)
{
	return faccessat(fs->dir.fd, path, F_OK, 0) == 0;
}

/* create, and delete by the record that it left */
TEST(group_of_its_own)
{
	const struct rdt_plan p = { .wanted = true,
				    .own = true,
				    .group = "c1",
				    .monitor = "c1/mon_groups/c1",
				    .schema = "L3:0=f\nMB:0=50\n" };
	auto_arena a = arena_make();
	struct cleat_state_file state = { 0 };
	struct rdt_fs fs = fake();
	struct rdt_made made;
	struct err e = { 0 };

	REQUIRE_OK(rdt_make(&a, &fs, &p, &made, &e), &e);
	CHECK(made.group && made.monitor);
	CHECK_HAS(content(&fs, "c1/schemata"), "L3:0=f\nMB:0=50");
	REQUIRE_OK(rdt_join(&fs, &p, 4711, &e), &e);
	CHECK_STR(content(&fs, "c1/tasks"), "4711");
	CHECK_STR(content(&fs, "c1/mon_groups/c1/tasks"), "4711");
	rdt_record(&a, &p, &state);
	CHECK_STR(state.intel_rdt->group, "c1");
	CHECK_STR(state.intel_rdt->monitoring_group, "c1/mon_groups/c1");
	CHECK(state.intel_rdt->remove);
	/* a name alone is no reason to drive processes out */
	CHECK_OK(rdt_remove(&fs, &state, true, &e), &e);
	CHECK(exists(&fs, "c1"));
	CHECK_OK(rdt_remove(&fs, &state, false, &e), &e);
	CHECK(!exists(&fs, "c1"));
	CHECK_OK(rdt_remove(&fs, &state, false, &e), &e);
	dir_close(&fs.dir);
}

TEST(group_that_was_left)
{
	const struct rdt_plan p = { .wanted = true, .own = true, .group = "c1" };
	auto_arena a = arena_make();
	struct rdt_fs fs = fake();
	struct rdt_made made;
	struct err e = { 0 };

	REQUIRE(fake_make(fs.dir.fd, "c1", 0755) == 0);
	CHECK_OK(rdt_make(&a, &fs, &p, &made, &e), &e);
	CHECK(made.group && !made.monitor);
	put_file(fs.dir.fd, "c1", "tasks", "17\n");
	CHECK(rdt_make(&a, &fs, &p, &made, &e) == -EBUSY);
	CHECK_STR(e.text, "resctrl group 'c1' exists and holds processes");
	CHECK(exists(&fs, "c1"));
	dir_close(&fs.dir);
}

TEST(class_by_name)
{
	const struct rdt_plan p = { .wanted = true,
				    .group = "gold",
				    .monitor = "gold/mon_groups/c1",
				    .schemata = "L3:0=7\n" };
	auto_arena a = arena_make();
	struct cleat_state_file state = { 0 };
	struct rdt_fs fs = fake();
	struct rdt_made made;
	struct err e = { 0 };

	REQUIRE_OK(rdt_make(&a, &fs, &p, &made, &e), &e);
	CHECK_HAS(content(&fs, "gold/schemata"), "L3:0=7");
	rdt_record(&a, &p, &state);
	CHECK_OK(rdt_remove(&fs, &state, false, &e), &e);
	CHECK(exists(&fs, "gold") && !exists(&fs, "gold/mon_groups/c1"));
	dir_close(&fs.dir);
}

/* What is there is compared and not written. */
TEST(class_that_exists)
{
	static const struct {
		const char *schema, *schemata, *want;
	} rows[] = {
		{ "L3:0=7ff\nMB:0=100\n", NULL, NULL },
		{ "MB:0=91\n", "L3:1=07ff\n", NULL },
		{ "L3:0=7f\n", NULL,
		  "linux.intelRdt: the class 'gold' exists and does not have the schema 'L3:0=7f'" },
		{ "L3:0=7ff\n", "MB:1=50\n",
		  "linux.intelRdt: the class 'gold' exists and does not have the schema 'MB:1=50'" },
		{ NULL, "L2:0=1\n",
		  "linux.intelRdt: the class 'gold' exists and does not have the schema 'L2:0=1'" },
	};
	auto_arena a = arena_make();
	struct rdt_fs fs = fake();

	REQUIRE(fake_make(fs.dir.fd, "gold", 0755) == 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct rdt_plan p = { .wanted = true,
					    .group = "gold",
					    .schema = rows[i].schema,
					    .schemata = rows[i].schemata };
		struct rdt_made made;
		struct err e = { 0 };

		unit_row("%zu", i);
		CHECK_INT(rdt_make(&a, &fs, &p, &made, &e), rows[i].want ? -EINVAL : 0);
		CHECK_STR(e.text, rows[i].want ? rows[i].want : "");
		CHECK(!made.group);
		CHECK_HAS(content(&fs, "gold/schemata"), "L3:0=7ff;1=7ff");
	}
	dir_close(&fs.dir);
}

TEST(class_that_must_exist)
{
	const struct rdt_plan missing = { .wanted = true, .group = "gold", .must_exist = true };
	const struct rdt_plan root = {
		.wanted = true, .group = ".", .monitor = "./mon_groups/c1", .must_exist = true
	};
	auto_arena a = arena_make();
	struct cleat_state_file state = { 0 };
	struct rdt_fs fs = fake();
	struct rdt_made made;
	struct err e = { 0 };

	CHECK(rdt_make(&a, &fs, &missing, &made, &e) == -ENOENT);
	CHECK_STR(e.text, "linux.intelRdt.closID: the class 'gold' does not exist, and there is no "
			  "schema to make it with");
	CHECK(!exists(&fs, "gold"));
	err_clear(&e);
	REQUIRE_OK(rdt_make(&a, &fs, &root, &made, &e), &e);
	CHECK(!made.group && made.monitor);
	CHECK_OK(rdt_join(&fs, &root, 12, &e), &e);
	CHECK_STR(content(&fs, "mon_groups/c1/tasks"), "12");
	rdt_record(&a, &root, &state);
	CHECK_OK(rdt_remove(&fs, &state, false, &e), &e);
	CHECK(!exists(&fs, "mon_groups/c1") && exists(&fs, "tasks"));
	dir_close(&fs.dir);
}

/* The kernel's own words are in the message, and nothing is left. */
TEST(group_refused)
{
	const struct rdt_plan p = { .wanted = true,
				    .own = true,
				    .group = "c1",
				    .schema = "L3:0=0\n",
				    .monitor = "c1/none/c1" };
	auto_arena a = arena_make();
	struct rdt_fs fs = fake();
	struct rdt_made made;
	struct err e = { 0 };

	put_file(fs.dir.fd, "info", "last_cmd_status", "Need a non-zero mask\n");
	CHECK(rdt_make(&a, &fs, &p, &made, &e) == -ENOENT);
	CHECK_STR(e.text, "make resctrl group 'c1/none/c1': no such file or directory (Need a "
			  "non-zero mask)");
	CHECK(!made.group && !exists(&fs, "c1"));
	fake_error = -ENOSPC;
	err_clear(&e);
	CHECK(rdt_make(&a, &fs, &p, &made, &e) == -ENOSPC);
	CHECK_STR(e.text, "make resctrl group 'c1': this machine has no more of them "
			  "(info/*/num_closids, num_rmids)");
	dir_close(&fs.dir);
}

TEST(group_updated)
{
	static const struct {
		const char *l3, *bandwidth, *want;
	} rows[] = {
		{ "L3:0=1", "MB:0=20", "L3:0=1\nMB:0=20\n" },
		{ "L3:0=1\n", NULL, "L3:0=1\n" },
		{ NULL, "MB:0=30", "MB:0=30\n" },
		{ NULL, NULL, "" },
	};
	auto_arena a = arena_make();
	struct rdt_fs fs = fake();

	REQUIRE(fake_make(fs.dir.fd, "c1", 0755) == 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err e = { 0 };

		unit_row("%zu", i);
		put_file(fs.dir.fd, "c1", "schemata", "");
		CHECK_OK(rdt_update(&a, &fs, "c1", rows[i].l3, rows[i].bandwidth, &e), &e);
		CHECK(strncmp(content(&fs, "c1/schemata"), rows[i].want,
			      strlen(rows[i].want) ? strlen(rows[i].want) - 1 : 0) == 0);
	}
	dir_close(&fs.dir);
}

TEST(without_resctrl)
{
	struct rdt_fs fs = RDT_NONE;
	struct err e = { 0 };

	if (access("/sys/fs/resctrl/schemata", F_OK) == 0)
		unit_skip("this machine has resctrl");
	CHECK(rdt_open(&fs, &e) == -ENODEV);
	CHECK_STR(e.text, "linux.intelRdt: resctrl is not mounted at /sys/fs/resctrl");
}
