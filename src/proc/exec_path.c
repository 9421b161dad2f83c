/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec_path - where the program is
 *
 * Looked up in create, in the container, as the final user; callers tell a missing
 * program from one that may not be executed by the words below. Files are only opened
 * with O_PATH: a FIFO cannot stop us and a device does not notice. Links of /proc are not
 * followed, since what they lead to is not the container's.
 */
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>

#include "base/fd.h"
#include "base/str.h"
#include "proc/explain.h"
#include "sys/sys.h"

#define CAP_BIT(cap)  (1ULL << (cap))
#define OVERRIDE_CAPS (CAP_BIT(CAP_DAC_OVERRIDE) | CAP_BIT(CAP_DAC_READ_SEARCH))

/* --- is this one it? ------------------------------------------------------------------------- */

enum { NOT_EXECUTABLE = 1 }; /* it is there, a file, and we may not */

/* 0: a program that we may execute, NOT_EXECUTABLE, -EISDIR, or why it cannot be reached. */
static int probe(const char *path)
{
	auto_fd fd = sys_openat2(AT_FDCWD, path, O_PATH, 0, RESOLVE_NO_MAGICLINKS);
	struct stat st;
	int r;

	if (fd < 0)
		return fd;
	r = sys_fstat(fd, &st);
	if (r < 0)
		return r;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	r = S_ISREG(st.st_mode) ? sys_faccessat(fd, "", X_OK, AT_EACCESS | AT_EMPTY_PATH) : -EACCES;
	return r == -EACCES ? NOT_EXECUTABLE : r;
}

static bool caps_raise(const struct proc_plan *p, struct sys_caps *former)
{
	uint64_t wanted = p->process->caps.effective & OVERRIDE_CAPS;
	struct sys_caps now;

	if (!wanted || sys_capget(former) < 0)
		return false;
	now = *former;
	now.effective |= wanted & now.permitted;
	return now.effective != former->effective && sys_capset(&now) == 0;
}

/* At the gate the effective set is empty, but execve will have the configured one. */
static int probe_as_payload(const struct proc_plan *p, const char *path)
{
	struct sys_caps former;
	int r = probe(path);

	if (r != NOT_EXECUTABLE && r != -EACCES)
		return r;
	if (!caps_raise(p, &former))
		return r;
	r = probe(path);
	sys_capset(&former);
	return r;
}

/* --- the search ------------------------------------------------------------------------------ */

static const char *search_path(const struct proc_plan *p)
{
	for (size_t i = 0; i < p->n_env; i++)
		if (str_starts(p->env[i], "PATH="))
			return p->env[i] + strlen("PATH=");
	return "";
}

/* An empty element of PATH is the working directory; execvp(3). */
static const char *candidate(struct arena *a, const char *dirs, const char *name)
{
	size_t n = strcspn(dirs, ":");

	return n ? arena_printf(a, "%.*s/%s", (int)n, dirs, name) : arena_printf(a, "./%s", name);
}

/* What follows the next element, or NULL after the last. */
static const char *next_dir(const char *dirs)
{
	dirs += strcspn(dirs, ":");
	return *dirs ? dirs + 1 : NULL;
}

/* @closed: none of @dirs may be searched, as under a root that is closed to the user */
static int not_found(struct arena *a, const char *dirs, const char *name, bool closed,
		     struct err *e)
{
	const char *why = NULL;

	err_code(e, ENOENT, name, "exec: \"%s\": executable file not found in $PATH", name);
	for (; dirs && !why; dirs = next_dir(dirs)) {
		const char *path = candidate(a, dirs, name);
		struct stat st;

		if (closed || (sys_fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			       S_ISLNK(st.st_mode)))
			why = explain_passed_over(a, path);
		if (why)
			err_code(e, ENOENT, name,
				 "exec: \"%s\": executable file not found in $PATH: '%s' %s", name,
				 path, why);
	}
	return err_set_id(e, "exec-not-found");
}

static int denied(struct arena *a, const char *name, const char *path, struct err *e)
{
	const char *why = explain_passed_over(a, path);

	if (why)
		err_code(e, EACCES, name, "exec: \"%s\": '%s' %s: permission denied", name, path,
			 why);
	else
		err_code(e, EACCES, name, "exec: \"%s\": permission denied", name);
	return err_set_id(e, "exec-denied");
}

static int find_in_path(struct arena *a, const struct proc_plan *p, const char *name,
			const char **ret, struct err *e)
{
	const char *first = search_path(p), *refused = NULL;
	bool closed = true;

	if (!*first || !*name)
		first = NULL;
	for (const char *dirs = first; dirs; dirs = next_dir(dirs)) {
		const char *path = candidate(a, dirs, name);
		int r = probe_as_payload(p, path);

		if (r == 0) {
			*ret = path;
			return 0;
		}
		if (r == NOT_EXECUTABLE && !refused)
			refused = path;
		closed = closed && r == -EACCES;
	}
	return refused ? denied(a, name, refused, e) : not_found(a, first, name, closed, e);
}

static int check_file(struct arena *a, const struct proc_plan *p, const char *name, struct err *e)
{
	int r = probe_as_payload(p, name);
	const char *why, *id;

	if (r == 0)
		return 0;
	if (r == -EISDIR) {
		err_code(e, EACCES, name, "exec: \"%s\": is a directory: permission denied", name);
		return err_set_id(e, "exec-denied");
	}
	if (r == NOT_EXECUTABLE)
		r = -EACCES;
	why = proc_explain_exec(a, name, -r, &id);
	if (why) {
		err_code(e, -r, name, "exec: \"%s\": %s: %s", name, why, errno_text(-r));
		return err_set_id(e, id);
	}
	err_code(e, -r, name, "exec: \"%s\": stat %s: %s", name, name, errno_text(-r));
	return err_set_id(e, r == -EACCES ? "exec-denied" : "exec-not-found");
}

int proc_find_exec(struct arena *a, const struct proc_plan *p, const char **ret_path, struct err *e)
{
	const char *name = p->args[0];
	int r;

	if (!strchr(name, '/'))
		return find_in_path(a, p, name, ret_path, e);
	r = check_file(a, p, name, e);
	if (r < 0)
		return r;
	*ret_path = name;
	return 0;
}
