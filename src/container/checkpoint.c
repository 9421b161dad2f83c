/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpoint - put a running container into files
 *
 * CRIU freezes the container's cgroup, writes what its processes are made of and, unless
 * they are to go on, kills them; the container is then deleted, as it has ended. What is
 * not the container's own (binds, namespaces that it was given) is only named in the
 * images: restore says what stands for it.
 */
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "container/images.h"
#include "sys/sys.h"

#define LOG_NAME      "dump.log"
#define MOUNTINFO_MAX (16 << 20)

struct dumping {
	struct arena *arena;
	const struct image_options *o;
	struct container c;
	struct spec *spec;
	struct host host;
	struct images images;
	struct {
		const char **v;
		size_t n, cap;
	} external;
};

/* --- mounts that are named -------------------------------------------------------------------- */

/* Field @n (from 1) of a line of mountinfo; proc_pid_mountinfo(5). */
static char *field(struct arena *a, const char *line, unsigned n)
{
	while (--n && *line) {
		line += strcspn(line, " \n");
		line += *line == ' ';
	}
	return arena_strndup(a, line, strcspn(line, " \n"));
}

/* The line of the mount with that id, or NULL. */
static const char *line_of(struct arena *a, const char *mountinfo, uint64_t id)
{
	const char *text = arena_printf(a, "%llu", (unsigned long long)id);

	while (*mountinfo) {
		if (str_eq(field(a, mountinfo, 1), text))
			return mountinfo;
		mountinfo += strcspn(mountinfo, "\n");
		mountinfo += *mountinfo == '\n';
	}
	return NULL;
}

/*
 * The mount at @m->target as it is now: links of the image are followed, and what is not a
 * mount (any more) is the container's own.
 */
