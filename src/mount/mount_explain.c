/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_explain - why something could not be mounted
 *
 * Only asked after a failure: the kernel says one errno for a path of many parts, for all
 * flags and for every file system. Which part it is can be walked again, and which mount
 * and which flag is in mountinfo; proc_pid_mountinfo(5).
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/str.h"
#include "mount/mount_room.h"

#define MOUNTINFO     "/proc/self/mountinfo"
#define MOUNTINFO_MAX (8 << 20)
#define STATX_MOUNT   0x1000U /* STATX_MNT_ID */

/* --- which part of a path? -------------------------------------------------------------------- */

/* "a file" */
static const char *kind_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return "a file";
	case S_IFDIR:
		return "a directory";
	case S_IFLNK:
		return "a link";
	case S_IFIFO:
		return "a fifo";
	case S_IFSOCK:
		return "a socket";
	default:
		return "a device";
	}
}

/* @root: AT_FDCWD for the host's, else what is below it. */
static int look_at(int root, const char *path, int flags)
{
	return root == AT_FDCWD ? sys_open(path, O_PATH | flags, 0)
				: mount_open_in_root(root, path, O_PATH | flags);
}

/*
 * What is wrong with the part that ends here; NULL: nothing, or, where no part follows
 * (@more), what the errno says of the whole.
 */
static const char *fault_of(struct arena *a, int root, const char *part, bool more)
{
	auto_fd fd = look_at(root, part, O_NOFOLLOW), target = -1;
	char link[PATH_MAX];
	struct stat st;

	if (fd < 0 && more)
		return arena_printf(a, fd == -ENOENT ? "'%s' does not exist" : "'%s'", part);
	if (fd < 0 || sys_fstat(fd, &st) < 0)
		return NULL;
	if (!S_ISLNK(st.st_mode))
		return more && !S_ISDIR(st.st_mode)
			       ? arena_printf(a, "'%s' is %s", part, kind_of(st.st_mode))
			       : NULL;
	if (sys_readlinkat(fd, "", link, sizeof(link)) < 0)
		return NULL;
	target = look_at(root, part, 0);
	if (target < 0)
		return arena_printf(a, "'%s' is a link to '%s'", part, link);
	if (sys_fstat(target, &st) == 0 && more && !S_ISDIR(st.st_mode))
		return arena_printf(a, "'%s' is a link to '%s', %s", part, link,
				    kind_of(st.st_mode));
	return NULL;
}

int mount_path_error(int root, const char *path, int code, const char *action, struct err *e)
{
	auto_arena a = arena_make();
	char *part = arena_strdup(&a, path);
	const char *fault = NULL;

	err_sys(e, code, path, "%s", action);
	for (char *p = part + strspn(part, "/"); *p && !fault;) {
		char end;

		p += strcspn(p, "/");
		end = *p;
		*p = '\0';
		fault = fault_of(&a, root, part, end && end == '/' && p[1]);
		*p = end;
		p += strspn(p, "/");
	}
	if (fault)
		err_code(e, code, path, "%s '%s': %s: %s", action, path, fault, errno_text(code));
	return err_set_id(e, "mount-path");
}

int mount_attach_error(int tree, int target, int code, const char *name, struct err *e)
{
	struct stat from, to;

	if ((code != EINVAL && code != ENOTDIR) || sys_fstat(tree, &from) < 0 ||
	    sys_fstat(target, &to) < 0 || !S_ISDIR(from.st_mode) == !S_ISDIR(to.st_mode))
		return err_sys(e, code, name, "mount on");
	/*
	 * Newer kernels say EINVAL. Engines look for the words of ENOTDIR, and before them for those
	 * of EISDIR, "is a directory", which mean a program that cannot be executed to dockerd.
	 */
	err_code(e, ENOTDIR, name, "mount on '%s': %s cannot go on %s: %s", name,
		 kind_of(from.st_mode), kind_of(to.st_mode), errno_text(ENOTDIR));
	return err_set_id(e, "mount-path");
}

/* --- which mount? ----------------------------------------------------------------------------- */

struct mount_line {
	char *id, *point, *options, *type;
};

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw" */
static bool parse_line(char *line, struct mount_line *ret)
{
	enum { ID, PARENT, DEVICE, ROOT, POINT, OPTIONS, WORDS };
	char *words[WORDS], *save = NULL, *rest = strstr(line, " - ");

	if (!rest)
		return false;
	*rest = '\0';
	for (int i = 0; i < WORDS; i++) {
		words[i] = strtok_r(i ? NULL : line, " ", &save);
		if (!words[i])
			return false;
	}
	*ret = (struct mount_line){ words[ID], words[POINT], words[OPTIONS],
				    strtok_r(rest + 3, " ", &save) };
	return ret->type;
}

