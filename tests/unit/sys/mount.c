/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "sys/sys.h"
#include "unit/unit.h"

static void own_mount_namespace(void)
{
	if (geteuid() != 0 || sys_unshare(CLONE_NEWNS) < 0)
		unit_skip("no right to make a mount namespace");
	REQUIRE(sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
}

static int make_tmpfs(void)
{
	auto_fd fs = sys_fsopen("tmpfs", 0);

	REQUIRE(fs >= 0);
	CHECK_INT(sys_fsconfig(fs, FSCONFIG_SET_STRING, "size", "64k", 0), 0);
	CHECK_INT(sys_fsconfig(fs, FSCONFIG_SET_STRING, "no-such-option", "1", 0), -EINVAL);
	CHECK_INT(sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0), 0);
	return sys_fsmount(fs, 0, MOUNT_ATTR_NODEV);
}

TEST(a_file_system_by_descriptors)
{
	struct mount_attr read_only = { .attr_set = MOUNT_ATTR_RDONLY };
	auto_fd mnt = -1, copy = -1, file = -1;
	struct statfs fs;

	own_mount_namespace();
	mnt = make_tmpfs();
	REQUIRE(mnt >= 0);
	CHECK(fcntl(mnt, F_GETFD) == FD_CLOEXEC);
	CHECK_INT(sys_move_mount(mnt, "", AT_FDCWD, unit_dir(), MOVE_MOUNT_F_EMPTY_PATH), 0);
	CHECK(sys_statfs(unit_dir(), &fs) == 0 && fs.f_blocks * (uint64_t)fs.f_bsize == 65536);
	file = sys_openat(mnt, "f", O_WRONLY | O_CREAT, 0600);
	CHECK(file >= 0);
	fd_close(&file);

	copy = sys_open_tree(AT_FDCWD, unit_dir(), OPEN_TREE_CLONE);
	REQUIRE(copy >= 0);
	CHECK(fcntl(copy, F_GETFD) == FD_CLOEXEC);
	CHECK_INT(sys_mount_setattr(copy, "", AT_EMPTY_PATH, &read_only, sizeof(read_only)), 0);
	CHECK_INT(sys_openat(copy, "f", O_WRONLY, 0), -EROFS);
	file = sys_openat(mnt, "f", O_WRONLY, 0);
	CHECK(file >= 0);
	fd_close(&file);
	CHECK_INT(sys_umount2(unit_dir(), MNT_DETACH), 0);
	CHECK_INT(sys_umount2(unit_dir(), 0), -EINVAL);
}

TEST(change_of_root)
{
	auto_fd mnt = -1;

	own_mount_namespace();
	mnt = make_tmpfs();
	REQUIRE(mnt >= 0);
	REQUIRE(sys_move_mount(mnt, "", AT_FDCWD, unit_dir(), MOVE_MOUNT_F_EMPTY_PATH) == 0);
	REQUIRE(sys_mkdirat(mnt, "inside", 0755) == 0);
	CHECK_INT(sys_chdir(unit_dir()), 0);
	CHECK_INT(sys_pivot_root(".", "."), 0);
	CHECK_INT(sys_umount2(".", MNT_DETACH), 0);
	CHECK_INT(sys_chdir("/inside"), 0);
	CHECK_INT(sys_faccessat(AT_FDCWD, "/etc", F_OK, 0), -ENOENT);
	CHECK_INT(sys_chroot("/inside"), 0);
	CHECK_INT(sys_faccessat(AT_FDCWD, "/inside", F_OK, 0), -ENOENT);
}

TEST(errors)
{
	own_mount_namespace();
	CHECK_INT(sys_fsopen("no-such-fs", 0), -ENODEV);
	CHECK_INT(sys_open_tree(AT_FDCWD, "/nowhere", 0), -ENOENT);
	CHECK_INT(sys_move_mount(-1, "x", -1, "y", 0), -EBADF);
	CHECK_INT(sys_mount("x", "/nowhere", "tmpfs", 0, NULL), -ENOENT);
	CHECK_INT(sys_pivot_root("/nowhere", "/nowhere"), -ENOENT);
}