static int name_mount(struct dumping *d, int root, const char *mountinfo,
		      const struct image_mount *m)
{
	auto_fd at = mount_open_in_root(root, m->target, O_PATH);
	const char *line;
	struct statx st;

	if (at < 0)
		return 0;
	if (sys_statx(at, "", AT_EMPTY_PATH, STATX_TYPE | STATX_MNT_ID, &st) < 0 ||
	    !(st.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return 0;
	if (m->file_only && S_ISDIR(st.stx_mode))
		return 0;
	line = line_of(d->arena, mountinfo, st.stx_mnt_id);
	if (line)
		*vec_push(d->arena, &d->external) =
			arena_printf(d->arena, "mnt[%s]:%s",
				     str_unescape_octal(field(d->arena, line, 5)), m->target);
	return 0;
}

static int name_mounts(struct dumping *d, struct err *e)
{
	char name[48], *mountinfo;
	const struct image_mount *mounts;
	auto_fd root = -1;
	size_t n;

	if (images_mounts(d->arena, d->spec, &d->host, &mounts, &n, e) < 0)
		return -e->code;
	snprintf(name, sizeof(name), "/proc/%d/root", d->c.state->pid);
	root = sys_open(name, O_PATH | O_DIRECTORY, 0);
	if (root < 0)
		return err_sys(e, -root, name, "open the container's root");
	snprintf(name, sizeof(name), "/proc/%d/mountinfo", d->c.state->pid);
	if (file_read_at(AT_FDCWD, name, d->arena, MOUNTINFO_MAX, &mountinfo, e) < 0)
		return -e->code;
	for (size_t i = 0; i < n; i++)
		name_mount(d, root, mountinfo, &mounts[i]);
	return 0;
}

/* --- namespaces that are named ---------------------------------------------------------------- */

static int name_namespaces(struct dumping *d, struct err *e)
{
	const struct spec *s = d->spec;
	struct stat st;
	char name[48];

	for (size_t i = 0; i < s->n_namespaces; i++) {
		const char *key = images_ns_key(s->namespaces[i].type);
		const char *kind = spec_ns_proc_name(s->namespaces[i].type);
		int r;

		if (!key || !s->namespaces[i].path)
			continue;
		snprintf(name, sizeof(name), "/proc/%d/ns/%s", d->c.state->pid, kind);
		r = sys_fstatat(AT_FDCWD, name, &st, 0);
		if (r < 0)
			return err_sys(e, -r, name, "look at the namespace");
		*vec_push(d->arena, &d->external) = arena_printf(
			d->arena, "%s[%llu]:%s", kind, (unsigned long long)st.st_ino, key);
	}
	return 0;
}

/* --- the dump --------------------------------------------------------------------------------- */

static const char *freezer(struct arena *a, struct cgroup *cg)
{
	char path[PATH_MAX];
	int fd = cg ? cgroup_v2_fd(cg) : -1;

	if (fd < 0 || sys_readlinkat(AT_FDCWD, arena_printf(a, "/proc/self/fd/%d", fd), path,
				     sizeof(path)) < 0)
		return NULL;
	return arena_strdup(a, path);
}

/* Whoever fetches the pages waits for this byte. */
static int notify(void *arg, const char *point, pid_t pid, int fd, struct err *e)
{
	const struct dumping *d = arg;
	ssize_t n;

	(void)pid;
	(void)fd;
	if (!str_eq(point, "status-ready") || d->o->status_fd < 0)
		return 0;
	n = sys_write(d->o->status_fd, "", 1);
	return n < 0 ? err_sys(e, (int)-n, NULL, "write to --status-fd") : 0;
}

static int dump(struct dumping *d, struct err *e)
{
	struct cgroup *cg = container_cgroup(d->arena, &d->c);
	const struct criu_process how = {
		.path = d->images.criu, .cgroup = -1, .notify = notify, .arg = d
	};
	const struct criu_request q = {
		.verb = d->o->pre_dump ? CRIU_PRE_DUMP : CRIU_DUMP,
		.choices = &d->o->choices,
		.images = d->images.dir.fd,
		.work = d->images.work.fd,
		.log_file = LOG_NAME,
		.pid = d->c.state->pid,
		.root = d->spec->rootfs_path,
		.freezer = freezer(d->arena, cg),
		.config_file = d->images.config_file,
		.external = d->external.v,
		.n_external = d->external.n,
	};
	pid_t ignored;
	int r = criu_run(d->arena, &how, &q, &ignored, e);

	cgroup_close(cg);
	return r;
}

/* Relative, so that the images can be carried elsewhere together. */
static int check_parent(const struct dumping *d, struct err *e)
{
	const char *parent = d->o->choices.parent_path;
	auto_fd fd = -1;

	if (!parent)
		return 0;
	if (parent[0] == '/')
		return err_user(e, parent, "--parent-path '%s' is not relative to --image-path",
				parent);
	fd = sys_openat(d->images.dir.fd, parent, O_PATH | O_DIRECTORY, 0);
	return fd < 0 ? err_sys(e, -fd, parent, "open --parent-path") : 0;
}

static int prepare(struct dumping *d, struct err *e)
{
	const struct cleat_state_file *s = d->c.state;
	int r;

	host_probe(&d->host, HOST_OWN_CGROUP);
	r = spec_load_copy(d->arena, d->c.dir.fd, s->bundle, &d->spec, e);
	if (r == 0)
		r = images_open(d->arena, d->o,
				spec_annotation_in(s->annotations, IMAGES_CRIU_CONFIG), true,
				&d->images, e);
	if (r == 0)
		r = check_parent(d, e);
	if (r == 0)
		r = images_write_descriptors(d->arena, &d->images.dir, s->pid, e);
	if (r == 0)
		r = name_mounts(d, e);
	return r < 0 ? r : name_namespaces(d, e);
}

int container_checkpoint(const struct context *ctx, const char *id, const struct image_options *o,
			 struct err *e)
{
	auto_arena a = arena_make();
	struct dumping d = { .arena = &a, .o = o, .images = IMAGES_NONE };
	bool ends = !o->choices.leave_running && !o->pre_dump;
	int r = container_open_locked(&a, ctx, id, "checkpoint", &d.c, e);

	if (r < 0)
		return r;
	r = container_allows(&d.c, VERB_CHECKPOINT, e);
	if (r == 0)
		r = prepare(&d, e);
	if (r == 0)
		r = dump(&d, e);
	images_close(&d.images);
	if (r == 0 && ends)
		r = container_destroy(&a, &d.c, e);
	container_close(&d.c);
	return r < 0 ? err_note(e, "checkpoint '%s'", id) : 0;
}
