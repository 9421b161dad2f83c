/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mgr_fs - the manager that makes and removes the directories itself
 *
 * A directory that exists already is taken only when nobody is in it and it is not
 * frozen: whoever is there would share the limits and be killed with the container, and
 * in a frozen one init would never run.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "base/trace.h"
#include "cgroup/internal.h"
#include "sys/sys.h"

#define DIR_MODE      0755
#define MAKE_TRIES    8	   /* a parent may be removed by somebody between two of our calls */
#define DRAIN_WAIT_MS 1000 /* a former container may still be on its way out */

/* --- directories that exist ------------------------------------------------------------------- */

static int refuse(struct err *e, const struct cgroup_dir *d, const char *what, const char *why)
{
	char name[DIR_TEXT_SIZE];

	cgroup_dir_name(d, name);
	return err_code(e, EBUSY, name, "container's cgroup %s: '%s' exists and %s", what, name,
			why);
}

static int refuse_frozen(struct err *e, const struct cgroup_dir *d)
{
	return refuse(e, d, "unexpectedly frozen", "is frozen");
}

static int refuse_occupied(struct err *e, const struct cgroup_dir *d)
{
	return refuse(e, d, "is not empty", "holds processes");
}

static int check_idle_v2(const struct cgroup *cg, const struct cgroup_dir *d, struct err *e)
{
	struct cgroup_events now;
	int r = cgroup_events_read(cg->v2, &now);

	if (r < 0)
		return cgroup_error(d, r, e, "read cgroup.events of");
	if (now.frozen == 1)
		return refuse_frozen(e, d);
	if (now.populated == 1 &&
	    cgroup_events_wait(cg->v2, "populated", 0, DRAIN_WAIT_MS) == -ETIMEDOUT)
		return refuse_occupied(e, d);
	return 0;
}

/* v1 says no more than who is in the directory itself; where there is a v2 tree, it tells. */
static int check_idle_v1(const struct cgroup *cg, const struct cgroup_dir *d, struct err *e)
{
	int64_t deadline = clock_now_ms() + DRAIN_WAIT_MS;
	unsigned turn = 0;
	char text[64];
	ssize_t n;

	if (cgroup_read_file(cg, d, "freezer.state", text, sizeof(text)) > 0 &&
	    !str_eq(text, "THAWED"))
		return refuse_frozen(e, d);
	do {
		n = cgroup_read_file(cg, d, "cgroup.procs", text, sizeof(text));
	} while (n > 0 && !cgroup_dir_v2(cg) && cgroup_v1_pause(&turn, deadline));
	if (n < 0)
		return cgroup_error(d, (int)n, e, "read cgroup.procs of");
	return n > 0 ? refuse_occupied(e, d) : 0;
}

/* --- making ----------------------------------------------------------------------------------- */

/* All but the last name of the path, as far as they are missing. */
static int make_parents(const struct cgroup *cg, struct cgroup_dir *d)
{
	char path[PATH_MAX];

	if (!str_copy(path, sizeof(path), d->at))
		return -ENAMETOOLONG;
	for (char *slash = path + d->prefix; (slash = strchr(slash, '/')); slash++) {
		int r;

		*slash = '\0';
		r = sys_mkdirat(cg->root.fd, path, DIR_MODE);
		*slash = '/';
		if (r == 0)
			d->n_made++;
		else if (r != -EEXIST)
			return r;
	}
	return 0;
}

static int open_v2(struct cgroup *cg, const struct cgroup_dir *d, struct err *e)
{
	cg->v2 = sys_openat(cg->root.fd, d->at, O_PATH | O_DIRECTORY, 0);
	if (cg->v2 < 0)
		return cgroup_error(d, cg->v2, e, "open");
	return 0;
}

/* What was there already can be anything, mounted by anybody. */
static int check_is_v2(const struct cgroup *cg, const struct cgroup_dir *d, struct err *e)
{
	struct statfs fs;

	if (sys_fstatfs(cg->v2, &fs) < 0 || fs.f_type != CGROUP2_SUPER_MAGIC)
		return err_code(e, ENOTSUP, d->path, "'%s/%s' is not a cgroup v2 directory",
				CGROUP_ROOT, d->at);
	return 0;
}

/*
 * Without privilege the kernel lets nobody be born into, or moved to, a cgroup unless
 * the one that it shares with ours may be written (cgroups(7), "Delegation
 * containment"): a directory that could be made is no use then.
 */
