/* SPDX-License-Identifier: Apache-2.0 */
/* accounts - the passwd and group files of a container, and who a name in them is */
#include "proc/accounts.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/str.h"
#include "proc/proc.h"
#include "sys/sys.h"

#define ACCOUNTS_MAX (1 << 20)
#define GROUPS_MAX   1024 /* of one user */

/* --- lines ----------------------------------------------------------------------------------- */

/*
 * On the host, outside the cgroup whose devices the container is kept to: merely opening a
 * device can do something, so the file is looked at first, and what was looked at is opened,
 * by way of the host's procfs. What has no size has no lines, or is a file of a kernel's that
 * may block or be used up by reading.
 */
static int open_from_outside(int root, const char *path)
{
	auto_fd handle =
		sys_openat2(root, path, O_PATH, 0, RESOLVE_NO_MAGICLINKS | RESOLVE_IN_ROOT);
	struct stat st;
	char link[40];

	if (handle < 0 || sys_fstat(handle, &st) < 0 || !S_ISREG(st.st_mode) || !st.st_size)
		return -1;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", handle);
	return sys_open(link, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
}

/* In the container one call does: what we may open there its processes may, too. */
static int open_inside(const char *path)
{
	auto_fd fd = sys_openat2(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0,
				 RESOLVE_NO_MAGICLINKS);
	struct stat st;

	return fd < 0 || sys_fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ? -1 : fd_take(&fd);
}

void accounts_open(struct accounts_reader *r, int root, const char *path)
{
	*r = (struct accounts_reader){ .fd = root == AT_FDCWD ? open_inside(path)
							      : open_from_outside(root, path) };
}

void accounts_close(struct accounts_reader *r)
{
	if (r->fd >= 0)
		fd_close(&r->fd);
}

/* More bytes behind those that are there. False: the end. */
static bool read_more(struct accounts_reader *r)
{
	ssize_t n;

	memmove(r->buf, r->buf + r->start, r->end - r->start);
	r->end -= r->start;
	r->start = 0;
	if (r->end == sizeof(r->buf) - 1) {
		r->skipping = true;
		r->end = 0;
	}
	if (r->fd < 0 || r->total >= ACCOUNTS_MAX)
		return false;
	n = sys_read(r->fd, r->buf + r->end, sizeof(r->buf) - 1 - r->end);
	if (n <= 0)
		return false;
	r->total += (size_t)n;
	r->end += (size_t)n;
	return true;
}

/* The next line that fits, terminated, or NULL at the end. */
static char *next_line(struct accounts_reader *r)
{
	for (;;) {
		char *line = r->buf + r->start;
		char *nl = memchr(line, '\n', r->end - r->start);
		bool skip = r->skipping;

		if (nl) {
			*nl = '\0';
			r->start = (size_t)(nl + 1 - r->buf);
			r->skipping = false;
			if (skip)
				continue;
			return line;
		}
		if (!read_more(r)) {
			bool rest = r->end && !r->skipping;

			r->buf[r->end] = '\0';
			r->end = 0;
			return rest ? r->buf : NULL;
		}
	}
}

bool accounts_next(struct accounts_reader *r, char *fields[ACCOUNTS_FIELDS], size_t n)
{
	char *line;

	while ((line = next_line(r))) {
		size_t found = 0;

		while (found < ACCOUNTS_FIELDS && line)
			fields[found++] = strsep(&line, ":");
		if (found >= n)
			return true;
	}
	return false;
}

/* --- names ----------------------------------------------------------------------------------- */

static bool find_user(int root, const char *name, struct proc_account *ret)
{
	struct accounts_reader r;
	char *fields[ACCOUNTS_FIELDS];
	bool found = false;

	accounts_open(&r, root, "/etc/passwd");
	while (!found && accounts_next(&r, fields, PASSWD_FIELDS))
		found = str_eq(fields[PASSWD_NAME], name) &&
			str_to_u32(fields[PASSWD_UID], &ret->uid) == 0 &&
			str_to_u32(fields[PASSWD_GID], &ret->gid) == 0;
	accounts_close(&r);
	return found;
}

static bool find_group(int root, const char *name, gid_t *ret)
{
	struct accounts_reader r;
	char *fields[ACCOUNTS_FIELDS];
	bool found = false;

	accounts_open(&r, root, "/etc/group");
	while (!found && accounts_next(&r, fields, GROUP_FIELDS - 1))
		found = str_eq(fields[GROUP_NAME], name) && str_to_u32(fields[GROUP_GID], ret) == 0;
	accounts_close(&r);
	return found;
}

static bool is_member(char *members, const char *name)
{
	while (members)
		if (str_eq(strsep(&members, ","), name))
			return true;
	return false;
}

/* As login(1) has it: every group that names the user. */
static void find_memberships(struct arena *a, int root, const char *name, struct proc_account *ret)
{
	struct accounts_reader r;
	char *fields[ACCOUNTS_FIELDS];
	gid_t gid;

	ret->groups = arena_new_n(a, GROUPS_MAX, gid_t);
	accounts_open(&r, root, "/etc/group");
	while (ret->n_groups < GROUPS_MAX && accounts_next(&r, fields, GROUP_FIELDS))
		if (str_to_u32(fields[GROUP_GID], &gid) == 0 && gid != ret->gid &&
		    is_member(fields[GROUP_MEMBERS], name))
			ret->groups[ret->n_groups++] = gid;
	accounts_close(&r);
}

int proc_account_find(struct arena *a, int root, const char *text, struct proc_account *ret,
		      struct err *e)
{
	const char *colon = strchr(text, ':');
	const char *user = colon ? arena_strndup(a, text, (size_t)(colon - text)) : text;
	struct proc_account found = { .uid = 0 };

	if (!find_user(root, user, &found)) {
		err_code(e, ENOENT, user, "user '%s' is not in the container's /etc/passwd", user);
		return err_set_id(e, "user-unknown");
	}
	if (!colon) {
		find_memberships(a, root, user, &found);
	} else if (!find_group(root, colon + 1, &found.gid)) {
		err_code(e, ENOENT, colon + 1, "group '%s' is not in the container's /etc/group",
			 colon + 1);
		return err_set_id(e, "user-unknown");
	}
	*ret = found;
	return 0;
}
