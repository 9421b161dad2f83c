/* SPDX-License-Identifier: Apache-2.0 */
#include "base/dir.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/str.h"

#define BELOW (RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS)

const char *dir_entry_text(const struct dir *d, const char *name, char buf[DIR_TEXT_SIZE])
{
	const char *above = d->name ? d->name : "";

	/* what is too long is shortened later, where the error is made */
	snprintf(buf, DIR_TEXT_SIZE, "%s%s%s", above, *above && !str_ends(above, "/") ? "/" : "",
		 name);
	return buf;
}

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

/* The error of something done to @name in @d. */
static int entry_error(struct err *e, int code, const struct dir *d, const char *name,
		       const char *action)
{
	char text[DIR_TEXT_SIZE];

	return err_sys(e, code, dir_entry_text(d, name, text), "%s", action);
}

int dir_open_below(const struct dir *parent, const char *rel, struct dir *ret, struct err *e)
{
	int fd = open_below(parent->fd, rel);

	if (fd < 0)
		return entry_error(e, -fd, parent, rel, "open directory");
	*ret = (struct dir){ .fd = fd, .name = rel };
	return 0;
}

/* File systems that do not tell the type in the entry are asked for it. */
static unsigned char entry_type(int fd, const struct dirent64 *entry)
{
	struct stat st;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type;
	if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return DT_UNKNOWN;
	return IFTODT(st.st_mode);
}

int dir_each(const struct dir *d, int (*fn)(const char *name, unsigned char type, void *arg),
	     void *arg, struct err *e)
{
	/* getdents64(2) itself, because opendir(3) would take 32 KiB of heap */
	_Alignas(struct dirent64) char buf[4096];
	auto_fd fd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ssize_t n = 0;

	if (fd < 0)
		return err_sys(e, errno, d->name, "read directory");
	while ((n = getdents64(fd, buf, sizeof(buf))) > 0) {
		const struct dirent64 *entry;

		for (ssize_t at = 0; at < n; at += entry->d_reclen) {
			int r;

			entry = (const struct dirent64 *)(buf + at);
			if (str_eq(entry->d_name, ".") || str_eq(entry->d_name, ".."))
				continue;
			r = fn(entry->d_name, entry_type(fd, entry), arg);
			if (r != 0)
				return r;
		}
	}
	/* ENOENT: the directory was removed while it was read, so it has no entries */
	if (n < 0 && errno != ENOENT)
		return err_sys(e, errno, d->name, "read directory");
	return 0;
}

struct removal {
	const struct dir *dir;
	struct err *e;
};

static int remove_entry(const char *name, unsigned char type, void *arg)
{
	struct removal *m = arg;

	if (unlinkat(m->dir->fd, name, type == DT_DIR ? AT_REMOVEDIR : 0) == 0 || errno == ENOENT)
		return 0;
	return entry_error(m->e, errno, m->dir, name, "remove");
}

int dir_empty_flat(const struct dir *d, struct err *e)
{
	struct removal m = { .dir = d, .e = e };

	return dir_each(d, remove_entry, &m, e);
}