static int check_way_in(const struct cgroup *cg, const struct cgroup_dir *d, const char *self)
{
	char path[PATH_MAX];
	size_t same = 0;

	for (size_t i = 0; self[i] == d->path[i]; i++) {
		if (!self[i])
			break;
		if (self[i] == '/')
			same = i;
	}
	/* our own cgroup is itself above the container's */
	if (str_starts(d->path, self) && d->path[strlen(self)] == '/')
		same = strlen(self);
	if (snprintf(path, sizeof(path), "%.*s%.*s/cgroup.procs", (int)d->prefix, d->at, (int)same,
		     d->path) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return sys_faccessat(cg->root.fd, d->prefix ? path : path + 1, W_OK, AT_EACCESS);
}

/* 1: made, 0: it was there, -errno. */
static int make_path(struct cgroup *cg, struct cgroup_dir *d)
{
	for (int tries = 0; tries < MAKE_TRIES; tries++) {
		int r = sys_mkdirat(cg->root.fd, d->at, DIR_MODE);

		if (r == 0) {
			d->n_made++;
			d->made = true;
			return 1;
		}
		if (r == -EEXIST)
			return 0;
		if (r != -ENOENT)
			return r;
		r = make_parents(cg, d);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	return -ENOENT;
}

static bool no_permission(int r)
{
	return r == -EACCES || r == -EPERM || r == -EROFS;
}

/* An empty directory, alone or with what we made above it; or that alone, if it is not ours. */
static void unmake_dir(const struct cgroup *cg, struct cgroup_dir *d)
{
	char path[PATH_MAX];

	str_copy(path, sizeof(path), d->at);
	if (d->n_made > 0 && !d->made)
		*strrchr(path, '/') = '\0';
	while (d->n_made > 0 && sys_unlinkat(cg->root.fd, path, AT_REMOVEDIR) == 0) {
		d->n_made--;
		if (d->n_made > 0)
			*strrchr(path, '/') = '\0';
	}
}

static int make_dir(struct cgroup *cg, const struct cgroup_plan *p, struct cgroup_dir *d,
		    const struct cgroup_dir_plan *dp, bool adopt, struct err *e)
{
	int made = make_path(cg, d), r = made;

	trace(CGROUP, "make %s: %s", d->at, made < 0 ? errno_name(-made) : made ? "new" : "old");
	if (r >= 0 && p->rootless && !d->hierarchy) {
		r = check_way_in(cg, d, dp->self);
		if (r < 0)
			unmake_dir(cg, d);
	}
	d->absent = no_permission(r) && p->rootless && !dp->required;
	if (d->absent)
		return 0;
	if (r < 0)
		return cgroup_error(d, r, e, "make");
	if (!d->hierarchy && open_v2(cg, d, e) < 0)
		return -e->code;
	if (!made && !d->hierarchy && check_is_v2(cg, d, e) < 0)
		return -e->code;
	if (!made && !adopt &&
	    (d->hierarchy ? check_idle_v1(cg, d, e) : check_idle_v2(cg, d, e)) < 0)
		return -e->code;
	if (d->hierarchy && str_eq(dp->controllers, "cpuset"))
		return cgroup_cpuset_fill(cg, d, dp, e);
	return 0;
}

/* --- the whole -------------------------------------------------------------------------------- */

static void warn_absent(const struct cgroup *cg, const struct cgroup_plan *p)
{
	static const char said[] =
		"no permission to make cgroups, so these limits are not applied:";
	char text[sizeof(said) + 256];
	const size_t bare = sizeof(said) - 1;
	size_t used = bare;

	str_copy(text, sizeof(text), said);
	for (size_t i = 0; i < cg->n_dirs; i++) {
		const struct cgroup_dir_plan *dp = &p->dirs[i];

		if (!cg->dirs[i].absent)
			continue;
		for (size_t k = 0; k < dp->n_early + dp->n_late && used < sizeof(text); k++) {
			const struct cgroup_value *v =
				k < dp->n_early ? &dp->early[k] : &dp->late[k - dp->n_early];

			used += (size_t)snprintf(text + used, sizeof(text) - used, " %s", v->field);
		}
	}
	/* Whoever asked for a limit must not believe that it holds: said at every level. */
	if (used > bare)
		log_forward(LOG_LEVEL_WARNING, text);
}

static int write_early(struct cgroup *cg, const struct cgroup_plan *p, struct err *e)
{
	for (size_t i = 0; i < cg->n_dirs; i++)
		if (!cg->dirs[i].absent && cgroup_write_values(cg, &cg->dirs[i], p->dirs[i].early,
							       p->dirs[i].n_early, e) < 0)
			return -e->code;
	return 0;
}

/* config-linux.md: the directory @fd and the files that /sys/kernel/cgroup/delegate lists */
static int delegate(int fd, const struct cgroup_dir *d, const struct cgroup_plan *p, struct err *e)
{
	char list[1024], *save = NULL;
	int r = sys_fchownat(fd, "", p->delegate_uid, p->delegate_gid, AT_EMPTY_PATH);

	if (file_read_small(AT_FDCWD, "/sys/kernel/cgroup/delegate", list, sizeof(list)) <= 0)
		str_copy(list, sizeof(list),
			 "cgroup.procs\ncgroup.threads\ncgroup.subtree_control");
	for (char *name = strtok_r(list, "\n", &save); name && r == 0;
	     name = strtok_r(NULL, "\n", &save)) {
		r = sys_fchownat(fd, name, p->delegate_uid, p->delegate_gid, AT_SYMLINK_NOFOLLOW);
		if (r == -ENOENT) /* of a controller that is not enabled here */
			r = 0;
	}
	if (r < 0)
		return cgroup_error(d, r, e, "give uid %u", p->delegate_uid);
	return 0;
}

/* All on the way to the leaf, and the leaf, which can move processes among them. */
static int delegate_leaf(const struct cgroup *cg, const struct cgroup_plan *p, struct err *e)
{
	const char *name = cg->leaf.at + strlen(cg->dirs[0].at) + 1;
	size_t n = 0;

	do {
		auto_fd fd = -1;

		n += strcspn(name + n + (n > 0), "/") + (n > 0);
		fd = sys_openat(cg->v2, arena_strndup(cg->arena, name, n), O_PATH | O_DIRECTORY, 0);
		if (fd < 0)
			return cgroup_error(&cg->leaf, fd, e, "open");
		if (delegate(fd, &cg->leaf, p, e) < 0)
			return -e->code;
	} while (name[n]);
	return 0;
}

static int check_thawed(const struct cgroup *cg, struct err *e)
{
	struct cgroup_events now;
	int r = cgroup_events_read(cg->birth, &now);

	if (r < 0)
		return cgroup_error(&cg->leaf, r, e, "read cgroup.events of");
	return now.frozen == 1 ? refuse_frozen(e, &cg->leaf) : 0;
}

/* Where the processes will be; nobody is in it, as nobody is in what it is below. */
static int make_leaf(struct cgroup *cg, const struct cgroup_plan *p, struct err *e)
{
	int made;

	cgroup_set_leaf(cg, p->leaf);
	made = make_path(cg, &cg->leaf);
	trace(CGROUP, "make %s: %s", cg->leaf.at, made < 0 ? errno_name(-made) : "done");
	if (made < 0)
		return cgroup_error(&cg->leaf, made, e, "make");
	cg->birth = sys_openat(cg->root.fd, cg->leaf.at, O_PATH | O_DIRECTORY, 0);
	if (cg->birth < 0)
		return cgroup_error(&cg->leaf, cg->birth, e, "open");
	if (!made && check_thawed(cg, e) < 0)
		return -e->code;
	return p->delegate ? delegate_leaf(cg, p, e) : 0;
}

int cgroup_fs_build(struct cgroup *cg, const struct cgroup_plan *p, bool adopt, struct err *e)
{
	struct cgroup_dir *v2;

	for (size_t i = 0; i < cg->n_dirs; i++)
		if (make_dir(cg, p, &cg->dirs[i], &p->dirs[i], adopt, e) < 0)
			return -e->code;
	warn_absent(cg, p);
	v2 = cgroup_dir_v2(cg);
	if (v2 && cgroup_enable(cg, p->dirs[0].controllers, e) < 0)
		return -e->code;
	if (write_early(cg, p, e) < 0)
		return -e->code;
	if (v2 && cgroup_attach_devices(cg, p, !v2->n_made, cg->hints, e) < 0)
		return -e->code;
	if (v2 && p->named && cgroup_named_make(cg, e) < 0)
		return -e->code;
	if (v2 && p->leaf && make_leaf(cg, p, e) < 0)
		return -e->code;
	return v2 && p->delegate ? delegate(cg->v2, v2, p, e) : 0;
}

/* What this call has made, and no more: others may have come into a directory that was there. */
void cgroup_fs_unmake(struct cgroup *cg)
{
	if (cg->leaf.at)
		unmake_dir(cg, &cg->leaf);
	if (cg->named.n_made)
		cgroup_named_remove(cg, false);
	for (size_t i = 0; i < cg->n_dirs; i++)
		unmake_dir(cg, &cg->dirs[i]);
}

static int fs_create(struct cgroup *cg, const struct cgroup_plan *p, struct err *e)
{
	if (cgroup_fs_build(cg, p, false, e) == 0)
		return 0;
	cgroup_fs_unmake(cg);
	return -e->code;
}

const struct cgroup_manager_ops cgroup_fs_ops = { "cgroupfs", fs_create, cgroup_remove_dirs };
