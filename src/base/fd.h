/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fd - who owns a descriptor
 *
 * A descriptor belongs to the variable that it is stored in; ownership moves by
 * fd_take(). An empty slot is -1. Everything is close-on-exec from birth.
 */
#ifndef CLEAT_BASE_FD_H
#define CLEAT_BASE_FD_H

#include <stdbool.h>
#include <unistd.h>

#define AUTO(fn) __attribute__((cleanup(fn)))

/* Close and mark empty; keeps errno. Closing a bad descriptor aborts in debug builds. */
void fd_close(int *fd);
#define auto_fd AUTO(fd_close) int

/*
 * fd_defer() - let fd_close() only empty the slot, or close again
 *
 * For a process that closes all of its descriptors at once a little later
 * (close_range(2)), where nobody waits for the end of a pipe or socket meanwhile. At most
 * 64 stay open; then they are closed, and the next 64 begin.
 */
void fd_defer(bool on);

/*
 * The same as fd_close(), but at once also while closing is put off: a file that is open to be
 * written keeps its mount from being made read-only.
 */
void fd_close_now(int *fd);

static inline int fd_take(int *fd)
{
	int v = *fd;

	*fd = -1;
	return v;
}

/* Set or clear close-on-exec. Returns 0 or -errno. */
int fd_set_cloexec(int fd, bool on);

/* Make sure that 0, 1 and 2 are open (on /dev/null where they were not). Returns 0 or -errno. */
int fd_open_stdio(void);

#endif
