/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explain_path - where a name leads, link by link
 *
 * The kernel tells that something on the way is missing, not what. Here the way is walked
 * again, one component at a time. What changes meanwhile makes a worse message and
 * nothing else: nothing is opened but with O_PATH.
 */
#include <fcntl.h>
#include <limits.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include "base/fd.h"
#include "base/str.h"
#include "proc/explain.h"
#include "sys/sys.h"

/* path_resolution(7): so many links in one name */
#define LINKS_MAX 40

const char explain_missing[] = "does not exist in the container";

struct walk {
	struct arena *arena;
	const char *path;	   /* as asked for */
	const char *real;	   /* what is behind us, without links; "" is the root */
	const char *rest;	   /* what is before us */
	const char *link, *target; /* the newest link that was followed; NULL: none */
	unsigned links;
	int code; /* of the fault */
};

static int look_at(const char *path, struct stat *st)
{
	return sys_fstatat(AT_FDCWD, *path ? path : "/", st, AT_SYMLINK_NOFOLLOW);
}

static const char *whom(struct arena *a)
{
	uid_t uids[3];
	gid_t gids[3];

	if (sys_getresuid(uids) < 0 || sys_getresgid(gids) < 0)
		return "the user";
	return arena_printf(a, "user %u:%u", uids[1], gids[1]);
}

static const char *owner_text(struct arena *a, const struct stat *st)
{
	return arena_printf(a, "mode %04o, owner %u:%u", (unsigned)st->st_mode & 07777, st->st_uid,
			    st->st_gid);
}

/* Begins the phrase with how we came to @at, when that was by a link. */
static const char *by_link(const struct walk *w, const char *at, const char *rest)
{
	if (!w->link)
		return arena_printf(w->arena, "lies in '%s', which %s", at, rest);
	return arena_printf(
		w->arena, "%s '%s', and '%s' %s",
		str_eq(w->link, w->path)
			? "is a link to"
			: arena_printf(w->arena, "leads through the link '%s' to", w->link),
		w->target, at, rest);
}

static const char *missing(const struct walk *w, const char *at)
{
	if (!w->link && !*w->rest)
		return explain_missing;
	return by_link(w, at, "does not exist");
}

static const char *refused(const struct walk *w)
{
	const char *dir = *w->real ? w->real : "/";
	struct stat st;

	if (look_at(dir, &st) < 0)
		return by_link(w, dir, "may not be searched");
	return arena_printf(w->arena, "lies in '%s' (%s), which %s may not search", dir,
			    owner_text(w->arena, &st), whom(w->arena));
}

static const char *follow(struct walk *w, const char *at, const char *rest)
{
	char target[PATH_MAX];

	if (++w->links > LINKS_MAX)
		return arena_printf(w->arena, "leads through more than %d links, '%s' among them",
				    LINKS_MAX, at);
	if (sys_readlinkat(AT_FDCWD, at, target, sizeof(target)) < 0)
		return by_link(w, at, "cannot be read");
	w->link = at;
	w->target = arena_strdup(w->arena, target);
	w->rest = arena_printf(w->arena, "%s%s", target, rest);
	if (target[0] == '/')
		w->real = "";
	return NULL;
}

static void step_back(struct walk *w)
{
	const char *slash = strrchr(w->real, '/');

	w->real = slash ? arena_strndup(w->arena, w->real, (size_t)(slash - w->real)) : "";
}

/* The next component. NULL: go on. */
static const char *step(struct walk *w)
{
	size_t n = strcspn(w->rest, "/");
	const char *name = w->rest, *rest = w->rest + n;
	const char *at;
	struct stat st;
	int r;

	w->rest = rest + strspn(rest, "/");
	if (n == 0 || (n == 1 && name[0] == '.'))
		return NULL;
	if (n == 2 && name[0] == '.' && name[1] == '.') {
		step_back(w);
		return NULL;
	}
	at = arena_printf(w->arena, "%s/%.*s", w->real, (int)n, name);
	r = look_at(at, &st);
	w->code = r;
	if (r < 0)
		return r == -EACCES ? refused(w) : missing(w, at);
	if (S_ISLNK(st.st_mode))
		return follow(w, at, rest);
	w->real = at;
	if (*rest && !S_ISDIR(st.st_mode))
		return by_link(w, at, "is not a directory");
	return NULL;
}

const char *explain_path(struct arena *a, const char *path, const char **ret_real, bool *ret_denied)
{
	struct walk w = { .arena = a, .path = path, .real = "", .rest = path };
	const char *fault = NULL;
	char cwd[PATH_MAX];

	if (path[0] != '/' && sys_getcwd(cwd, sizeof(cwd)) >= 0 && !str_eq(cwd, "/"))
		w.real = arena_strdup(a, cwd);
	while (!fault && *w.rest)
		fault = step(&w);
	*ret_real = *w.real ? w.real : "/";
	*ret_denied = w.code == -EACCES;
	return fault;
}

/* --- may it be executed? ---------------------------------------------------------------------- */

static bool is_mount_root(const char *path)
{
	struct statx st;

	return sys_statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, 0, &st) == 0 &&
	       (st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

/* The mount that a path without links is on. */
static const char *mount_of(struct arena *a, const char *real)
{
	char *path = arena_strdup(a, real);

	while (*path && !is_mount_root(path))
		*strrchr(path, '/') = '\0';
	return *path ? path : "/";
}

static const char *kind_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return "a directory";
	case S_IFIFO:
		return "a fifo";
	case S_IFSOCK:
		return "a socket";
	case S_IFCHR:
	case S_IFBLK:
		return "a device";
	default:
		return "not a file";
	}
}

const char *explain_access(struct arena *a, const char *real, int fd)
{
	struct statfs fs;
	struct stat st;

	if (sys_fstat(fd, &st) < 0)
		return NULL;
	if (!S_ISREG(st.st_mode))
		return arena_printf(a, "is %s", kind_of(st.st_mode));
	if (!(st.st_mode & 0111))
		return arena_printf(a, "has no x bit (mode %04o)", (unsigned)st.st_mode & 07777);
	if (sys_fstatfs(fd, &fs) == 0 && (fs.f_flags & ST_NOEXEC))
		return arena_printf(a, "is on '%s', which is mounted noexec", mount_of(a, real));
	if (sys_faccessat(fd, "", X_OK, AT_EACCESS | AT_EMPTY_PATH) == -EACCES)
		return arena_printf(a, "(%s) may not be executed by %s", owner_text(a, &st),
				    whom(a));
	return NULL;
}

const char *explain_passed_over(struct arena *a, const char *path)
{
	auto_fd fd = -1;
	bool unsearchable;
	const char *real, *fault = explain_path(a, path, &real, &unsearchable);

	if (fault)
		return fault == explain_missing ? NULL : fault;
	fd = sys_openat2(AT_FDCWD, path, O_PATH, 0, RESOLVE_NO_MAGICLINKS);
	return fd < 0 ? NULL : explain_access(a, real, fd);
}