/* The flag that is to be cleared and is set on this mount; user_namespaces(7) locks these. */
static const char *locked_flag(const struct mount_line *m, uint64_t clear)
{
	static const struct {
		uint64_t attr;
		const char *word;
	} rows[] = {
		{ MOUNT_ATTR_RDONLY, "ro" },
		{ MOUNT_ATTR_NOSUID, "nosuid" },
		{ MOUNT_ATTR_NODEV, "nodev" },
		{ MOUNT_ATTR_NOEXEC, "noexec" },
		{ MOUNT_ATTR__ATIME, "noatime" },
		{ MOUNT_ATTR__ATIME, "relatime" },
		{ MOUNT_ATTR_NODIRATIME, "nodiratime" },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		if ((clear & rows[i].attr) && str_has_word(m->options, rows[i].word))
			return rows[i].word;
	return NULL;
}

/* The mount that @path is on, and those below it when @all; the first one that @fits. */
struct search {
	const char *id, *point;
	bool all;
	uint64_t clear; /* 0: any will do */
	const char *flag;
};

static bool fits(struct search *s, const struct mount_line *m)
{
	size_t n;

	if (str_eq(m->id, s->id))
		s->point = m->point;
	n = s->point ? strlen(s->point) : 0;
	if (!str_eq(m->id, s->id) &&
	    !(s->all && n && str_starts(m->point, s->point) && (m->point[n] == '/' || n == 1)))
		return false;
	s->flag = s->clear ? locked_flag(m, s->clear) : "";
	return s->flag;
}

static bool find_mount(struct arena *a, const char *path, struct search *s, struct mount_line *ret)
{
	struct statx st = { 0 };
	char *text, *save = NULL;

	if (sys_statx(AT_FDCWD, path, 0, STATX_MOUNT, &st) < 0 || !(st.stx_mask & STATX_MOUNT) ||
	    file_read_at(AT_FDCWD, MOUNTINFO, a, MOUNTINFO_MAX, &text, NULL) < 0)
		return false;
	s->id = arena_printf(a, "%llu", (unsigned long long)st.stx_mnt_id);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (parse_line(line, ret) && fits(s, ret))
			return true;
	return false;
}

/* The first mount on something below @path; NULL: there is none, or it cannot be told. */
static const char *mount_below(struct arena *a, const char *path)
{
	char *text, *line, *save = NULL;
	size_t n = strlen(path);
	struct mount_line m;

	if (file_read_at(AT_FDCWD, MOUNTINFO, a, MOUNTINFO_MAX, &text, NULL) < 0)
		return NULL;
	while (n && path[n - 1] == '/')
		n--;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (parse_line(line, &m) && strncmp(m.point, path, n) == 0 && m.point[n] == '/' &&
		    m.point[n + 1])
			return m.point;
	return NULL;
}

int mount_clone_error(const char *source, bool recursive, int code, struct err *e)
{
	auto_arena a = arena_make();
	const char *below;

	mount_path_error(AT_FDCWD, source, code, "open the source", e);
	below = code == EINVAL && !recursive ? mount_below(&a, source) : NULL;
	if (!below)
		return -e->code;
	err_code(
		e, code, source,
		"open the source '%s': a user namespace may not uncover what the mount '%s' is on, "
		"so 'bind' has to be 'rbind': %s",
		source, below, errno_text(code));
	return err_set_id(e, "mount-locked");
}

int mount_idmap_error(const char *source, int code, struct err *e)
{
	auto_arena a = arena_make();
	struct search s = { 0 };
	struct mount_line m;

	if (code == EPERM)
		return err_code(e, code, source,
				"map the ids of '%s': only who has CAP_SYS_ADMIN over its file "
				"system can map them: %s",
				source, errno_text(code));
	if (code != EINVAL || !find_mount(&a, source, &s, &m))
		return err_sys(e, code, source, "map the ids of");
	err_code(e, code, source,
		 "map the ids of '%s': %s, the file system of '%s', does not support id-mapped "
		 "mounts: %s",
		 source, m.type, m.point, errno_text(code));
	return err_set_id(e, "mount-idmap");
}

int mount_flags_error(const char *path, uint64_t set, uint64_t clear, bool all, int code,
		      struct err *e)
{
	struct search s = { .all = all, .clear = clear };
	auto_arena a = arena_make();
	char on[96], off[96];
	struct mount_line m;

	mount_attr_print(set, on, sizeof(on));
	mount_attr_print(clear & ~(uint64_t)MOUNT_ATTR__ATIME, off, sizeof(off));
	err_sys(e, code, path, "set flags (on: %s, off: %s) of", on, off);
	if (code != EPERM || !clear || !find_mount(&a, path, &s, &m))
		return -e->code;
	err_code(e, code, path,
		 "set flags (on: %s, off: %s) of '%s': %s is locked by the mount '%s' (%s), which "
		 "was made outside of this user namespace: %s",
		 on, off, path, s.flag, m.point, m.type, errno_text(code));
	return err_set_id(e, "mount-locked");
}
