/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file - whole files in one go
 *
 * Kernel files are written by one write; the error names file and value. Files
 * of our own are replaced atomically (temporary name, rename); no fsync, because
 * state of another boot is void.
 */
#ifndef CLEAT_BASE_FILE_H
#define CLEAT_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/dir.h"
#include "base/err.h"

/* Write a kernel file (cgroup, sysctl, proc) below @d with one write(2). Returns 0 or -errno. */
int file_write_at(const struct dir *d, const char *name, const char *value, size_t len,
		  struct err *e);
int file_printf_at(const struct dir *d, const char *name, struct err *e, const char *fmt, ...)
	ERR_PRINTF(4, 5);

/*
 * Read a whole file of at most @max bytes into the arena, terminated. Regular or
 * kernel files only: O_NONBLOCK, no controlling terminal, EINTR-safe. -EFBIG when
 * larger. Returns the length or -errno.
 */
ssize_t file_read_at(int dirfd, const char *name, struct arena *a, size_t max, char **ret,
		     struct err *e);
/* As above from an open descriptor, which stays open. */
ssize_t file_read_fd(int fd, const char *name, struct arena *a, size_t max, char **ret,
		     struct err *e);
/* Small kernel files into a caller's buffer, terminated and without the last newline. */
ssize_t file_read_small(int dirfd, const char *name, char *buf, size_t size);

/* Replace @name below @d by a temporary file and a rename. Returns 0 or -errno. */
int file_replace_at(const struct dir *d, const char *name, mode_t mode, const void *data,
		    size_t len, struct err *e);

/* Write everything, restarting after EINTR and short writes. Returns 0 or -errno. */
int file_write_all(int fd, const void *data, size_t len);

#endif
