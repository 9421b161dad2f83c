/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "base/trace.h"

#define VALUE_SHOWN 120 /* bytes of a refused value that the error repeats */

int file_write_at(const struct dir *d, const char *name, const char *value, size_t len,
		  struct err *e)
{
	char shown[VALUE_SHOWN];
	auto_fd fd = openat(d->fd, name, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n;

	if (fd < 0)
		return err_sys(e, errno, name, "open in %s for writing", d->name);
	do
		n = write(fd, value, len);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)len)
		return 0;
	n = n < 0 ? errno : EIO;
	str_shorten(shown, sizeof(shown), value);
	shown[strcspn(shown, "\n")] = '\0';
	return err_sys(e, (int)n, name, "write '%s' in %s to", shown, d->name);
}

int file_printf_at(const struct dir *d, const char *name, struct err *e, const char *fmt, ...)
{
	char text[256];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(text))
		return err_sys(e, E2BIG, name, "format a value for");
	return file_write_at(d, name, text, (size_t)n, e);
}

ssize_t file_read_fd(int fd, const char *name, struct arena *a, size_t max, char **ret,
		     struct err *e)
{
	struct stat st;
	size_t size = 4096, len = 0;
	char *buf;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
	    (uint64_t)st.st_size < max)
		size = (size_t)st.st_size + 2; /* the end is seen without another buffer */
	buf = arena_alloc(a, size);
	for (;;) {
		ssize_t n = read(fd, buf + len, size - 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, errno, name, "read");
		if (n == 0)
			break;
		len += (size_t)n;
		if (len > max)
			return err_sys(e, EFBIG, name, "read");
		if (len == size - 1) {
			char *more = arena_alloc(a, size * 2);

			memcpy(more, buf, len);
			buf = more;
			size *= 2;
		}
	}
	buf[len] = '\0';
	*ret = buf;
	return (ssize_t)len;
}

ssize_t file_read_at(int dirfd, const char *name, struct arena *a, size_t max, char **ret,
		     struct err *e)
{
	auto_fd fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return err_sys(e, errno, name, "open");
	if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode))
		return err_code(e, EINVAL, name, "'%s' is not a regular file", name);
	return file_read_fd(fd, name, a, max, ret, e);
}

ssize_t file_read_small(int dirfd, const char *name, char *buf, size_t size)
{
	auto_fd fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t n;

	buf[0] = '\0';
	if (fd < 0)
		return -errno;
	do
		n = read(fd, buf, size - 1);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (n > 0 && buf[n - 1] == '\n')
		n--;
	buf[n] = '\0';
	return n;
}

int file_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int file_replace_at(const struct dir *d, const char *name, mode_t mode, const void *data,
		    size_t len, struct err *e)
{
	char temporary[NAME_MAX + 1];
	int n = snprintf(temporary, sizeof(temporary), ".%s.new", name);
	int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC;
	auto_fd fd = -1;
	int r;

	if (n < 0 || (size_t)n >= sizeof(temporary))
		return err_sys(e, ENAMETOOLONG, name, "replace in %s", d->name);
	/* A half-written one of a killed predecessor is simply written over. */
	fd = openat(d->fd, temporary, flags, mode);
	if (fd < 0)
		return err_sys(e, errno, temporary, "create in %s", d->name);
	r = file_write_all(fd, data, len);
	if (r == 0 && renameat(d->fd, temporary, d->fd, name) < 0)
		r = -errno;
	if (r < 0) {
		unlinkat(d->fd, temporary, 0);
		return err_sys(e, -r, name, "replace in %s", d->name);
	}
	return 0;
}
