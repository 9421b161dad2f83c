/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "sys/result.h"
#include "sys/sys.h"

int sys_open_tree(int dirfd, const char *path, unsigned flags)
{
	return (int)RESULT(syscall(SYS_open_tree, dirfd, path, flags | OPEN_TREE_CLOEXEC));
}

int sys_move_mount(int from_dirfd, const char *from, int to_dirfd, const char *to, unsigned flags)
{
	return (int)RESULT(syscall(SYS_move_mount, from_dirfd, from, to_dirfd, to, flags));
}

int sys_fsopen(const char *fstype, unsigned flags)
{
	return (int)RESULT(syscall(SYS_fsopen, fstype, flags | FSOPEN_CLOEXEC));
}

int sys_fspick(int dirfd, const char *path, unsigned flags)
{
	return (int)RESULT(syscall(SYS_fspick, dirfd, path, flags | FSPICK_CLOEXEC));
}

int sys_fsconfig(int fd, unsigned cmd, const char *key, const void *value, int aux)
{
	return (int)RESULT(syscall(SYS_fsconfig, fd, cmd, key, value, aux));
}

int sys_fsmount(int fd, unsigned flags, unsigned attr)
{
	return (int)RESULT(syscall(SYS_fsmount, fd, flags | FSMOUNT_CLOEXEC, attr));
}

int sys_mount_setattr(int dirfd, const char *path, unsigned flags, const struct mount_attr *attr,
		      size_t size)
{
	return (int)RESULT(syscall(SYS_mount_setattr, dirfd, path, flags, attr, size));
}

int sys_mount(const char *source, const char *target, const char *type, unsigned long flags,
	      const void *data)
{
	return (int)RESULT(syscall(SYS_mount, source, target, type, flags, data));
}

int sys_umount2(const char *target, int flags)
{
	return (int)RESULT(syscall(SYS_umount2, target, flags));
}

int sys_pivot_root(const char *new_root, const char *put_old)
{
	return (int)RESULT(syscall(SYS_pivot_root, new_root, put_old));
}

int sys_chroot(const char *path)
{
	return (int)RESULT(chroot(path));
}

int sys_chdir(const char *path)
{
	return (int)RESULT(chdir(path));
}
