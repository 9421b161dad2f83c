/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "dev/dev.h"
#include "proc/proc.h"
#include "unit/dev/tree.h"
#include "unit/unit.h"

static int make_with_pty(int *ret_master, int *ret_slave)
{
	int root = tree_make(true);
	struct err e = { 0 };

	REQUIRE(mkdirat(root, "dev/pts", 0755) == 0);
	REQUIRE(fchdir(root) == 0);
	REQUIRE(mount("devpts", "dev/pts", "devpts", 0, "newinstance,ptmxmode=0666") == 0);
	REQUIRE_OK(term_open_pty(root, 0, 0, ret_master, ret_slave, &e), &e);
	return root;
}

TEST(console_is_the_pty)
{
	static const char *const before[] = { "nothing", "an empty file", "a device" };
	int master = -1, slave = -1;
	int root = make_with_pty(&master, &slave);
	struct stat st, pty;

	REQUIRE(fstat(slave, &pty) == 0);
	for (size_t i = 0; i < COUNT(before); i++) {
		struct err e = { 0 };

		unit_row("%s", before[i]);
		if (i == 1)
			tree_file(root, "dev/console", "");
		else if (i == 2)
			REQUIRE(mknodat(root, "dev/console", S_IFCHR | 0600, makedev(5, 1)) == 0);
		CHECK_OK(dev_console(root, slave, &e), &e);
		REQUIRE(tree_stat(root, "dev/console", &st));
		CHECK(st.st_dev == pty.st_dev && st.st_ino == pty.st_ino);
		CHECK(major(st.st_rdev) == 136);
		REQUIRE(umount2("dev/console", MNT_DETACH) == 0);
		REQUIRE(unlinkat(root, "dev/console", 0) == 0);
	}
	close(master);
	close(slave);
	close(root);
}

/* CVE-2026-88264: a name that is a link must not become a file somewhere else. */
TEST(console_through_a_link)
{
	int master = -1, slave = -1;
	int root = make_with_pty(&master, &slave);
	struct err e = { 0 };
	struct stat st;

	REQUIRE(symlinkat("../outside", root, "dev/console") == 0);
	CHECK_INT(dev_console(root, slave, &e), -EEXIST);
	CHECK_HAS(e.text, "/dev/console");
	CHECK(!tree_stat(root, "outside", &st));
	REQUIRE(unlinkat(root, "dev/console", 0) == 0);
	tree_file(root, "dev/console", "of somebody");
	CHECK_INT(dev_console(root, slave, &e), -EEXIST);
	close(master);
	close(slave);
	close(root);
}

/* CVE-2025-52565: what is mounted is a pty, whatever it was said to be. */
TEST(console_that_is_no_pty)
{
	static const char *const paths[] = { "/dev/null", "/proc/sys/kernel/core_pattern",
					     "/dev/ptmx" };
	int root = tree_make(true);
	struct stat st;

	for (size_t i = 0; i < COUNT(paths); i++) {
		int fd = open(paths[i], O_PATH | O_CLOEXEC);
		struct err e = { 0 };

		unit_row("%s", paths[i]);
		if (fd < 0)
			continue;
		CHECK_INT(dev_console(root, fd, &e), -EINVAL);
		CHECK_STR(e.text, "what should become /dev/console is no pty");
		CHECK(!tree_stat(root, "dev/console", &st));
		close(fd);
	}
	close(root);
}
