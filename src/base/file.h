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

/*
 * Write a kernel file (cgroup, sysctl, proc) below @d with one write(2). @value need
 * not be terminated. Returns 0 or -errno; the error names directory, file and value.
 */
int file_write_at(const struct dir *d, const char *name, const char *value, size_t len,
		  struct err *e);

/*
 * Read a whole file of at most @max bytes into the arena, terminated. Regular and
 * kernel files only (-EINVAL, -EISDIR): opening never blocks and no terminal becomes
 * ours. -EFBIG when larger. Returns the length or -errno.
 */
ssize_t file_read_at(int dirfd, const char *name, struct arena *a, size_t max, char **ret,
		     struct err *e);
/* As above from an open descriptor of any kind (also a pipe), which stays open. */
ssize_t file_read_fd(int fd, const char *name, struct arena *a, size_t max, char **ret,
		     struct err *e);
/*
 * What a user named: a file of any kind, so that a shell's <(...) will do, or "-" for the
 * standard input. Whoever names a pipe that nobody writes to waits.
 */
ssize_t file_read_named(int dirfd, const char *name, struct arena *a, size_t max, char **ret,
			struct err *e);
/*
 * A small kernel file into a caller's buffer, terminated and without the last newline;
 * what does not fit is left out. Returns the length or -errno.
 */
ssize_t file_read_small(int dirfd, const char *name, char *buf, size_t size);

/*
 * Replace @name below @d by a temporary file (".<name>.new", mode @mode) and a rename.
 * Writers of the same file must not run side by side. Returns 0 or -errno.
 */
int file_replace_at(const struct dir *d, const char *name, mode_t mode, const void *data,
		    size_t len, struct err *e);

/* Write everything, restarting after EINTR and short writes. Returns 0 or -errno. */
int file_write_all(int fd, const void *data, size_t len);

#endif
