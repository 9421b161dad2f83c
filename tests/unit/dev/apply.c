/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes and links in a real directory. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "dev/dev.h"
#include "unit/dev/tree.h"
#include "unit/unit.h"

static const struct dev_node null_node = { "/dev/null", S_IFCHR, 1, 3, 0666, 0, 0, true };
static const struct dev_node nodes[] = {
	{ "/dev/null", S_IFCHR, 1, 3, 0666, 0, 0, true },
	{ "/dev/zero", S_IFCHR, 1, 5, 0640, 12, 34, false },
	{ "/dev/net/deep/tun", S_IFCHR, 10, 200, 0600, 0, 0, false },
	{ "/srv/disk", S_IFBLK, 7, 77, 0660, 0, 6, false },
	{ "/srv/pipe", S_IFIFO, 0, 0, 0622, 1, 1, false },
};
static const struct dev_link links[] = { { "/dev/ptmx", "pts/ptmx" }, { "/dev/fd", "/x" } };
static const struct dev_plan whole = {
	.nodes = nodes, .n_nodes = COUNT(nodes), .links = links, .n_links = COUNT(links)
};

static struct dev_plan one(const struct dev_node *n, bool bind)
{
	return (struct dev_plan){ .nodes = n, .n_nodes = 1, .bind = bind };
}

static void check_nodes(int root)
{
	struct stat st;

	for (size_t i = 0; i < COUNT(nodes); i++) {
		unit_row("%s", nodes[i].path);
		REQUIRE(tree_stat(root, nodes[i].path + 1, &st));
		CHECK_INT(st.st_mode, nodes[i].type | nodes[i].mode);
		CHECK_INT(st.st_uid, nodes[i].uid);
		CHECK_INT(st.st_gid, nodes[i].gid);
		CHECK_INT(major(st.st_rdev), nodes[i].major);
		CHECK_INT(minor(st.st_rdev), nodes[i].minor);
	}
	CHECK_STR(tree_link(root, "dev/ptmx"), "pts/ptmx");
	CHECK_STR(tree_link(root, "dev/fd"), "/x");
}

TEST(apply_makes)
{
	int root = tree_make(false);
	struct err e = { 0 };
	struct stat st;

	REQUIRE_OK(dev_apply(&whole, root, -1, &e), &e);
	check_nodes(root);
	CHECK(tree_stat(root, "dev/net/deep", &st) && st.st_mode == (S_IFDIR | 0755));
	REQUIRE_OK(dev_apply(&whole, root, -1, &e), &e); /* all of it is there now */
	check_nodes(root);
	close(root);
}

/* What is there and is no such device stays as it is, and the error says what it was. */
TEST(apply_in_the_way)
{
	static const char text[] = "make device '/dev/null': something else is there";
	static const struct {
		const char *what;
		bool bind;
		const char *want;
	} rows[] = {
		{ "device", false, text }, { "device", true, "make a place for the device" },
		{ "file", false, text },   { "file", true, "make a place for the device" },
		{ "link", false, text },   { "link", true, "make a place for the device" },
		{ "dir", false, text },	   { "dir", true, "make a place for the device" },
	};
	int root = tree_make(true);

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct dev_plan p = one(&null_node, rows[i].bind);
		struct stat before, after;
		struct err e = { 0 };

		unit_row("%s, bind %d", rows[i].what, rows[i].bind);
		if (str_eq(rows[i].what, "device"))
			REQUIRE(mknodat(root, "dev/null", S_IFCHR, makedev(1, 5)) == 0);
		else if (str_eq(rows[i].what, "file"))
			tree_file(root, "dev/null", "content");
		else if (str_eq(rows[i].what, "link"))
			REQUIRE(symlinkat("../outside", root, "dev/null") == 0);
		else
			REQUIRE(mkdirat(root, "dev/null", 0700) == 0);
		REQUIRE(tree_stat(root, "dev/null", &before));
		CHECK_INT(dev_apply(&p, root, -1, &e), -EEXIST);
		CHECK_HAS(e.text, rows[i].want);
		CHECK_HAS(e.text, "/dev/null");
		REQUIRE(tree_stat(root, "dev/null", &after));
		CHECK(before.st_ino == after.st_ino && before.st_mode == after.st_mode);
		CHECK(!tree_stat(root, "outside", &after));
		REQUIRE(unlinkat(root, "dev/null", S_ISDIR(before.st_mode) ? AT_REMOVEDIR : 0) ==
			0);
	}
	close(root);
}

