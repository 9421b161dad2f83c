/* SPDX-License-Identifier: Apache-2.0 */
#include "base/dir.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/str.h"

#define BELOW (RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS)

void dir_close(struct dir *d)
{
	fd_close(&d->fd);
}

int dir_open(const char *path, struct dir *ret, struct err *e)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, errno, path, "open directory");
	*ret = (struct dir){ .fd = fd, .name = path };
	return 0;
}

static int open_below(int parent, const char *rel)
{
	struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = BELOW };
	long fd = syscall(SYS_openat2, parent, rel, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

int dir_open_below(const struct dir *parent, const char *rel, struct dir *ret, struct err *e)
{
	int fd = open_below(parent->fd, rel);

	if (fd < 0)
		return err_sys(e, -fd, rel, "open below %s", parent->name);
	*ret = (struct dir){ .fd = fd, .name = rel };
	return 0;
}

/* The next single name of @path in @name; returns what follows it, NULL at the end. */
static const char *next_name(const char *path, char *name, size_t size)
{
	size_t n;

	path += strspn(path, "/");
	n = strcspn(path, "/");
	if (n == 0 || n >= size)
		return NULL;
	memcpy(name, path, n);
	name[n] = '\0';
	return path + n;
}

int dir_make_below(const struct dir *parent, const char *rel, mode_t mode, struct dir *ret,
		   struct err *e)
{
	auto_fd at = -1;
	char name[NAME_MAX + 1];
	const char *rest = rel;

	while ((rest = next_name(rest, name, sizeof(name)))) {
		int from = at >= 0 ? at : parent->fd;
		int fd;

		if (mkdirat(from, name, mode) < 0 && errno != EEXIST)
			return err_sys(e, errno, rel, "make directory below %s", parent->name);
		fd = open_below(from, name);
		if (fd < 0)
			return err_sys(e, -fd, rel, "open below %s", parent->name);
		fd_close(&at);
		at = fd;
	}
	if (at < 0)
		return err_user(e, rel, "'%s' is no name of a directory", rel);
	*ret = (struct dir){ .fd = fd_take(&at), .name = rel };
	return 0;
}

int dir_each(const struct dir *d, int (*fn)(const char *name, unsigned char type, void *arg),
	     void *arg, struct err *e)
{
	int fd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;
	DIR *stream;
	int r = 0;

	if (fd < 0)
		return err_sys(e, errno, d->name, "read directory");
	stream = fdopendir(fd);
	if (!stream) {
		r = err_sys(e, errno, d->name, "read directory");
		close(fd);
		return r;
	}
	for (errno = 0; r == 0 && (entry = readdir(stream)); errno = 0)
		if (!str_eq(entry->d_name, ".") && !str_eq(entry->d_name, ".."))
			r = fn(entry->d_name, entry->d_type, arg);
	if (r == 0 && errno)
		r = err_sys(e, errno, d->name, "read directory");
	closedir(stream);
	return r;
}

struct removal {
	int fd;
	const char *where;
	struct err *e;
};

static int remove_entry(const char *name, unsigned char type, void *arg)
{
	struct removal *m = arg;

	if (unlinkat(m->fd, name, type == DT_DIR ? AT_REMOVEDIR : 0) == 0 || errno == ENOENT)
		return 0;
	return err_sys(m->e, errno, name, "remove from %s", m->where);
}

int dir_remove_flat(const struct dir *parent, const char *name, struct err *e)
{
	auto_dir d = DIR_NONE;
	struct removal m = { .where = name, .e = e };
	struct err missing = { 0 };
	int r = dir_open_below(parent, name, &d, &missing);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return err_sys(e, -r, name, "open below %s", parent->name);
	m.fd = d.fd;
	r = dir_each(&d, remove_entry, &m, e);
	if (r < 0)
		return r;
	if (unlinkat(parent->fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_sys(e, errno, name, "remove below %s", parent->name);
	return 0;
}
