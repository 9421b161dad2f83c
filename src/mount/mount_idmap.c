/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_idmap - id-mapped mounts (mount_setattr(2), MOUNT_ATTR_IDMAP)
 *
 * The kernel takes the mapping from a user namespace: the container's, or one that is
 * made for nothing else. A line "inside outside size" there says: files of id inside
 * appear as id outside.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/str.h"
#include "mount/mount_room.h"

/* user_namespaces(7) */
#define MAPS_MAX 340

/* --- the inline form ------------------------------------------------------------------ */

/* The id outside of the user namespace that @id of the container stands for. */
static bool translate(const struct id_map *maps, size_t n, uint32_t *id, uint32_t size)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t from = *id - maps[i].inside;

		if (*id < maps[i].inside || from >= maps[i].size || size > maps[i].size - from)
			continue;
		*id = maps[i].outside + from;
		return true;
	}
	return false;
}

static bool parse_range(char *word, struct id_map *ret)
{
	return str_cut_u32(&word, "-", &ret->inside) == 0 &&
	       str_cut_u32(&word, "-", &ret->outside) == 0 &&
	       str_cut_u32(&word, "-", &ret->size) == 0 && !*word && ret->size;
}

/* "C-H-N#C-H-N"; a "@" before one: H is an id of the container. */
static int parse_list(struct arena *a, char *list, const struct id_map *own, size_t n_own,
		      const struct id_map **ret, size_t *ret_n, struct err *e)
{
	struct {
		struct id_map *v;
		size_t n, cap;
	} maps = { 0 };
	char *save = NULL;

	for (char *w = strtok_r(list, "#", &save); w; w = strtok_r(NULL, "#", &save)) {
		bool relative = *w == '@';
		struct id_map m;

		if (!parse_range(w + relative, &m) || maps.n == MAPS_MAX)
			return err_user(e, w, "idmap range %zu is not inside-outside-size",
					maps.n + 1);
		if (relative && !translate(own, n_own, &m.outside, m.size))
			return err_user(e, w, "idmap range %zu is not mapped in the container",
					maps.n + 1);
		*vec_push(a, &maps) = m;
	}
	*ret = maps.v;
	*ret_n = maps.n;
	return 0;
}

int mount_idmap_parse(struct arena *a, const char *text, const struct spec *spec,
		      struct mount_op *op, struct err *e)
{
	char *save = NULL, *copy = arena_strdup(a, text);

	for (char *part = strtok_r(copy, ";", &save); part; part = strtok_r(NULL, ";", &save)) {
		int r;

		if (str_starts(part, "uids="))
			r = parse_list(a, part + 5, spec->uid_maps, spec->n_uid_maps, &op->uid_maps,
				       &op->n_uid_maps, e);
		else if (str_starts(part, "gids="))
			r = parse_list(a, part + 5, spec->gid_maps, spec->n_gid_maps, &op->gid_maps,
				       &op->n_gid_maps, e);
		else
			r = err_user(e, part,
				     "idmap: '%s' begins neither with uids= nor gids=", part);
		if (r < 0)
			return r;
	}
	if (!op->n_uid_maps || !op->n_gid_maps)
		return err_user(e, text, "idmap=%s needs both uids= and gids=", text);
	return 0;
}

/* --- a user namespace for a mapping --------------------------------------------------- */

static int write_map(const struct dir *proc, const char *file, const struct id_map *maps, size_t n,
		     struct err *e)
{
	auto_arena a = arena_make();
	size_t size = n * 33 + 1, used = 0;
	char *text = arena_alloc(&a, size);

	for (size_t i = 0; i < n; i++)
		used += (size_t)snprintf(text + used, size - used, "%u %u %u\n", maps[i].inside,
					 maps[i].outside, maps[i].size);
	return file_write_at(proc, file, text, used, e);
}

static int map_and_open(const struct mount_op *op, pid_t pid, struct err *e)
{
	auto_dir proc = DIR_NONE;
	char path[32];
	int r;

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	proc.fd = sys_open(path, O_PATH | O_DIRECTORY, 0);
	proc.name = "/proc/<child>";
	if (proc.fd < 0)
		return err_sys(e, -proc.fd, path, "open");
	r = write_map(&proc, "uid_map", op->uid_maps, op->n_uid_maps, e);
	if (r == 0)
		r = write_map(&proc, "gid_map", op->gid_maps, op->n_gid_maps, e);
	if (r < 0)
		return r;
	r = sys_openat(proc.fd, "ns/user", O_RDONLY, 0);
	return r < 0 ? err_sys(e, -r, path, "open the user namespace of") : r;
}

static int make_userns(const struct mount_op *op, struct err *e)
{
	auto_fd pidfd = -1;
	struct clone_args args = { .flags = CLONE_NEWUSER | CLONE_PIDFD,
				   .pidfd = (uintptr_t)&pidfd,
				   .exit_signal = SIGCHLD };
	siginfo_t si;
	pid_t pid = sys_clone3(&args, sizeof(args));
	int fd;

	if (pid == 0) {
		sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		for (;;)
			pause();
	}
	if (pid < 0)
		return err_sys(e, (int)-pid, op->target, "make a user namespace for the ids of");
	fd = map_and_open(op, pid, e);
	sys_pidfd_send_signal(pidfd, SIGKILL);
	sys_waitid_pidfd(pidfd, &si, WEXITED);
	return fd;
}

int mount_idmap_userns(const struct mount_op *op, int userns_fd, struct err *e)
{
	int fd;

	if (op->n_uid_maps)
		return make_userns(op, e);
	if (userns_fd < 0)
		return err_user(e, op->target, "'%s' is to be id-mapped, but there is no mapping",
				op->target);
	fd = sys_fcntl(userns_fd, F_DUPFD_CLOEXEC, 0);
	return fd < 0 ? err_sys(e, -fd, op->target, "use the user namespace for") : fd;
}
