/* SPDX-License-Identifier: Apache-2.0 */
/* Mounting for real, in a mount namespace of the test's own. */
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "mount/mount_room.h"
#include "unit/unit.h"

/* An own namespace, shared as systemd leaves it, with a tmpfs on the test's directory. */
static int make_root(void)
{
	int root;

	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0)
		unit_skip("no right to make a mount namespace");
	REQUIRE(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	REQUIRE(mount("tmpfs", unit_dir(), "tmpfs", 0, "size=1m") == 0);
	REQUIRE(mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) == 0);
	umask(0);
	root = open(unit_dir(), O_PATH | O_DIRECTORY | O_CLOEXEC);
	REQUIRE(root >= 0);
	return root;
}

static void make_file(int root, const char *path, const char *text)
{
	int fd = openat(root, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);

	REQUIRE(fd >= 0);
	REQUIRE(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

/* Targets are made below the root, whatever links the image has. */
TEST(live_targets)
{
	static const struct {
		const char *path, *made; /* made: where it must be then */
		bool file;
	} rows[] = {
		{ "/new/deep/dir", "new/deep/dir", false }, { "/new/file", "new/file", true },
		{ "/absolute/x", "there/x", false },	    { "/upwards/y", "y", false },
		{ "/broken/z", "nowhere/z", false },	    { "/broken-file", "made", true },
	};
	auto_fd root = make_root();

	REQUIRE(mkdirat(root, "there", 0755) == 0);
	REQUIRE(symlinkat("/there", root, "absolute") == 0);
	REQUIRE(symlinkat("../../../..", root, "upwards") == 0);
	REQUIRE(symlinkat("/nowhere", root, "broken") == 0);
	REQUIRE(symlinkat("/made", root, "broken-file") == 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct stat want, got;
		struct err e = { 0 };
		auto_fd fd = -1;

		unit_row("%s", rows[i].path);
		REQUIRE_OK(mount_make_target(root, rows[i].path, rows[i].file, 0755, &fd, &e), &e);
		REQUIRE(fstat(fd, &got) == 0 && fstatat(root, rows[i].made, &want, 0) == 0);
		CHECK(got.st_ino == want.st_ino && got.st_dev == want.st_dev);
		CHECK(rows[i].file ? S_ISREG(got.st_mode) : S_ISDIR(got.st_mode));
	}
}

TEST(live_links_in_a_circle)
{
	auto_fd root = make_root();
	struct err e = { 0 };
	int fd = -1;

	REQUIRE(symlinkat("b", root, "a") == 0 && symlinkat("a", root, "b") == 0);
	CHECK_INT(mount_make_target(root, "/a/x", false, 0755, &fd, &e), -ELOOP);
	CHECK_HAS(e.text, "too many levels");
}

/* What a link of procfs leads to is no part of the root. */
TEST(live_magic_links)
{
	auto_fd root = make_root();

	REQUIRE(mkdirat(root, "proc", 0755) == 0);
	REQUIRE(fchdir(root) == 0 && mount("proc", "proc", "proc", 0, NULL) == 0);
	CHECK_INT(mount_open_in_root(root, "/proc/self/root", O_PATH), -ELOOP);
	CHECK_INT(mount_open_in_root(root, "/proc/self/cwd/etc", O_PATH), -ELOOP);
}

static struct mount_op tmpfs(size_t index, const char *target, uint64_t attr)
{
	return (struct mount_op){ .kind = MOUNT_FS,
				  .index = index,
				  .source = "tmpfs",
				  .target = target,
				  .type = "tmpfs",
				  .flags.attr_set = attr };
}

static unsigned long flags_of(int root, const char *path)
{
	auto_fd fd = mount_open_in_root(root, path, O_PATH);
	struct statvfs st = { 0 };

	REQUIRE(fd >= 0 && fstatvfs(fd, &st) == 0);
	return st.f_flag;
}

/* tmpcopyup: contents, owner, mode and links; and read-only when that is wanted, at once. */
TEST(live_copy_up)
{
	auto_fd root = make_root();
	struct mount_op op = tmpfs(0, "/d", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID);
	const struct mount_plan p = { .has_ns = true, .ops = &op, .n_ops = 1 };
	struct mount_ctx m = { .plan = &p, .root = root, .proc = -1 };
	struct err e = { 0 };
	struct stat st;
	char text[8] = "";

	REQUIRE(mkdirat(root, "d", 0751) == 0 && mkdirat(root, "d/sub", 0700) == 0);
	make_file(root, "d/sub/file", "hello");
	REQUIRE(fchownat(root, "d/sub/file", 7, 8, 0) == 0);
	REQUIRE(symlinkat("sub/file", root, "d/link") == 0);
	op.flags.tmpcopyup = true;
	REQUIRE_OK(mount_all(&m, &e), &e);
	free(m.late);
	CHECK(fstatat(root, "d", &st, 0) == 0 && (st.st_mode & 07777) == 0751);
	CHECK(fstatat(root, "d/link", &st, 0) == 0);
	CHECK(st.st_uid == 7 && st.st_gid == 8 && (st.st_mode & 07777) == 0640);
	CHECK(readlinkat(root, "d/link", text, sizeof(text) - 1) > 0);
	CHECK(flags_of(root, "/d") & ST_RDONLY && flags_of(root, "/d") & ST_NOSUID);
}

/* Targets in a tmpfs that was just mounted are made in it; one that covers it takes its place. */
TEST(live_nested)
{
	auto_fd root = make_root();
	const struct mount_op ops[] = {
		tmpfs(0, "/d", 0),
		tmpfs(1, "/d/a", MOUNT_ATTR_NODEV),
		tmpfs(2, "/d/a/deep", MOUNT_ATTR_NOEXEC),
		tmpfs(3, "/d/b", MOUNT_ATTR_NOSUID),
		tmpfs(4, "/d", MOUNT_ATTR_NOSUID),
		tmpfs(5, "/d/b", MOUNT_ATTR_NODEV),
		tmpfs(6, "/d/c/x", MOUNT_ATTR_NOEXEC),
		tmpfs(7, "/d/c/x", MOUNT_ATTR_NODEV),
	};
	const struct mount_plan first = { .has_ns = true, .ops = ops, .n_ops = 4 };
	const struct mount_plan all = { .has_ns = true, .ops = ops, .n_ops = COUNT(ops) };
	struct mount_ctx m = { .plan = &first, .root = root, .proc = -1 };
	struct err e = { 0 };

	REQUIRE_OK(mount_all(&m, &e), &e);
	free(m.late);
	CHECK(flags_of(root, "/d/a") & ST_NODEV);
	CHECK(flags_of(root, "/d/a/deep") & ST_NOEXEC);
	CHECK(flags_of(root, "/d/b") & ST_NOSUID);
	m.plan = &all;
	REQUIRE_OK(mount_all(&m, &e), &e);
	free(m.late);
	CHECK(flags_of(root, "/d") & ST_NOSUID);
	CHECK_INT(mount_open_in_root(root, "/d/a", O_PATH), -ENOENT);
	CHECK(flags_of(root, "/d/b") & ST_NODEV);
	CHECK(flags_of(root, "/d/c/x") & ST_NODEV);
	CHECK_INT(m.fresh.tree, -1);
}

/* Filled first, read-only at the end; without a descriptor for that it is an error. */
TEST(live_late_readonly)
{
	auto_fd root = make_root();
	struct mount_op op = tmpfs(0, "/d", MOUNT_ATTR_RDONLY);
	const struct mount_plan p = { .has_ns = true, .ops = &op, .n_ops = 1 };
	struct mount_ctx m = { .plan = &p, .root = root, .proc = -1 };
	struct err e = { 0 };
	struct rlimit limit;
	int next;

	op.late_readonly = true;
	REQUIRE(mkdirat(root, "d", 0755) == 0);
	REQUIRE_OK(mount_all(&m, &e), &e);
	CHECK(mkdirat(root, "d/x", 0755) == 0);
	next = m.late[0];
	REQUIRE_OK(mount_finish(&m, &e), &e);
	CHECK(flags_of(root, "/d") & ST_RDONLY);
	free(m.late);
	/* one fewer than the descriptor that was kept needed */
	REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_cur = (rlim_t)next;
	REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	CHECK_INT(mount_all(&m, &e), -EMFILE);
	CHECK_HAS(e.text, "'/d'");
	free(m.late);
}

/* A word wrong for the file system: which mount, which option, what the kernel says. */
TEST(live_error_names_everything)
{
	auto_fd root = make_root();
	const struct mount_data data = { "nonsense", "1" };
	struct mount_op op = tmpfs(3, "/d", 0);
	const struct mount_plan p = { .has_ns = true, .ops = &op, .n_ops = 1 };
	struct mount_ctx m = { .plan = &p, .root = root, .proc = -1 };
	struct err e = { 0 };

	op.data = &data;
	op.n_data = 1;
	CHECK(mount_all(&m, &e) < 0);
	free(m.late);
	CHECK_HAS(e.text, "mounts[3]: tmpfs 'tmpfs' on '/d'");
	CHECK_HAS(e.text, "option nonsense (tmpfs: Unknown parameter 'nonsense')");
	CHECK_HAS(e.text, "invalid argument");
}

/* Nothing that is mounted on a bind's clone may show where it came from. */
TEST(live_bind_leaves_the_peer_group)
{
	auto_fd root = make_root();
	struct mount_op op = { .kind = MOUNT_BIND,
			       .source = unit_dir(),
			       .target = "/t",
			       .type = "bind",
			       .flags.bind = true };
	struct err e = { 0 };
	struct statx st;
	auto_fd tree = -1, sub = -1, inside = -1;

	REQUIRE(mkdirat(root, "s", 0755) == 0);
	REQUIRE_OK(mount_source_open(NULL, &op, -1, &tree, &e), &e);
	REQUIRE(mkdirat(root, "t", 0755) == 0);
	sub = mount_fs_simple("tmpfs", NULL, 0, 0, &e);
	inside = mount_open_in_root(root, "/t", O_PATH);
	REQUIRE(sub >= 0 && inside >= 0);
	REQUIRE_OK(mount_attach(tree, inside, "/t", &e), &e);
	REQUIRE(sys_move_mount(sub, "", tree, "s", MOVE_MOUNT_F_EMPTY_PATH) == 0);
	REQUIRE(statx(root, "s", AT_SYMLINK_NOFOLLOW, STATX_TYPE, &st) == 0);
	CHECK(!(st.stx_attributes & STATX_ATTR_MOUNT_ROOT));
	REQUIRE(statx(tree, "s", AT_SYMLINK_NOFOLLOW, STATX_TYPE, &st) == 0);
	CHECK(st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

/* Files show /dev/null, directories one empty tmpfs; what is not there stays away. */
TEST(live_masks)
{
	static const char *const masked[] = { "/d1", "/f1", "/absent", "/d2", "/f2" };
	static const char *const readonly[] = { "/r", "/absent/too" };
	auto_fd root = make_root();
	const struct mount_plan p = { .has_ns = true,
				      .masked = masked,
				      .n_masked = COUNT(masked),
				      .readonly = readonly,
				      .n_readonly = COUNT(readonly) };
	struct mount_ctx m = { .plan = &p, .root = root, .proc = -1 };
	struct stat one, two;
	struct err e = { 0 };

	REQUIRE(mkdirat(root, "d1", 0755) == 0 && mkdirat(root, "d2", 0755) == 0);
	REQUIRE(mkdirat(root, "d1/hidden", 0755) == 0 && mkdirat(root, "r", 0755) == 0);
	make_file(root, "f1", "secret");
	make_file(root, "f2", "secret");
	REQUIRE_OK(mount_masks(&m, &e), &e);
	CHECK(fstatat(root, "d1/hidden", &one, 0) < 0 && errno == ENOENT);
	REQUIRE(fstatat(root, "d1", &one, 0) == 0 && fstatat(root, "d2", &two, 0) == 0);
	CHECK(one.st_dev == two.st_dev && one.st_ino == two.st_ino);
	CHECK(flags_of(root, "/d2") & ST_RDONLY);
	REQUIRE(fstatat(root, "f1", &one, 0) == 0 && fstatat(root, "f2", &two, 0) == 0);
	CHECK(S_ISCHR(one.st_mode) && one.st_rdev == makedev(1, 3) && two.st_rdev == one.st_rdev);
	CHECK(mkdirat(root, "r/x", 0755) < 0 && errno == EROFS);
	CHECK(fstatat(root, "absent", &one, 0) < 0);
}

/* The tree covers "/", the switch makes it the root, and of the host nothing is left. */
static void switch_root(bool no_pivot)
{
	auto_fd host = make_root();
	const struct mount_plan p = {
		.rootfs = unit_dir(), .has_ns = true, .no_pivot = no_pivot, .readonly_root = true
	};
	struct mount_ctx m = { .plan = &p, .root = -1, .proc = -1 };
	struct err e = { 0 };
	struct stat st;
	auto_fd dir = -1;

	make_file(host, "mark", "");
	fd_close(&host);
	REQUIRE_OK(mount_rootfs_open(&p, &m.root, &dir, &e), &e);
	REQUIRE(m.root >= 0);
	REQUIRE_OK(mount_root_attach(&m, &e), &e);
	CHECK(stat("/mark", &st) < 0 && stat("/proc/self", &st) == 0);
	REQUIRE_OK(mount_root_switch(&m, &e), &e);
	REQUIRE_OK(mount_finish(&m, &e), &e);
	CHECK(stat("/mark", &st) == 0 && stat("/../mark", &st) == 0);
	CHECK(stat("/proc", &st) < 0);
	CHECK(mkdir("/x", 0755) < 0 && errno == EROFS);
	fd_close(&m.root);
}

TEST(live_switch_by_pivot_root)
{
	switch_root(false);
}

TEST(live_switch_without_pivot_root)
{
	switch_root(true);
}
