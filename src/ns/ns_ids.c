/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ns_ids - the id maps of a new user namespace (user_namespaces(7))
 *
 * A privileged parent writes them; an unprivileged one may write one line for its
 * own id, after it has denied setgroups(2), and needs newuidmap(1) and newgidmap(1)
 * for more. Each map is read back.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/helper.h"
#include "base/str.h"
#include "ns/ns.h"
#include "sys/sys.h"

/* The kernel takes 340 lines; with three numbers of ten digits each that is below 16 KiB. */
#define MAP_TEXT_MAX 16384

struct map_kind {
	const char *file;   /* below /proc/PID */
	const char *helper; /* file name of the set-id helper */
	const char *given;  /* what it allows */
	const char *field;
};

static const struct map_kind uid_kind = { "uid_map", "newuidmap", "/etc/subuid",
					  "linux.uidMappings" };
static const struct map_kind gid_kind = { "gid_map", "newgidmap", "/etc/subgid",
					  "linux.gidMappings" };

static const char *map_text(struct arena *a, const struct id_map *maps, size_t n)
{
	char *text = arena_alloc(a, MAP_TEXT_MAX);
	size_t len = 0;

	for (size_t i = 0; i < n; i++)
		len += (size_t)snprintf(text + len, MAP_TEXT_MAX - len, "%u %u %u\n",
					maps[i].inside, maps[i].outside, maps[i].size);
	return text;
}

/* Helpers are not looked for in PATH: podman gives none, and a caller's may be anything. */
static const char *helper_path(struct arena *a, const char *name)
{
	static const char *const dirs[] = { "/usr/bin", "/usr/local/bin", "/bin", "/usr/sbin" };

	for (size_t i = 0; i < COUNT(dirs); i++) {
		const char *path = arena_printf(a, "%s/%s", dirs[i], name);

		if (sys_faccessat(AT_FDCWD, path, X_OK, 0) == 0)
			return path;
	}
	return NULL;
}

/* A helper has its rights by its set-user-ID bit or by file capabilities; capabilities(7). */
static bool has_own_rights(const char *path)
{
	auto_fd fd = sys_open(path, O_RDONLY, 0);
	struct stat st;

	if (fd < 0 || sys_fstat(fd, &st) < 0)
		return true;
	return st.st_mode & S_ISUID || sys_fgetxattr(fd, "security.capability", NULL, 0) > 0;
}

static int helper_error(const struct map_kind *k, const char *path, struct err *e)
{
	if (sys_prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		return err_note(e, "the caller's no_new_privs keeps %s from its rights", k->helper);
	if (!has_own_rights(path))
		return err_note(e, "%s is not set-user-ID root, nor has it file capabilities",
				path);
	return err_note(e, "beside one's own id only those can be mapped that %s gives", k->given);
}

static int map_by_helper(struct arena *a, const struct map_kind *k, pid_t pid,
			 const struct id_map *maps, size_t n, struct err *e)
{
	const char **argv = arena_new_n(a, 3 + 3 * n, const char *);
	const char *path = helper_path(a, k->helper);
	struct helper h = { .what = k->helper,
			    .path = path,
			    .argv = argv,
			    .cwd_fd = -1,
			    .stdout_fd = -1,
			    .stderr_fd = -1,
			    .timeout_ms = 10000 };
	size_t argc = 0;

	if (!path)
		return err_code(e, ENOENT, k->helper,
				"mapping more ids than one's own needs %s, which is not installed",
				k->helper);
	argv[argc++] = k->helper;
	argv[argc++] = arena_printf(a, "%d", (int)pid);
	for (size_t i = 0; i < n; i++) {
		argv[argc++] = arena_printf(a, "%u", maps[i].inside);
		argv[argc++] = arena_printf(a, "%u", maps[i].outside);
		argv[argc++] = arena_printf(a, "%u", maps[i].size);
	}
	return helper_run(&h, e) < 0 ? helper_error(k, path, e) : 0;
}

static int map_read_back(const struct dir *d, const struct map_kind *k, const struct id_map *maps,
			 size_t n, struct err *e)
{
	auto_arena a = arena_make();
	char *text, *line, *save = NULL;
	size_t i = 0;
	ssize_t len = file_read_at(d->fd, k->file, &a, MAP_TEXT_MAX * 2, &text, e);

	if (len < 0)
		return (int)len;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save), i++) {
		struct id_map m;

		if (i >= n || str_cut_u32(&line, " ", &m.inside) < 0 ||
		    str_cut_u32(&line, " ", &m.outside) < 0 ||
		    str_cut_u32(&line, " ", &m.size) < 0 || m.inside != maps[i].inside ||
		    m.outside != maps[i].outside || m.size != maps[i].size)
			break;
	}
	if (i != n || line)
		return err_code(e, EIO, k->file, "%s reads back other than it was written",
				k->file);
	return 0;
}

