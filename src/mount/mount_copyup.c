/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_copyup - tmpcopyup: a tmpfs begins with what it covers
 *
 * Depth first by descriptors; owner, mode and times are kept, devices and sockets too.
 * Nothing is followed: a link is copied as a link.
 */
#include <fcntl.h>
#include <limits.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/fd.h"
#include "base/str.h"
#include "mount/mount_room.h"

/* Deeper is no /etc or /var that somebody wants in memory. */
#define DEPTH_MAX 64
/* user_namespaces(7): what ids without a mapping look like */
#define OVERFLOW_ID 65534

static int copy_dir(int from, int to, const char *name, int depth, struct err *e);

static int copy_attributes(int to, const char *name, const struct stat *st, struct err *e)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };
	int r = sys_fchownat(to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW);

	if (r == 0 && !S_ISLNK(st->st_mode))
		r = sys_fchmodat(to, name, st->st_mode & 07777);
	if (r == 0 && utimensat(to, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		r = -errno;
	return r < 0 ? err_sys(e, -r, name, "copy the attributes of") : 0;
}

/*
 * Somebody may exchange it after the look: nobody writes to a fifo, so the open must not wait.
 * *st is what was copied.
 */
static int copy_file(int from, int to, const char *name, struct stat *st, struct err *e)
{
	auto_fd in = sys_openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
	AUTO(fd_close_now) int out = -1; /* the tmpfs may have to be read-only next */
	ssize_t n = 1;
	int r;

	if (in < 0)
		return err_sys(e, -in, name, "open");
	r = sys_fstat(in, st);
	if (r < 0)
		return err_sys(e, -r, name, "look at");
	if (!S_ISREG(st->st_mode))
		return err_code(e, ESTALE, name, "'%s' is no regular file any more", name);
	out = sys_openat(to, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (out < 0)
		return err_sys(e, -out, name, "make");
	while (n > 0)
		n = sendfile(out, in, NULL, 1 << 20);
	return n < 0 ? err_sys(e, errno, name, "copy") : 0;
}

static int copy_link(int from, int to, const char *name, struct err *e)
{
	char target[PATH_MAX];
	int r = (int)sys_readlinkat(from, name, target, sizeof(target));

	if (r >= 0)
		r = sys_symlinkat(target, to, name);
	return r < 0 ? err_sys(e, -r, name, "copy the link") : 0;
}

static int copy_folder(int from, int to, const char *name, int depth, struct err *e)
{
	auto_fd in = sys_openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	auto_fd out = -1;
	int r;

	if (in < 0)
		return err_sys(e, -in, name, "open");
	r = sys_mkdirat(to, name, 0700);
	if (r < 0)
		return err_sys(e, -r, name, "make");
	out = sys_openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	return out < 0 ? err_sys(e, -out, name, "open") : copy_dir(in, out, name, depth + 1, e);
}

static int copy_entry(int from, int to, const char *name, int depth, struct err *e)
{
	struct stat st;
	int r = sys_fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW);

	if (r < 0)
		return err_sys(e, -r, name, "look at");
	if (S_ISDIR(st.st_mode))
		r = copy_folder(from, to, name, depth, e);
	else if (S_ISREG(st.st_mode))
		r = copy_file(from, to, name, &st, e);
	else if (S_ISLNK(st.st_mode))
		r = copy_link(from, to, name, e);
	else if ((r = sys_mknodat(to, name, st.st_mode, st.st_rdev)) < 0)
		err_sys(e, -r, name, "make");
	return r < 0 ? r : copy_attributes(to, name, &st, e);
}

struct copying {
	int from, to, depth;
	struct err *e;
};

static int copy_one(const char *name, unsigned char type, void *arg)
{
	const struct copying *c = arg;

	(void)type; /* it is looked at together with the rest */
	return copy_entry(c->from, c->to, name, c->depth, c->e);
}

static int copy_dir(int from, int to, const char *name, int depth, struct err *e)
{
	struct copying c = { from, to, depth, e };
	const struct dir d = { .fd = from, .name = name };

	if (depth > DEPTH_MAX)
		return err_sys(e, ELOOP, name, "copy a directory that is too deep:");
	return dir_each(&d, copy_one, &c, e);
}

/*
 * What was not said of the tmpfs's own directory it has from the one that it covers. An owner
 * who is not @mapped looks like one who may well be somebody in the user namespace.
 */
static int copy_top(struct stat st, int out, bool mapped, const struct mount_op *op, struct err *e)
{
	struct stat own;

	if (sys_fstat(out, &own) < 0)
		return 0;
	if (mount_op_has(op, "mode"))
		st.st_mode = own.st_mode;
	if (mount_op_has(op, "uid") || !mapped)
		st.st_uid = own.st_uid;
	if (mount_op_has(op, "gid") || (!mapped && st.st_gid == OVERFLOW_ID))
		st.st_gid = own.st_gid;
	return copy_attributes(out, ".", &st, e);
}

int mount_copyup(int from, int to, const struct mount_op *op, struct err *e)
{
	/* O_PATH descriptors cannot be read. Only of an owner that our user namespace knows may
	   we have this flag (open(2)); what stat(2) says of others could be true. */
	auto_fd in = sys_openat(from, ".", O_RDONLY | O_DIRECTORY | O_NOATIME, 0);
	auto_fd out = sys_openat(to, ".", O_RDONLY | O_DIRECTORY, 0);
	bool mapped = in != -EPERM;
	struct stat st;
	int r;

	if (!mapped)
		in = sys_openat(from, ".", O_RDONLY | O_DIRECTORY, 0);
	if (in < 0 || out < 0)
		return err_sys(e, in < 0 ? -in : -out, NULL, "open the directory to copy");
	r = sys_fstat(in, &st); /* its times are those of before we read it */
	if (r < 0)
		return err_sys(e, -r, op->target, "look at");
	r = copy_dir(in, out, op->target, 0, e);
	return r < 0 ? err_note(e, "tmpcopyup") : copy_top(st, out, mapped, op, e);
}