TEST(apply_binds)
{
	struct dev_node n = { "/dev/sub/null", S_IFCHR, 1, 3, 0600, 7, 7, false };
	struct dev_plan p = one(&null_node, true);
	int root = tree_make(true), fd;
	struct stat host, st;
	struct err e = { 0 };

	REQUIRE(stat("/dev/null", &host) == 0);
	REQUIRE_OK(dev_apply(&p, root, -1, &e), &e);
	REQUIRE(tree_stat(root, "dev/null", &st));
	CHECK(st.st_ino == host.st_ino && st.st_dev == host.st_dev && st.st_rdev == host.st_rdev);
	CHECK(st.st_uid == host.st_uid && st.st_mode == host.st_mode);
	fd = openat(root, "dev/null", O_WRONLY | O_CLOEXEC);
	CHECK(fd >= 0 && write(fd, "x", 1) == 1);
	close(fd);

	/* the empty file of an earlier bind is covered in either way */
	tree_file(root, "dev/zero", "");
	p = one(&(struct dev_node){ "/dev/zero", S_IFCHR, 1, 5, 0666, 0, 0, true }, false);
	REQUIRE_OK(dev_apply(&p, root, -1, &e), &e);
	CHECK(tree_stat(root, "dev/zero", &st) && st.st_rdev == makedev(1, 5));

	/* a name that the host has not, and a number that it has nowhere */
	p = one(&n, true);
	if (access("/dev/char/1:3", F_OK) == 0)
		CHECK_OK(dev_apply(&p, root, -1, &e), &e);
	else
		CHECK_INT(dev_apply(&p, root, -1, &e), -ENOENT);
	n.path = "/dev/full";
	n.minor = 77;
	err_clear(&e);
	CHECK_INT(dev_apply(&p, root, -1, &e), -ENODEV);
	CHECK_HAS(e.text, "find the host's device 1:77 for '/dev/full'");
	CHECK(!tree_stat(root, "dev/full", &st));
	close(root);
}

TEST(apply_made_outside)
{
	struct dev_node made[] = {
		{ "/dev/deep/x", S_IFCHR, 1, 5, 0604, 1, 2, false, 1, 1001, 1002 },
		{ "/dev/null", S_IFCHR, 1, 3, 0666, 0, 0, true, 0, 0, 0 },
		{ "/dev/y", S_IFCHR, 1, 5, 0666, 0, 0, false, 2, 0, 0 },
	};
	const struct dev_plan p = { .nodes = made, .n_nodes = 3, .bind = true, .n_outside = 2 };
	int root = tree_make(true), outside = -1;
	struct stat host, st;
	char path[512];
	struct err e = { 0 };

	REQUIRE(stat("/dev/null", &host) == 0);
	REQUIRE_OK(dev_make_outside(&p, &outside, &e), &e);
	REQUIRE_OK(dev_apply(&p, root, outside, &e), &e);
	close(outside);
	REQUIRE(tree_stat(root, "dev/deep/x", &st));
	CHECK(st.st_mode == (S_IFCHR | 0604) && st.st_rdev == makedev(1, 5));
	CHECK(st.st_uid == 1001 && st.st_gid == 1002);
	REQUIRE(tree_stat(root, "dev/y", &st));
	CHECK(st.st_mode == (S_IFCHR | 0666) && st.st_uid == 0);
	REQUIRE(tree_stat(root, "dev/null", &st));
	CHECK(st.st_ino == host.st_ino && st.st_dev == host.st_dev);
	/* nothing covers the root any more: a path finds it as the descriptor does */
	snprintf(path, sizeof(path), "%s/dev/y", unit_dir());
	CHECK(stat(path, &st) == 0);
	close(root);
}

