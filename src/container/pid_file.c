/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pid_file - the pid for those who read files
 *
 * Digits only, because readers convert the raw bytes; complete at the moment when the
 * name appears; never left behind by a creation that failed (callers.md rows 8-10).
 */
#include <stdio.h>

#include "base/file.h"
#include "base/str.h"
#include "container/internal.h"
#include "sys/sys.h"

int pid_file_prepare(struct arena *a, const char *path, struct pid_file *ret, struct err *e)
{
	const char *slash = strrchr(path, '/');
	const char *dir = ".";

	if (slash)
		dir = slash == path ? "/" : arena_strndup(a, path, (size_t)(slash - path));
	ret->name = slash ? slash + 1 : path;
	if (!ret->name[0])
		return err_user(e, path, "pid file '%s' is the name of a directory", path);
	if (dir_open(dir, &ret->dir, e) < 0)
		return err_note(e, "pid file '%s'", path);
	return 0;
}

int pid_file_write(const struct pid_file *f, pid_t pid, struct err *e)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%d", (int)pid);

	if (f->dir.fd < 0)
		return 0;
	if (file_replace_at(&f->dir, f->name, 0644, text, (size_t)n, e) < 0)
		return err_note(e, "pid file");
	return 0;
}

void pid_file_remove(const struct pid_file *f)
{
	if (f->dir.fd >= 0)
		sys_unlinkat(f->dir.fd, f->name, 0);
}

void pid_file_close(struct pid_file *f)
{
	dir_close(&f->dir);
}
