/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>

#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "ocispec/runtime.h"
#include "rdt/rdt.h"
#include "rdt/schemata.h"
#include "sys/sys.h"

#define GROUP_MODE   0755
#define SCHEMATA_MAX 65536
#define RESCTRL_ROOT "/sys/fs/resctrl"

/* --- files of a group ------------------------------------------------------------------------- */

/* The kernel says in words what it did not like. */
static int refused(const struct rdt_fs *fs, int r, const char *action, const char *group,
		   struct err *e)
{
	char words[128] = "";

	if (file_read_small(fs->dir.fd, "info/last_cmd_status", words, sizeof(words)) <= 0 ||
	    str_eq(words, "ok"))
		return err_sys(e, -r, group, "%s resctrl group", action);
	return err_code(e, -r, group, "%s resctrl group '%s': %s (%s)", action, group,
			errno_text(-r), words);
}

static int write_file(const struct rdt_fs *fs, const char *group, const char *file,
		      const char *value)
{
	auto_fd fd = -1;
	char path[PATH_MAX];
	ssize_t n;

	if (snprintf(path, sizeof(path), "%s/%s", group, file) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = sys_openat(fs->dir.fd, path, O_WRONLY | O_NOFOLLOW, 0);
	if (fd < 0)
		return fd;
	/* one call: the kernel takes a write for the whole of it */
	n = sys_write(fd, value, strlen(value));
	return n < 0 ? (int)n : n == (ssize_t)strlen(value) ? 0 : -EIO;
}

static int read_number(const struct rdt_fs *fs, const char *path, uint64_t *ret)
{
	char text[32];

	*ret = 0;
	return file_read_small(fs->dir.fd, path, text, sizeof(text)) > 0 ? str_to_u64(text, ret)
									 : -ENOENT;
}

static bool is_empty(const struct rdt_fs *fs, const char *group)
{
	char path[PATH_MAX], text[8];

	snprintf(path, sizeof(path), "%s/tasks", group);
	return file_read_small(fs->dir.fd, path, text, sizeof(text)) <= 0;
}

/* --- making ----------------------------------------------------------------------------------- */

static int write_schemata(const struct rdt_fs *fs, const char *group, const char *lines,
			  struct err *e)
{
	int r = lines ? write_file(fs, group, "schemata", lines) : 0;

	return r < 0 ? refused(fs, r, "write the schemata of", group, e) : 0;
}

static int compare(struct arena *a, const struct rdt_fs *fs, const struct rdt_plan *p,
		   const char *present, const char *wanted, struct err *e)
{
	struct rdt_bandwidth mb;
	const char *line;

	if (!wanted)
		return 0;
	read_number(fs, "info/MB/min_bandwidth", &mb.min);
	read_number(fs, "info/MB/bandwidth_gran", &mb.step);
	line = schemata_missing(a, wanted, present, &mb);
	return line ? err_user(e, "linux.intelRdt",
			       "linux.intelRdt: the class '%s' exists and does not have the schema "
			       "'%s'",
			       p->group, line)
		    : 0;
}

/* "the runtime MUST compare ... and generate an error if it doesn't match" */
static int check_schemata(struct arena *a, const struct rdt_fs *fs, const struct rdt_plan *p,
			  struct err *e)
{
	char path[PATH_MAX], *present;

	if (!p->schema && !p->schemata)
		return 0;
	snprintf(path, sizeof(path), "%s/schemata", p->group);
	if (file_read_at(fs->dir.fd, path, a, SCHEMATA_MAX, &present, e) < 0)
		return -e->code;
	if (compare(a, fs, p, present, p->schema, e) < 0)
		return -e->code;
	return compare(a, fs, p, present, p->schemata, e);
}

/* 1: made, 0: it was there. */
static int make_dir(const struct rdt_fs *fs, const char *name, struct err *e)
{
	int r = fs->make(fs->dir.fd, name, GROUP_MODE);

	if (r == -EEXIST)
		return 0;
	if (r == -ENOSPC)
		return err_code(e, ENOSPC, name,
				"make resctrl group '%s': this machine has no more of them "
				"(info/*/num_closids, num_rmids)",
				name);
	return r < 0 ? refused(fs, r, "make", name, e) : 1;
}

/* What has our name is ours, but not while somebody is in it. */
static int make_own(const struct rdt_fs *fs, const char *name, bool *ret_made, struct err *e)
{
	int r = make_dir(fs, name, e);

	if (r < 0)
		return r;
	if (r == 0 && !is_empty(fs, name))
		return err_code(e, EBUSY, name, "resctrl group '%s' exists and holds processes",
				name);
	*ret_made = true;
	return 0;
}

static int make_class(struct arena *a, const struct rdt_fs *fs, const struct rdt_plan *p,
		      bool *ret_made, struct err *e)
{
	struct stat st;
	int r;

	if (p->own)
		return make_own(fs, p->group, ret_made, e);
	if (p->must_exist || str_eq(p->group, "."))
		r = sys_fstatat(fs->dir.fd, p->group, &st, AT_SYMLINK_NOFOLLOW);
	else
		r = make_dir(fs, p->group, e);
	if (r == -ENOENT && p->must_exist)
		return err_code(
			e, ENOENT, p->group,
			"linux.intelRdt.closID: the class '%s' does not exist, and there is "
			"no schema to make it with",
			p->group);
	if (r < 0)
		return e->code ? r : err_sys(e, -r, p->group, "look at resctrl group");
	*ret_made = r == 1;
	return r == 1 ? 0 : check_schemata(a, fs, p, e);
}

int rdt_make(struct arena *a, const struct rdt_fs *fs, const struct rdt_plan *p,
	     struct rdt_made *ret, struct err *e)
{
	struct rdt_made made = { 0 };
	int r;

	*ret = made;
	if (!p->wanted)
		return 0;
	r = make_class(a, fs, p, &made.group, e);
	if (r == 0 && made.group)
		r = write_schemata(fs, p->group, p->schema, e);
	if (r == 0 && made.group)
		r = write_schemata(fs, p->group, p->schemata, e);
	if (r == 0 && p->monitor)
		r = make_own(fs, p->monitor, &made.monitor, e);
	if (r < 0) {
		rdt_unmake(fs, p, &made);
		return r;
	}
	*ret = made;
	return 0;
}

/* The class first: a monitoring group takes only those who are in its class. */
int rdt_join(const struct rdt_fs *fs, const struct rdt_plan *p, pid_t pid, struct err *e)
{
	char text[16];
	int r;

	if (!p->wanted)
		return 0;
	snprintf(text, sizeof(text), "%d", (int)pid);
	r = write_file(fs, p->group, "tasks", text);
	if (r < 0)
		return refused(fs, r, "put the process into", p->group, e);
	r = p->monitor ? write_file(fs, p->monitor, "tasks", text) : 0;
	return r < 0 ? refused(fs, r, "put the process into", p->monitor, e) : 0;
}

int rdt_update(struct arena *a, const struct rdt_fs *fs, const char *group, const char *l3,
	       const char *bandwidth, struct err *e)
{
	const char *lines = arena_printf(
		a, "%s%s%s%s", l3 ? l3 : "", l3 && !str_ends(l3, "\n") ? "\n" : "",
		bandwidth ? bandwidth : "", bandwidth && !str_ends(bandwidth, "\n") ? "\n" : "");

	return write_schemata(fs, group, *lines ? lines : NULL, e);
}

/* --- removing --------------------------------------------------------------------------------- */

static int remove_group(const struct rdt_fs *fs, const char *group, bool only_empty, struct err *e)
{
	int r;

	if (only_empty && !is_empty(fs, group))
		return 0;
	r = fs->remove(fs->dir.fd, group, AT_REMOVEDIR);
	return r < 0 && r != -ENOENT ? refused(fs, r, "remove", group, e) : 0;
}

void rdt_unmake(const struct rdt_fs *fs, const struct rdt_plan *p, const struct rdt_made *made)
{
	struct err e = { 0 };

	if (made->monitor && remove_group(fs, p->monitor, false, &e) < 0)
		log_warning("%s", e.text);
	if (made->group && remove_group(fs, p->group, false, &e) < 0)
		log_warning("%s", e.text);
}

void rdt_record(struct arena *a, const struct rdt_plan *p, struct cleat_state_file *state)
{
	struct cleat_state_intel_rdt *r;

	if (!p->wanted)
		return;
	r = arena_new(a, struct cleat_state_intel_rdt);
	r->group = p->group;
	r->monitoring_group = p->monitor;
	r->remove = p->own;
	r->has_remove = true;
	state->intel_rdt = r;
}

int rdt_remove(const struct rdt_fs *fs, const struct cleat_state_file *state, bool only_empty,
	       struct err *e)
{
	const struct cleat_state_intel_rdt *r = state->intel_rdt;

	if (!r)
		return 0;
	if (r->monitoring_group && remove_group(fs, r->monitoring_group, only_empty, e) < 0)
		return -e->code;
	return r->remove && r->group ? remove_group(fs, r->group, only_empty, e) : 0;
}

/* --- the file system -------------------------------------------------------------------------- */

int rdt_open(struct rdt_fs *ret, struct err *e)
{
	struct statfs fs;
	auto_dir dir = DIR_NONE;
	int r = dir_open(RESCTRL_ROOT, &dir, e);

	if (r == 0 && sys_fstatfs(dir.fd, &fs) == 0 && fs.f_type == RDTGROUP_SUPER_MAGIC) {
		*ret = (struct rdt_fs){ .dir = dir, .make = sys_mkdirat, .remove = sys_unlinkat };
		dir = DIR_NONE;
		return 0;
	}
	err_clear(e);
	return err_code(e, ENODEV, "linux.intelRdt",
			"linux.intelRdt: resctrl is not mounted at " RESCTRL_ROOT);
}