/* A device that belongs to the image keeps its owner and mode. */
TEST(apply_keeps)
{
	struct dev_node n = { "/dev/null", S_IFCHR, 1, 3, 0666, 12, 34, false };
	struct dev_plan p = one(&n, false);
	int root = tree_make(true);
	struct err e = { 0 };
	struct stat st;

	REQUIRE(mknodat(root, "dev/null", S_IFCHR | 0600, makedev(1, 3)) == 0);
	REQUIRE_OK(dev_apply(&p, root, -1, &e), &e);
	REQUIRE(tree_stat(root, "dev/null", &st));
	CHECK(st.st_mode == (S_IFCHR | 0600) && st.st_uid == 0 && st.st_gid == 0);
	close(root);
}

/* /dev, a parent or the name itself lead out of the root: nothing is made there. */
TEST(apply_through_links)
{
	static const struct {
		const char *at, *target;
		const char *path; /* of the device */
		const char *made; /* where it is then, below the root; NULL: refused */
	} rows[] = {
		{ "root/dev", "../../outside", "/dev/null", "root/outside/null" },
		{ "root/dev", "/outside", "/dev/null", "root/outside/null" },
		{ "root/dev", "/nowhere", "/dev/null", NULL },
		{ "root/sub", "/outside", "/sub/net/null", "root/outside/net/null" },
		{ "root/sub", "../gone", "/sub/net/null", NULL },
		{ "root/sub", "sub", "/sub/null", NULL },
	};
	int top = tree_make(false);

	REQUIRE(mkdirat(top, "root", 0755) == 0 && mkdirat(top, "outside", 0755) == 0);
	REQUIRE(mkdirat(top, "root/outside", 0755) == 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct dev_node n = null_node;
		struct dev_plan p = one(&n, false);
		int root = openat(top, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
		struct err e = { 0 };
		struct stat st;

		unit_row("%s -> %s", rows[i].at, rows[i].target);
		n.path = rows[i].path;
		REQUIRE(symlinkat(rows[i].target, top, rows[i].at) == 0);
		if (rows[i].made) {
			CHECK_OK(dev_apply(&p, root, -1, &e), &e);
			CHECK(tree_stat(top, rows[i].made, &st) && S_ISCHR(st.st_mode));
			unlinkat(top, rows[i].made, 0);
		} else {
			CHECK(dev_apply(&p, root, -1, &e) < 0);
		}
		CHECK(unlinkat(top, "outside", AT_REMOVEDIR) == 0); /* it is still empty */
		REQUIRE(mkdirat(top, "outside", 0755) == 0);
		unlinkat(top, "root/outside/net", AT_REMOVEDIR);
		REQUIRE(unlinkat(top, rows[i].at, 0) == 0);
		close(root);
	}
	close(top);
}

TEST(apply_links)
{
	struct dev_plan p = { .links = links, .n_links = 1 };
	int root = tree_make(true);
	struct err e = { 0 };
	struct stat st;

	tree_file(root, "dev/ptmx", "");
	CHECK_OK(dev_apply(&p, root, -1, &e), &e);
	CHECK_STR(tree_link(root, "dev/ptmx"), "pts/ptmx");
	REQUIRE(unlinkat(root, "dev/ptmx", 0) == 0);
	REQUIRE(mknodat(root, "dev/ptmx", S_IFCHR | 0666, makedev(5, 2)) == 0);
	CHECK_OK(dev_apply(&p, root, -1, &e), &e);
	CHECK(tree_stat(root, "dev/ptmx", &st) && S_ISCHR(st.st_mode));
	REQUIRE(unlinkat(root, "dev/ptmx", 0) == 0);
	tree_file(root, "dev/ptmx", "of somebody");
	CHECK_INT(dev_apply(&p, root, -1, &e), -EEXIST);
	CHECK_STR(e.text, "make link '/dev/ptmx': something else is there");
	close(root);
}
