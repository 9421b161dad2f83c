/* SPDX-License-Identifier: Apache-2.0 */
#include "container/images.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <limits.h>

#include "base/file.h"
#include "base/str.h"
#include "sys/sys.h"

#define DIR_MODE	0700
#define FILE_MODE	0600
#define DEFAULT_IMAGES	"checkpoint"
#define DESCRIPTORS_MAX 65536

/* --- directories and the program -------------------------------------------------------------- */

static int open_dir(struct arena *a, const char *path, bool make, struct dir *ret, struct err *e)
{
	char *copy = arena_strdup(a, path);
	int fd = sys_open(path, O_RDONLY | O_DIRECTORY, 0), r = 0;

	for (char *slash = copy; fd == -ENOENT && make && r == 0 && slash;) {
		slash = strchr(slash + 1, '/');
		if (slash)
			*slash = '\0';
		r = sys_mkdirat(AT_FDCWD, copy, DIR_MODE);
		r = r == -EEXIST ? 0 : r;
		if (slash)
			*slash = '/';
	}
	if (r < 0)
		return err_sys(e, -r, path, "make the directory");
	if (fd == -ENOENT && make)
		fd = sys_open(path, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return err_sys(e, -fd, path, "open the directory");
	*ret = (struct dir){ .fd = fd, .name = arena_strdup(a, path) };
	return 0;
}

/* An empty annotation means none; without one there may be a file for all containers. */
static const char *config_file(const char *annotation)
{
	static const char *const defaults[] = { "/etc/criu/cleat.conf", "/etc/criu/runc.conf" };

	if (annotation)
		return *annotation ? annotation : NULL;
	for (size_t i = 0; i < COUNT(defaults); i++)
		if (sys_faccessat(AT_FDCWD, defaults[i], R_OK, 0) == 0)
			return defaults[i];
	return NULL;
}

int images_open(struct arena *a, const struct image_options *o, const char *annotation, bool make,
		struct images *ret, struct err *e)
{
	const struct criu_process p = { .cgroup = -1 };
	struct criu_process asked = p;
	int version;

	if (geteuid() != 0)
		return err_code(e, EPERM, NULL, "checkpoint and restore need root");
	if (criu_find(a, o->criu, &ret->criu, e) < 0)
		return -e->code;
	asked.path = ret->criu;
	version = criu_version(a, &asked, e);
	if (version < 0)
		return version;
	if (version < CRIU_OLDEST)
		return err_code(e, ENOTSUP, ret->criu, "criu is older than %d.%d",
				CRIU_OLDEST / 10000, CRIU_OLDEST / 100 % 100);
	if (open_dir(a, o->images ? o->images : DEFAULT_IMAGES, make, &ret->dir, e) < 0)
		return -e->code;
	/* the log is ours to write, also where the images are only read */
	if (open_dir(a, o->work ? o->work : ret->dir.name, true, &ret->work, e) < 0)
		return -e->code;
	ret->config_file = config_file(annotation);
	return 0;
}

void images_close(struct images *i)
{
	dir_close(&i->dir);
	dir_close(&i->work);
}

/* --- mounts ----------------------------------------------------------------------------------- */

int images_mounts(struct arena *a, const struct spec *spec, const struct host *host,
		  const struct image_mount **ret, size_t *ret_n, struct err *e)
{
	const struct mount_plan_options opt = { 0 };
	struct mount_plan mounts = { 0 };
	struct dev_plan devices = { 0 };
	struct {
		struct image_mount *v;
		size_t n, cap;
	} list = { 0 };

	if (mount_plan_make(a, spec, host, &opt, &mounts, e) < 0 ||
	    dev_plan_make(a, spec, host, &devices, e) < 0)
		return -e->code;
	for (size_t i = 0; i < mounts.n_ops; i++)
		if (mounts.ops[i].kind == MOUNT_BIND)
			*vec_push(a, &list) = (struct image_mount){ mounts.ops[i].target,
								    mounts.ops[i].source, false };
	for (size_t i = 0; i < mounts.n_masked; i++)
		*vec_push(a, &list) = (struct image_mount){ mounts.masked[i], "/dev/null", true };
	for (size_t i = 0; devices.bind && !devices.skip && i < devices.n_nodes; i++)
		*vec_push(a, &list) =
			(struct image_mount){ devices.nodes[i].path, devices.nodes[i].path, true };
	*ret = list.v;
	*ret_n = list.n;
	return 0;
}

const char *images_ns_key(int type)
{
	return type == CLONE_NEWNET ? "extRootNetNS" : type == CLONE_NEWPID ? "extRootPidNS" : NULL;
}

/* --- descriptors ------------------------------------------------------------------------------ */

/* A line each; what has a line end in its name cannot be a pipe or a terminal. */
int images_write_descriptors(struct arena *a, const struct dir *images, pid_t pid, struct err *e)
{
	const char *text = "";
	char name[48], path[PATH_MAX];

	for (int fd = 0; fd < 3; fd++) {
		snprintf(name, sizeof(name), "/proc/%d/fd/%d", (int)pid, fd);
		if (sys_readlinkat(AT_FDCWD, name, path, sizeof(path)) < 0 || strchr(path, '\n'))
			path[0] = '\0';
		text = arena_printf(a, "%s%s\n", text, path);
	}
	return file_replace_at(images, IMAGES_DESCRIPTORS, FILE_MODE, text, strlen(text), e);
}

int images_read_descriptors(struct arena *a, const struct dir *images, const char *ret[3],
			    struct err *e)
{
	char *text;
	ssize_t n;

	ret[0] = ret[1] = ret[2] = "";
	n = file_read_at(images->fd, IMAGES_DESCRIPTORS, a, DESCRIPTORS_MAX, &text, e);
	if (n == -ENOENT) {
		err_clear(e);
		return 0;
	}
	for (int fd = 0; n > 0 && fd < 3 && *text; fd++) {
		size_t len = strcspn(text, "\n");

		ret[fd] = arena_strndup(a, text, len);
		text += len + (text[len] == '\n');
	}
	return n < 0 ? (int)n : 0;
}