/* Are these ids of the user namespace that we are in ourselves? */
static bool is_here(char *own, const struct id_map *m)
{
	char *line, *save = NULL;

	for (line = strtok_r(own, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct id_map here;

		if (str_cut_u32(&line, " ", &here.inside) < 0 ||
		    str_cut_u32(&line, " ", &here.outside) < 0 ||
		    str_cut_u32(&line, " ", &here.size) < 0)
			return true;
		if (m->outside >= here.inside && m->outside - here.inside < here.size &&
		    m->size <= here.size - (m->outside - here.inside))
			return true;
	}
	return false;
}

/* Who is root of a user namespace has a hostID that is one of the host above, like the user's. */
static int map_error(const struct dir *proc, const struct map_kind *k, const struct id_map *maps,
		     size_t n, struct err *e)
{
	auto_arena a = arena_make();
	const char *name = arena_printf(&a, "self/%s", k->file);
	char *own;

	if (e->code != EPERM || file_read_at(proc->fd, name, &a, MAP_TEXT_MAX * 2, &own, NULL) < 0)
		return -e->code;
	for (size_t i = 0; i < n; i++)
		if (!is_here(arena_strdup(&a, own), &maps[i]))
			return err_note(e,
					"%s: hostID %u (size %u) is not mapped in the user "
					"namespace of the caller",
					k->field, maps[i].outside, maps[i].size);
	return -e->code;
}

static int map_kind_write(struct arena *a, const struct ns_plan *p, const struct dir *proc,
			  const struct dir *d, pid_t pid, const struct map_kind *k,
			  const struct id_map *maps, size_t n, bool single, struct err *e)
{
	const char *text;
	int r;

	if (p->unprivileged && !single)
		return map_by_helper(a, k, pid, maps, n, e);
	text = map_text(a, maps, n);
	r = file_write_at(d, k->file, text, strlen(text), e);
	return r < 0 ? map_error(proc, k, maps, n, e) : map_read_back(d, k, maps, n, e);
}

int ns_map_ids(const struct ns_plan *p, const struct dir *proc, pid_t pid, struct err *e)
{
	auto_arena a = arena_make();
	auto_dir d = DIR_NONE;
	const char *name = arena_printf(&a, "%d", (int)pid);
	int r = dir_open_below(proc, name, &d, e);

	if (r < 0)
		return r;
	if (p->unprivileged && p->single_gid)
		r = file_write_at(&d, "setgroups", "deny", 4, e);
	if (r == 0)
		r = map_kind_write(&a, p, proc, &d, pid, &uid_kind, p->uid_maps, p->n_uid_maps,
				   p->single_uid, e);
	if (r == 0)
		r = map_kind_write(&a, p, proc, &d, pid, &gid_kind, p->gid_maps, p->n_gid_maps,
				   p->single_gid, e);
	return r < 0 ? err_note(e, "map the ids of the user namespace") : 0;
}
