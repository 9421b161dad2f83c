/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cwd - process.cwd, made when it is missing
 *
 * That is done for the container's first process only: engines and their users (toolbox) try
 * another directory when they are told that the one of a further process is not there.
 *
 * After the root switch every name is the container's, but a descriptor that somebody
 * forgot is not, and links of /proc lead to it (CVE-2024-21626): such links are not
 * followed, and in the end the kernel itself is asked where we are. Its answer begins
 * with '/' only below our root.
 */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/str.h"
#include "proc/proc.h"
#include "sys/sys.h"

static int open_directory(int dirfd, const char *path)
{
	return sys_openat2(dirfd, path, O_PATH | O_DIRECTORY, 0, RESOLVE_NO_MAGICLINKS);
}

/* Step by step, so that links on the way are followed inside; others may make it with us. */
static int make_directories(const char *path)
{
	auto_fd dir = open_directory(AT_FDCWD, "/");
	char name[NAME_MAX + 1];

	while (dir >= 0) {
		size_t n;
		int next;

		path += strspn(path, "/");
		n = strcspn(path, "/");
		if (!n)
			return 0;
		if (n > NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(name, path, n);
		name[n] = '\0';
		path += n;
		next = open_directory(dir, name);
		if (next == -ENOENT) {
			int r = sys_mkdirat(dir, name, 0755);

			if (r < 0 && r != -EEXIST)
				return r;
			next = open_directory(dir, name);
		}
		fd_close(&dir);
		dir = next;
	}
	return dir;
}

/* The caller's umask decides no mode of what is made. */
static int open_made(const char *path, bool make)
{
	int dir = open_directory(AT_FDCWD, path);
	mode_t mask;
	int r;

	if (dir != -ENOENT || !make)
		return dir;
	mask = umask(0);
	r = make_directories(path);
	umask(mask);
	return r < 0 ? r : open_directory(AT_FDCWD, path);
}

static int enter(const char *path, bool make)
{
	auto_fd dir = open_made(path, make);

	return dir < 0 ? dir : sys_fchdir(dir);
}

static int check_inside(const char *path, struct err *e)
{
	char now[PATH_MAX + 16];
	int r = sys_getcwd(now, sizeof(now));

	if (r < 0)
		return err_sys(e, -r, path, "find where the working directory is");
	if (now[0] != '/')
		return err_code(e, EPERM, path,
				"process.cwd: '%s' lies outside of the container's root", path);
	return 0;
}

void proc_cwd_make(const struct proc_plan *p)
{
	auto_fd dir = open_made(p->process->cwd, true);

	(void)dir;
}

int proc_cwd(const struct proc_plan *p, struct err *e)
{
	const char *path = p->process->cwd;
	int r = enter(path, !p->exec);

	if (r < 0)
		return err_sys(e, -r, path, "enter the working directory");
	return check_inside(path, e);
}

/* After the root switch we stand at "/" mostly, and that is where most programs want to be. */
static bool is_there(const char *path)
{
	char now[PATH_MAX + 16];

	return str_eq(path, "/") && sys_getcwd(now, sizeof(now)) >= 0 && str_eq(now, "/");
}

int proc_cwd_early(const struct proc_plan *p, bool *ret_done, struct err *e)
{
	const char *path = p->process->cwd;
	int r;

	*ret_done = true;
	if (is_there(path))
		return 0;
	r = enter(path, !p->exec);

	*ret_done = r == 0;
	if (r == -EACCES || r == -EPERM)
		return 0;
	if (r < 0)
		return err_sys(e, -r, path, "enter the working directory");
	return check_inside(path, e);
}
