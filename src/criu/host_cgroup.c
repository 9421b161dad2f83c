/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host_cgroup - what CRIU does to the host's cgroup v2 tree, undone
 *
 * To look at cgroups CRIU mounts cgroup2 once more, in the initial cgroup namespace and
 * without options. The kernel takes the options of the newest such mount for the whole
 * hierarchy (cgroups(7), "Delegation"): nsdelegate is gone then, and with it the borders
 * between what was delegated to users, until the next boot. So the options are read
 * before CRIU begins and put back when it is gone, whatever came of its work.
 *
 * Two may be at it at once, and the second would read what the first one's CRIU has left.
 * So whoever is alone notes the options at the tree's root, in an attribute, and who is not
 * takes them from there; a shared lock (flock(2)) on that directory tells which. Nobody waits
 * for a lock, which any user may hold: the worst that comes of it is an old note.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "criu/host_cgroup.h"
#include "sys/sys.h"

#define MOUNTS	  "/proc/self/mountinfo"
#define TEXT_MAX  (16 << 20)
#define NOTE	  "trusted.cleat.options"
#define NOTE_MAX  255
#define SEPARATOR " - cgroup2 " /* proc_pid_mountinfo(5): type, source, options */

/* Word @n (from 0) behind @at, which a blank ends. */
static const char *word(struct arena *a, const char *at, int n)
{
	for (; n > 0 && *at; n--) {
		at += strcspn(at, " \n");
		at += *at == ' ';
	}
	return arena_strndup(a, at, strcspn(at, " \n"));
}

static bool read_mountinfo(struct arena *a, struct host_cgroup *ret)
{
	struct err e = { 0 };
	char *text, *line, *found;

	if (file_read_at(AT_FDCWD, MOUNTS, a, TEXT_MAX, &text, &e) < 0)
		return false;
	found = strstr(text, SEPARATOR);
	if (!found)
		return false;
	for (line = found; line > text && line[-1] != '\n';)
		line--;
	ret->path = word(a, line, 4);
	ret->options = word(a, found + strlen(SEPARATOR), 1);
	return true;
}

static const char *read_note(struct arena *a, int dir)
{
	char *text = arena_alloc(a, NOTE_MAX + 1);
	ssize_t n = sys_fgetxattr(dir, NOTE, text, NOTE_MAX);

	if (n <= 0)
		return NULL;
	text[n] = '\0';
	return text;
}

void host_cgroup_begin(struct arena *a, struct host_cgroup *ret)
{
	const char *note = NULL;

	*ret = (struct host_cgroup){ .dir = -1 };
	if (!read_mountinfo(a, ret))
		return;
	ret->dir = sys_open(ret->path, O_RDONLY | O_DIRECTORY, 0);
	if (ret->dir < 0)
		return;
	if (sys_flock(ret->dir, LOCK_EX | LOCK_NB) == 0)
		sys_fsetxattr(ret->dir, NOTE, ret->options, strlen(ret->options));
	else
		note = read_note(a, ret->dir);
	if (note)
		ret->options = note;
	sys_flock(ret->dir, LOCK_SH | LOCK_NB);
}

static int set_options(struct arena *a, int fs, const char *options)
{
	char *copy = arena_strdup(a, options), *save = NULL;

	for (char *w = strtok_r(copy, ",", &save); w; w = strtok_r(NULL, ",", &save)) {
		int r = str_eq(w, "rw") ? 0 : sys_fsconfig(fs, FSCONFIG_SET_FLAG, w, NULL, 0);

		if (r < 0)
			return r;
	}
	return sys_fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0);
}

static void put_back(struct arena *a, const struct host_cgroup *before)
{
	struct host_cgroup now;
	auto_fd fs = -1;
	int r;

	if (!read_mountinfo(a, &now) || str_eq(now.options, before->options))
		return;
	fs = sys_fspick(AT_FDCWD, before->path, 0);
	r = fs < 0 ? fs : set_options(a, fs, before->options);
	if (r < 0)
		log_warning("criu has changed the options of '%s' from '%s' to '%s', which cannot "
			    "be undone: %s",
			    before->path, before->options, now.options, errno_text(-r));
}

void host_cgroup_end(struct arena *a, struct host_cgroup *h)
{
	if (!h->path)
		return;
	put_back(a, h);
	if (h->dir >= 0 && sys_flock(h->dir, LOCK_EX | LOCK_NB) == 0)
		sys_fremovexattr(h->dir, NOTE); /* the last one */
	fd_close(&h->dir);
}
