/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "config.h"

void fd_close(int *fd)
{
	int saved = errno;

	if (*fd < 0)
		return;
	if (close(*fd) < 0 && errno == EBADF && CLEAT_DEBUG)
		abort(); /* somebody else's descriptor would be next */
	*fd = -1;
	errno = saved;
}

int fd_set_cloexec(int fd, bool on)
{
	return fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0) < 0 ? -errno : 0;
}

int fd_open_stdio(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		int null;

		if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
			continue;
		/* The lowest free number is @fd, since those below are open. */
		null = open("/dev/null", O_RDWR | O_NOCTTY); /* NOLINT banned-ok: inherited */
		if (null < 0)
			return -errno;
	}
	return 0;
}
