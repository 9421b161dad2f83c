/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

#define VALUE_SHOWN 120	 /* bytes of a refused value that the error repeats */
#define READ_FIRST  4096 /* bytes that a kernel file, which tells no size, is given at first */
#define PIECE_FULL  2048 /* a piece of a kernel file that is shorter was its last */

int file_write_at(const struct dir *d, const char *name, const char *value, size_t len,
		  struct err *e)
{
	char shown[VALUE_SHOWN], path[DIR_TEXT_SIZE];
	auto_fd fd = -1;
	ssize_t n;
	int code;

	do
		fd = openat(d->fd, name, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	while (fd < 0 && errno == EINTR);
	if (fd < 0) {
		code = errno;
		return err_sys(e, code, dir_entry_text(d, name, path), "open for writing");
	}
	do
		n = write(fd, value, len);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)len)
		return 0;
	code = n < 0 ? errno : EIO;
	/* the value ends at its length or its first line, whichever comes first */
	snprintf(shown, sizeof(shown), "%.*s", (int)(len < sizeof(shown) ? len : sizeof(shown)),
		 value);
	shown[strcspn(shown, "\n")] = '\0';
	return err_sys(e, code, dir_entry_text(d, name, path), "write '%s' to", shown);
}

static ssize_t read_some(int fd, void *buf, size_t size)
{
	ssize_t n;

	do
		n = read(fd, buf, size);
	while (n < 0 && errno == EINTR);
	return n;
}

/* @size: what fstat(2) says of a regular file; 0 when that is unknown or means nothing. */
static ssize_t read_whole(int fd, const char *name, struct arena *a, uint64_t size, size_t max,
			  char **ret, struct err *e)
{
	size_t cap = READ_FIRST, len = 0;
	ssize_t n = 0;
	char *buf;

	if (size > max)
		return err_sys(e, EFBIG, name, "read");
	if (size >= cap)
		cap = (size_t)size + 1;
	buf = arena_alloc(a, cap);
	/* A file that has given what it promised need not be asked once more. */
	while ((!size || len != size) && (n = read_some(fd, buf + len, cap - 1 - len)) > 0) {
		len += (size_t)n;
		if (len > max)
			return err_sys(e, EFBIG, name, "read");
		if (len == cap - 1)
			buf = arena_grow(a, buf, &cap, 1);
	}
	if (n < 0)
		return err_sys(e, errno, name, "read");
	buf[len] = '\0';
	*ret = buf;
	return (ssize_t)len;
}

ssize_t file_read_fd(int fd, const char *name, struct arena *a, size_t max, char **ret,
		     struct err *e)
{
	return read_whole(fd, name, a, 0, max, ret, e);
}

static int open_for_reading(int dirfd, const char *name, int flags)
{
	int fd;

	do
		fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | flags);
	while (fd < 0 && errno == EINTR);
	return fd;
}

ssize_t file_read_named(int dirfd, const char *name, struct arena *a, size_t max, char **ret,
			struct err *e)
{
	auto_fd fd = -1;

	if (strcmp(name, "-") == 0)
		return file_read_fd(STDIN_FILENO, "standard input", a, max, ret, e);
	fd = open_for_reading(dirfd, name, 0);
	return fd < 0 ? err_sys(e, errno, name, "open") : file_read_fd(fd, name, a, max, ret, e);
}

ssize_t file_read_at(int dirfd, const char *name, struct arena *a, size_t max, char **ret,
		     struct err *e)
{
	auto_fd fd = open_for_reading(dirfd, name, O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return err_sys(e, errno, name, "open");
	if (fstat(fd, &st) < 0)
		return err_sys(e, errno, name, "stat");
	if (S_ISDIR(st.st_mode))
		return err_sys(e, EISDIR, name, "read");
	if (!S_ISREG(st.st_mode))
		return err_user(e, name, "read '%s': not a regular file", name);
	return read_whole(fd, name, a, (uint64_t)st.st_size, max, ret, e);
}

ssize_t file_read_small(int dirfd, const char *name, char *buf, size_t size)
{
	auto_fd fd = open_for_reading(dirfd, name, O_NONBLOCK);
	size_t len = 0;
	ssize_t n;

	buf[0] = '\0';
	if (fd < 0)
		return -errno;
	/* Kernel files come in pieces of a page; one that is far from full was the last. */
	do {
		n = read_some(fd, buf + len, size - 1 - len);
		len += n > 0 ? (size_t)n : 0;
	} while (n >= PIECE_FULL && len < size - 1);
	if (n < 0) {
		buf[0] = '\0';
		return -errno;
	}
	if (len > 0 && buf[len - 1] == '\n')
		len--;
	buf[len] = '\0';
	return (ssize_t)len;
}

int file_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/*
 * O_EXCL: in a directory that others may write to, a file or link of that name is not
 * ours. One that a killed predecessor left is removed and made anew.
 */
static int open_new(const struct dir *d, const char *name, mode_t mode)
{
	for (int tries = 0;; tries++) {
		int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
		int fd = openat(d->fd, name, flags | O_CLOEXEC, mode);

		if (fd >= 0 || (errno != EEXIST && errno != EINTR) || tries == 3)
			return fd < 0 ? -errno : fd;
		if (errno == EEXIST && unlinkat(d->fd, name, 0) < 0 && errno != ENOENT)
			return -errno;
	}
}

/* ".<name>.new" in the same directory as @name. */
static int temporary_name(char buf[PATH_MAX], const char *name)
{
	const char *slash = strrchr(name, '/');
	int above = slash ? (int)(slash - name) + 1 : 0;
	int n = snprintf(buf, PATH_MAX, "%.*s.%s.new", above, name, name + above);

	return n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

int file_replace_at(const struct dir *d, const char *name, mode_t mode, const void *data,
		    size_t len, struct err *e)
{
	char temporary[PATH_MAX], path[DIR_TEXT_SIZE];
	auto_fd fd = -1;
	int r = temporary_name(temporary, name);

	if (r == 0)
		r = fd = open_new(d, temporary, mode);
	if (r >= 0) {
		r = file_write_all(fd, data, len);
		if (r == 0 && renameat(d->fd, temporary, d->fd, name) < 0)
			r = -errno;
		if (r < 0)
			unlinkat(d->fd, temporary, 0);
	}
	return r < 0 ? err_sys(e, -r, dir_entry_text(d, name, path), "write") : 0;
}
