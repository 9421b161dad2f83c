/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>

#include "config.h"

#define DEFERRED_MAX 64

static struct {
	bool on;
	int fds[DEFERRED_MAX];
	size_t n;
} deferred;

static void close_now(int fd)
{
	int saved = errno;

	if (close(fd) < 0 && errno == EBADF && CLEAT_DEBUG)
		abort(); /* debug builds: somebody else's descriptor would be next */
	errno = saved;
}

void fd_close(int *fd)
{
	if (*fd < 0)
		return;
	if (!deferred.on) {
		close_now(*fd);
	} else {
		if (deferred.n == DEFERRED_MAX)
			while (deferred.n > 0)
				close_now(deferred.fds[--deferred.n]);
		deferred.fds[deferred.n++] = *fd;
	}
	*fd = -1;
}

void fd_close_now(int *fd)
{
	if (*fd >= 0)
		close_now(*fd);
	*fd = -1;
}

void fd_defer(bool on)
{
	deferred.on = on;
	deferred.n = 0;
}

int fd_set_cloexec(int fd, bool on)
{
	return fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0) < 0 ? -errno : 0;
}

int fd_open_stdio(void)
{
	/* one call tells which of the three are open: the others give POLLNVAL */
	struct pollfd fds[] = { { .fd = 0 }, { .fd = 1 }, { .fd = 2 } };
	int r;

	do
		r = poll(fds, 3, 0);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	for (int fd = 0; fd < 3; fd++) {
		if (!(fds[fd].revents & POLLNVAL))
			continue;
		/* The lowest free number is @fd, since those below are open by now. */
		if (open("/dev/null", O_RDWR | O_NOCTTY) < 0) /* NOLINT banned-ok: inherited */
			return -errno;
	}
	return 0;
}
