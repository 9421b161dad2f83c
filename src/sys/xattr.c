/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sys/xattr.h>

#include "sys/sys.h"

ssize_t sys_fgetxattr(int fd, const char *name, void *value, size_t size)
{
	ssize_t n = fgetxattr(fd, name, value, size);

	return n < 0 ? -errno : n;
}

int sys_fsetxattr(int fd, const char *name, const void *value, size_t size)
{
	return fsetxattr(fd, name, value, size, 0) < 0 ? -errno : 0;
}

int sys_fremovexattr(int fd, const char *name)
{
	return fremovexattr(fd, name) < 0 ? -errno : 0;
}
