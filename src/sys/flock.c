/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sys/file.h>

#include "sys/sys.h"

int sys_flock(int fd, int operation)
{
	return flock(fd, operation) < 0 ? -errno : 0;
}
