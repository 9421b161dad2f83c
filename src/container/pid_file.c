/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pid_file - the pid for those who read files
 *
 * Digits only, because readers convert the raw bytes; complete at the moment when the
 * name appears; never left behind by a creation that failed (docs/contract.md, rows 8
 * to 10). What was there before is somebody's until then, and stays when it is no regular
 * file: a rename onto /dev/null or /dev/stdout would be everybody's loss.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/str.h"
#include "container/internal.h"
#include "sys/sys.h"

int pid_file_prepare(struct arena *a, const char *path, struct pid_file *ret, struct err *e)
{
	const char *slash = strrchr(path, '/');
	const char *dir = ".";
	struct stat st;

	if (slash)
		dir = slash == path ? "/" : arena_strndup(a, path, (size_t)(slash - path));
	ret->name = slash ? slash + 1 : path;
	if (!ret->name[0])
		return err_user(e, path, "pid file '%s' is the name of a directory", path);
	if (dir_open(dir, &ret->dir, e) < 0)
		return err_note(e, "pid file '%s'", path);
	if (sys_fstatat(ret->dir.fd, ret->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    !S_ISREG(st.st_mode))
		return err_user(e, path, "pid file '%s' would replace what is no regular file",
				path);
	return 0;
}

int pid_file_write(struct pid_file *f, pid_t pid, struct err *e)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%d", (int)pid);

	if (f->dir.fd < 0)
		return 0;
	if (file_replace_at(&f->dir, f->name, 0644, text, (size_t)n, e) < 0)
		return err_note(e, "pid file");
	f->written = true;
	return 0;
}

void pid_file_remove(const struct pid_file *f)
{
	if (f->written)
		sys_unlinkat(f->dir.fd, f->name, 0);
}

void pid_file_close(struct pid_file *f)
{
	dir_close(&f->dir);
}
