/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manager - who makes and removes the directories
 *
 * The manager that made a container's cgroup is recorded with it, and later commands
 * use that one whatever their command line says. Everything else, killing, freezing,
 * waiting, values, is the same for all.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "cgroup/internal.h"
#include "sys/sys.h"

static int disabled_create(struct cgroup *cg, const struct cgroup_plan *p, struct err *e)
{
	(void)cg;
	(void)p;
	(void)e;
	return 0;
}

static int disabled_remove(struct cgroup *cg, struct err *e)
{
	(void)cg;
	(void)e;
	return 0;
}

static const struct cgroup_manager_ops disabled_ops = { "disabled", disabled_create,
							disabled_remove };

static const struct cgroup_manager_ops *const managers[] = {
	[CGROUP_FS] = &cgroup_fs_ops,
	[CGROUP_SYSTEMD] = &cgroup_systemd_ops,
	[CGROUP_DISABLED] = &disabled_ops,
};

const struct cgroup_manager_ops *cgroup_manager(enum cgroup_manager m)
{
	return managers[m];
}

int cgroup_manager_from_name(const char *name)
{
	for (size_t i = 0; i < COUNT(managers); i++)
		if (str_eq(managers[i]->name, name))
			return (int)i;
	return -EINVAL;
}

/* --- create ----------------------------------------------------------------------------------- */

static void fill_dir(struct arena *a, const struct cgroup_plan *p, size_t i, struct cgroup_dir *d)
{
	const char *folder = p->dirs[i].hierarchy;

	if (!folder && p->host == HOST_CGROUP_HYBRID)
		folder = "unified";
	d->hierarchy = p->dirs[i].hierarchy;
	d->at = arena_printf(a, "%s%s", folder ? folder : "",
			     folder ? p->dirs[i].path : p->dirs[i].path + 1);
	d->prefix = folder ? strlen(folder) + 1 : 0;
	d->path = p->dirs[i].path;
}

static int no_cgroups(const struct cgroup_plan *p, struct err *e)
{
	if (p->manager == CGROUP_DISABLED || (p->rootless && !p->required))
		return 0;
	return err_code(e, ENOTSUP, CGROUP_ROOT,
			"no cgroup file system is mounted at '%s' "
			"(--cgroup-manager=disabled does without)",
			CGROUP_ROOT);
}

int cgroup_create(struct arena *a, const struct cgroup_plan *p, int hints, struct cgroup **ret,
		  struct err *e)
{
	struct cgroup *cg = NULL;
	const struct cgroup_dir *first;

	if (!p->n_dirs && no_cgroups(p, e) < 0)
		return -e->code;
	if (cgroup_new(a, p->manager, p->n_dirs, &cg, e) < 0)
		return -e->code;
	for (size_t i = 0; i < p->n_warnings; i++)
		log_warning("%s", p->warnings[i]);
	cg->hints = hints;
	cg->n_dirs = p->n_dirs;
	for (size_t i = 0; i < p->n_dirs; i++)
		fill_dir(a, p, i, &cg->dirs[i]);
	if (cg->ops->create(cg, p, e) < 0) {
		cgroup_close(cg);
		return -e->code;
	}
	first = cgroup_dir_main(cg);
	cg->inode = first ? cgroup_dir_inode(cg, first) : 0;
	*ret = cg;
	return 0;
}

/* --- the way in ------------------------------------------------------------------------------- */

bool cgroup_needs_join(const struct cgroup *cg)
{
	for (size_t i = 0; i < cg->n_dirs; i++)
		if (cg->dirs[i].hierarchy && !cg->dirs[i].absent)
			return true;
	return cg->named.at;
}

int cgroup_join(struct cgroup *cg, pid_t pid, struct err *e)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", (int)pid);
	for (size_t i = 0; i < cg->n_dirs; i++) {
		const struct cgroup_dir *d = &cg->dirs[i];
		int r;

		if (!d->hierarchy || d->absent)
			continue;
		r = cgroup_write_file(cg, d, "cgroup.procs", text);
		if (r < 0)
			return cgroup_error(d, r, e, "move process %d to", (int)pid);
	}
	return cg->named.at ? cgroup_named_join(cg, text, e) : 0;
}

int cgroup_of_process(pid_t pid, const char *controller, char *path, size_t size)
{
	char name[32], text[8192], *rest = text;
	ssize_t n;

	snprintf(name, sizeof(name), "/proc/%d/cgroup", (int)pid);
	n = file_read_small(AT_FDCWD, name, text, sizeof(text));
	if (n < 0)
		return (int)n;
	for (char *line; (line = strsep(&rest, "\n"));) {
		const char *words = strsep(&line, ":") && line ? strsep(&line, ":") : NULL;

		if (line && (*controller ? str_has_word(words, controller) : !*words))
			return str_copy(path, size, line) ? 0 : -ENAMETOOLONG;
	}
	return -ENODATA;
}

int cgroup_open_below(struct cgroup *cg, pid_t pid, struct err *e)
{
	const struct cgroup_dir *d = cgroup_dir_v2(cg);
	char path[PATH_MAX];
	int r = d && cg->v2 >= 0 ? cgroup_of_process(pid, "", path, sizeof(path)) : -ENODEV;
	size_t len = r == 0 ? strlen(d->path) : 0;

	if (r == 0 && (!str_starts(path, d->path) || path[len] != '/'))
		return err_code(
			e, EBUSY, d->path,
			"cgroup '%s' takes no process, and process %d is in '%s', not below it",
			d->path, (int)pid, path);
	if (r == 0)
		r = sys_openat2(cg->v2, path + len + 1, O_PATH | O_DIRECTORY | O_CLOEXEC, 0,
				RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
	if (r < 0)
		return err_sys(e, -r, NULL, "find the cgroup of process %d", (int)pid);
	return r;
}

int cgroup_open_leaf(struct cgroup *cg, pid_t pid, int *ret, struct err *e)
{
	char path[PATH_MAX];
	int r;

	*ret = -1;
	if (!cg->leaf.at || cg->v2 < 0)
		return 0;
	r = sys_openat(cg->root.fd, cg->leaf.at, O_PATH | O_DIRECTORY, 0);
	if (r < 0 && !cgroup_is_gone(r))
		return cgroup_error(&cg->leaf, r, e, "open");
	if (r < 0 && cgroup_of_process(pid, "", path, sizeof(path)) == 0 &&
	    str_eq(path, cg->dirs[0].path))
		return 0;
	if (r < 0)
		r = cgroup_open_below(cg, pid, e);
	if (r < 0)
		return r;
	*ret = r;
	return 0;
}

int cgroup_apply_late(struct cgroup *cg, const struct cgroup_plan *p, struct err *e)
{
	for (size_t i = 0; i < cg->n_dirs; i++)
		if (!cg->dirs[i].absent && cgroup_write_values(cg, &cg->dirs[i], p->dirs[i].late,
							       p->dirs[i].n_late, e) < 0)
			return -e->code;
	return 0;
}

int cgroup_remove(struct cgroup *cg, struct err *e)
{
	return cg->ops->remove(cg, e);
}
