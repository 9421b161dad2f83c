/* SPDX-License-Identifier: Apache-2.0 */
/* Labels without a kernel that has them: words, and a folder that plays procfs. */
#include "sec/labels.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "unit/unit.h"

TEST(unconfined)
{
	static const struct {
		const char *label;
		bool want;
	} rows[] = {
		{ "unconfined", true },
		{ "crun (unconfined)", true },
		{ "/usr/bin/x y (unconfined)", true },
		{ "unconfined_foo", false },
		{ "unconfined_foo (enforce)", false },
		{ "unconfined (enforce)", false },
		{ "unconfine", false },
		{ "unconfinedx", false },
		{ "", false },
		{ " (unconfined)", false },
		{ "(unconfined)", false },
		{ "foo(unconfined)", false },
		{ "foo (unconfined) ", false },
		{ "docker-default (enforce)", false },
		{ "docker-default (complain)", false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		unit_row("'%s'", rows[i].label);
		CHECK_INT(apparmor_is_unconfined(rows[i].label), rows[i].want);
	}
}

TEST(matching)
{
	static const struct {
		const char *is, *profile;
		bool want;
	} rows[] = {
		{ "docker-default (enforce)", "docker-default", true },
		{ "docker-default", "docker-default", true },
		{ "docker-default (complain)", "docker-default", true },
		{ "docker-default2 (enforce)", "docker-default", false },
		{ "docker-defaul (enforce)", "docker-default", false },
		{ "unconfined", "unconfined", true },
		{ "unconfined", "docker-default", false },
		{ "", "docker-default", false },
		{ "a//&b (enforce)", "a//&b", true },
		{ "b//&a (enforce)", "a//&b", true },
		{ "b//&c (enforce)", "a//&b", false },
		{ "a//&b//&c (mixed)", "a//&b", false },
		{ "a (enforce)", "a//&b", false },
		{ "a//&b (enforce)", "a", false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		unit_row("'%s' '%s'", rows[i].is, rows[i].profile);
		CHECK_INT(apparmor_matches(rows[i].is, rows[i].profile), rows[i].want);
	}
}

/* A folder with self/attr and the files in it. */
static int fake_proc(const char *current)
{
	static const char *const folders[] = { "self", "self/attr", "self/attr/apparmor" };
	auto_fd dir = open(unit_dir(), O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_fd exec = -1, apparmor_exec = -1, apparmor_current = -1;

	REQUIRE(dir >= 0);
	for (size_t i = 0; i < COUNT(folders); i++)
		REQUIRE(mkdirat(dir, folders[i], 0700) == 0);
	exec = openat(dir, "self/attr/exec", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	REQUIRE(exec >= 0);
	if (!current)
		return fd_take(&dir);
	apparmor_exec =
		openat(dir, "self/attr/apparmor/exec", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	apparmor_current =
		openat(dir, "self/attr/apparmor/current", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	REQUIRE(apparmor_exec >= 0 && apparmor_current >= 0);
	REQUIRE(write(apparmor_current, current, strlen(current)) == (ssize_t)strlen(current));
	return fd_take(&dir);
}

static const char *content(int dir, const char *name)
{
	static char text[256];
	auto_fd fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

/*
 * An ordinary file keeps what is written, so it reads back as "exec foo" and not as "foo":
 * as good as any procfs that was put in place of the real one.
 */
TEST(written_but_not_applied)
{
	auto_fd proc = fake_proc("unconfined\n");
	struct err e = { 0 };

	CHECK_INT(apparmor_exec(proc, "foo", &e), -EPERM);
	CHECK_STR(content(proc, "self/attr/apparmor/exec"), "exec foo");
	CHECK_HAS(e.text, "attr/apparmor/exec");
}

/* Without no_new_privs a confinement may be left for another, if its profile allows it. */
TEST(confined_stacks)
{
	auto_fd proc = fake_proc("unconfined_runtime (enforce)\n");
	struct err e = { 0 };

	CHECK_INT(apparmor_exec(proc, "foo", &e), -EPERM);
	CHECK_STR(content(proc, "self/attr/apparmor/exec"), "exec foo");
	REQUIRE(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK_INT(apparmor_exec(proc, "foo", &e), -EPERM);
	CHECK_STR(content(proc, "self/attr/apparmor/exec"), "stack foo");
}

TEST(apparmor_absent)
{
	auto_fd proc = fake_proc(NULL);
	struct err e = { 0 };

	CHECK_OK(apparmor_exec(proc, "unconfined", &e), &e);
	CHECK_INT(apparmor_exec(proc, "foo", &e), -EOPNOTSUPP);
	CHECK_HAS(e.text, "foo");
}

TEST(selinux_read_back)
{
	auto_fd proc = fake_proc(NULL);
	struct err e = { 0 };

	CHECK_OK(selinux_exec(proc, "a:b:c:s0", "a:b:c:s0", &e), &e);
	CHECK_INT(selinux_exec(proc, "a:b:c:s0:c2,c1", "a:b:c:s0:c1,c2", &e), -EPERM);
	CHECK_HAS(e.text, "`/proc/self/attr/exec`");
}

/* The place must not be a link to elsewhere. */
TEST(no_way_out)
{
	auto_fd proc = fake_proc(NULL);
	char path[256];

	snprintf(path, sizeof(path), "%s/self/attr/link", unit_dir());
	REQUIRE(symlink("/etc/hostname", path) == 0);
	CHECK_INT(label_attr_open(proc, "link", O_RDONLY), -EXDEV);
	CHECK_INT(label_attr_open(proc, "../../../x", O_RDONLY), -EXDEV);
}

TEST(asked_for_and_off)
{
	struct sec_plan p = { .apparmor = "no-such-profile" };
	char canonical[SEC_LABEL_MAX];
	struct err e = { 0 };

	if (access("/sys/fs/selinux/enforce", F_OK) == 0 ||
	    access("/sys/module/apparmor", F_OK) == 0)
		unit_skip("this kernel has labels");
	CHECK_INT(sec_labels_check(&p, &e), -ENOTSUP);
	CHECK_HAS(e.text, "no-such-profile");
	p.apparmor = "unconfined";
	CHECK_OK(sec_labels_check(&p, &e), &e);
	p = (struct sec_plan){ .selinux = "a:b:c:s0", .selinux_canonical = canonical };
	CHECK_INT(sec_labels_check(&p, &e), -ENOTSUP);
	CHECK_HAS(e.text, "process.selinuxLabel");
	p = (struct sec_plan){ 0 };
	CHECK_OK(sec_labels_check(&p, &e), &e);
}
