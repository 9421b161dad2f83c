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

#include "base/clock.h"
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

static int open_below(int parent, const char *rel, uint64_t resolve)
{
	struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = resolve };
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
	int fd = open_below(parent->fd, rel, BELOW);

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

/* --- trees ------------------------------------------------------------------------------------ */

/*
 * Whoever filled it can have nested directories as deeply as he liked: what is in a
 * sub-directory and not empty is lifted to the top, so that two descriptors do, and each
 * directory is moved at most once.
 */
struct emptying {
	const struct dir *top, *sub;
	unsigned free; /* names from here on may be free in the top */
	bool moved;
	int64_t end;
	struct err *e;
};

static int check_time(const struct emptying *m)
{
	if (clock_now_ms() < m->end)
		return 0;
	return err_code(m->e, ETIMEDOUT, m->top->name,
			"directory '%s' has more in it than could be removed in time",
			m->top->name);
}

static int lift(struct emptying *m, const char *name)
{
	char place[16];

	for (;;) {
		if (check_time(m) < 0)
			return -m->e->code;
		snprintf(place, sizeof(place), "%u", m->free++);
		if (renameat(m->sub->fd, name, m->top->fd, place) == 0 || errno == ENOENT)
			return 0;
		/* it is somebody's, of whatever kind */
		if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR)
			return entry_error(m->e, errno, m->sub, name, "move");
	}
}

/* 1: it is a directory with something in it. */
static int remove_one(const struct emptying *m, const struct dir *d, const char *name,
		      unsigned char type)
{
	if (check_time(m) < 0)
		return -m->e->code;
	if (unlinkat(d->fd, name, type == DT_DIR ? AT_REMOVEDIR : 0) == 0 || errno == ENOENT)
		return 0;
	if (type == DT_DIR && (errno == ENOTEMPTY || errno == EEXIST))
		return 1;
	return entry_error(m->e, errno, d, name, "remove");
}

static int empty_sub_entry(const char *name, unsigned char type, void *arg)
{
	struct emptying *m = arg;
	int r = remove_one(m, m->sub, name, type);

	return r == 1 ? lift(m, name) : r;
}

static int empty_top_entry(const char *name, unsigned char type, void *arg)
{
	struct emptying *m = arg;
	auto_dir sub = { .fd = -1, .name = name };
	int r = remove_one(m, m->top, name, type);

	if (r != 1)
		return r;
	sub.fd = open_below(m->top->fd, name, BELOW | RESOLVE_NO_XDEV);
	if (sub.fd < 0)
		return entry_error(m->e, -sub.fd, m->top, name, "open directory");
	m->sub = &sub;
	m->moved = true;
	r = dir_each(&sub, empty_sub_entry, m, m->e);
	m->sub = NULL;
	if (r < 0 || unlinkat(m->top->fd, name, AT_REMOVEDIR) == 0 || errno == ENOTEMPTY)
		return r;
	return entry_error(m->e, errno, m->top, name, "remove directory");
}

int dir_empty_deep(const struct dir *d, unsigned timeout_ms, struct err *e)
{
	struct emptying m = { .top = d, .end = clock_now_ms() + timeout_ms, .e = e };
	int r = 0;

	do {
		m.moved = false;
		r = dir_each(d, empty_top_entry, &m, e);
	} while (r == 0 && m.moved);
	return r;
}
