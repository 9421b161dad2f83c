/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mounts - more or fewer mounts in a container that runs
 *
 * A child of ours joins the container's mount and user namespaces, and no pid namespace:
 * the container cannot see it. What is bound from the host is opened here before, as a
 * detached tree that only has to be attached there. All of it happens, or nothing does.
 *
 * What was mounted is on record, in a file beside the container's: by name alone a process
 * inside could have us remove what protects the host from it.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/file.h"
#include "base/str.h"
#include "container/internal.h"
#include "ocispec/decode.h"
#include "ocispec/encode.h"
#include "sys/sys.h"

#define MOUNTINFO_MAX (16 << 20)
#define ADDED_NAME    "mounts.json"
#define ADDED_MODE    0600

struct change {
	struct arena *arena;
	struct container c;
	struct mount_plan plan; /* add */
	int *trees;
	const char *const *paths; /* remove */
	size_t n_paths;
	uint64_t namespaces; /* that differ from ours, of those which matter to mounts */
	int proc;
	struct mount_live live;
};

/* --- what was added --------------------------------------------------------------------------- */

static int read_added(const struct change *ch, struct cleat_added_mounts *ret, struct err *e)
{
	const struct ocispec_allocator alloc = { arena_ocispec_alloc, ch->arena };
	struct ocispec_error oe = { 0 };
	struct err failed = { 0 };
	void *list = NULL;
	char *text;
	ssize_t len =
		file_read_at(ch->c.dir.fd, ADDED_NAME, ch->arena, OCISPEC_MAX_SIZE, &text, &failed);

	*ret = (struct cleat_added_mounts){ 0 };
	if (len == -ENOENT)
		return 0;
	if (len < 0) {
		*e = failed;
		return (int)len;
	}
	if (ocispec_decode(&cleat_added_mounts_type, text, (size_t)len, &alloc, NULL, &list, &oe) <
	    0)
		return err_code(e, EINVAL, ADDED_NAME, "the record of mounts is broken: %s: %s",
				oe.path, oe.text);
	*ret = *(struct cleat_added_mounts *)list;
	return 0;
}

/* The record, and after it room for those of the plan; the child writes ids into both. */
static int open_added(struct change *ch, struct err *e)
{
	struct cleat_added_mounts known;
	struct mount_added *all;
	size_t n;

	if (read_added(ch, &known, e) < 0)
		return -e->code;
	n = known.n_added_mounts + ch->plan.n_ops;
	if (n == 0)
		return 0;
	all = mmap(NULL, n * sizeof(*all), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		   0);
	if (all == MAP_FAILED)
		return err_sys(e, errno, NULL, "map the list of mounts");
	for (size_t i = 0; i < known.n_added_mounts; i++) {
		all[i].id = known.added_mounts[i]->id;
		all[i].target = known.added_mounts[i]->destination;
	}
	for (size_t i = 0; i < ch->plan.n_ops; i++)
		all[known.n_added_mounts + i].target = ch->plan.ops[i].target;
	ch->live = (struct mount_live){ all, n };
	return 0;
}

static int write_added(const struct change *ch, struct err *e)
{
	const struct ocispec_allocator alloc = { arena_ocispec_alloc, ch->arena };
	const size_t n = ch->live.n;
	struct cleat_added_mount *items = arena_new_n(ch->arena, n, struct cleat_added_mount);
	struct cleat_added_mounts list = { .added_mounts = arena_new_n(
						   ch->arena, n, struct cleat_added_mount *) };
	struct ocispec_error oe = { 0 };
	size_t len;
	char *text;

	for (size_t i = 0; i < n; i++) {
		if (!ch->live.added[i].id)
			continue;
		items[i].id = ch->live.added[i].id;
		items[i].has_id = true;
		items[i].destination = ch->live.added[i].target;
		list.added_mounts[list.n_added_mounts++] = &items[i];
	}
	if (ocispec_encode(&cleat_added_mounts_type, &list, 0, &alloc, &text, &len, &oe) < 0)
		return err_code(e, EINVAL, oe.path, "record the mounts: %s: %s", oe.path, oe.text);
	return file_replace_at(&ch->c.dir, ADDED_NAME, ADDED_MODE, text, len, e);
}

/* --- before the child ------------------------------------------------------------------------- */

/* The container's own configuration with these mounts alone. */
static int make_plan(struct change *ch, const struct oci_mounts *mounts, struct err *e)
{
	const struct mount_plan_options opt = { 0 };
	struct arena *a = ch->arena;
	struct oci_config *config = arena_new(a, struct oci_config);
	struct spec *spec;
	struct host host;

	host_probe(&host, HOST_NO_CGROUPS);
	if (spec_load_copy(a, ch->c.dir.fd, ch->c.state->bundle, &spec, e) < 0)
		return -e->code;
	*config = *spec->config;
	config->mounts = mounts->mounts;
	config->n_mounts = mounts->n_mounts;
	spec->config = config;
	if (spec_check_mounts(a, spec, e) < 0 ||
	    mount_plan_make(a, spec, &host, &opt, &ch->plan, e) < 0)
		return -e->code;
	if (!ch->plan.has_ns)
		return err_user(e, ch->c.id, "container '%s' has no mount namespace of its own",
				ch->c.id);
	for (size_t i = 0; i < ch->plan.n_ops; i++) {
		const struct mount_op *op = &ch->plan.ops[i];

		if (op->kind == MOUNT_CGROUP || str_eq(op->type, "proc"))
			return err_user(e, "type",
					"mounts[%zu]: a file system of type '%s' cannot be added",
					i, op->type);
		if (str_eq(op->target, "/"))
			return err_user(e, op->target, "mounts[%zu]: '/' is the root", i);
	}
	return 0;
}

static int open_sources(struct change *ch, struct err *e)
{
	char path[48];
	bool takes_userns = false;
	auto_fd userns = -1;
	struct mount_op *ops = arena_new_n(ch->arena, ch->plan.n_ops, struct mount_op);
	ch->trees = arena_new_n(ch->arena, ch->plan.n_ops, int);
	for (size_t i = 0; i < ch->plan.n_ops; i++) {
		ops[i] = ch->plan.ops[i];
		ch->trees[i] = -1;
		takes_userns |= mount_op_takes_userns(&ch->plan.ops[i]);
	}
	if (takes_userns && (ch->namespaces & CLONE_NEWUSER)) {
		snprintf(path, sizeof(path), "/proc/%d/ns/user", ch->c.state->pid);
		userns = sys_open(path, O_RDONLY, 0);
		if (userns < 0)
			return err_sys(e, -userns, path, "open the user namespace");
	}
	for (size_t i = 0; i < ch->plan.n_ops; i++)
		if (mount_live_source(ch->arena, &ch->plan, &ops[i], userns, &ch->trees[i], e) < 0)
			return err_note(e, "mounts[%zu]", i);
	ch->plan.ops = ops;
	return 0;
}

static void close_sources(struct change *ch)
{
	for (size_t i = 0; ch->trees && i < ch->plan.n_ops; i++)
		fd_close(&ch->trees[i]);
}

/* Namespaces of the container that are not ours; setns(2) refuses the own user namespace. */
static uint64_t other_namespaces(const struct container *c)
{
	static const int types[] = { CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWNET, CLONE_NEWIPC };
	uint64_t found = 0;
	char path[48];

	for (size_t i = 0; i < COUNT(types); i++) {
		struct stat own, theirs;
		const char *name = spec_ns_proc_name(types[i]);

		snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
		if (sys_fstatat(AT_FDCWD, path, &own, 0) < 0)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/ns/%s", c->state->pid, name);
		if (sys_fstatat(AT_FDCWD, path, &theirs, 0) == 0 && own.st_ino != theirs.st_ino)
			found |= (uint64_t)types[i];
	}
	return found;
}

/* --- the child -------------------------------------------------------------------------------- */

static int act(struct change *ch, struct err *e)
{
	int r = sys_setns(ch->c.pidfd, (int)ch->namespaces);

	if (r < 0)
		return err_sys(e, -r, ch->c.id, "join the mount namespace of container");
	if ((ch->namespaces & CLONE_NEWUSER) && proc_become_ns_root(e) < 0)
		return -e->code;
	return ch->paths ? mount_live_remove(ch->arena, ch->paths, ch->n_paths, ch->proc, &ch->live,
					     e)
			 : mount_live_add(ch->arena, &ch->plan, ch->trees, ch->proc, &ch->live, e);
}

static _Noreturn void child_main(struct change *ch, int report)
{
	struct err e = { 0 };

	if (act(ch, &e) < 0)
		file_write_all(report, &e, sizeof(e));
	_exit(e.code ? EXIT_FAILURE : EXIT_SUCCESS);
}

static int run_child(struct change *ch, struct err *e)
{
	auto_fd pidfd = -1, in = -1;
	struct clone_args args = { .flags = CLONE_PIDFD,
				   .exit_signal = SIGCHLD,
				   .pidfd = (uintptr_t)&pidfd };
	siginfo_t si = { 0 };
	struct err failed;
	int fds[2];
	ssize_t n;
	pid_t pid;
	int r = sys_pipe2(fds, O_CLOEXEC);

	if (r < 0)
		return err_sys(e, -r, NULL, "make a pipe");
	in = fds[0];
	pid = sys_clone3(&args, sizeof(args));
	if (pid == 0)
		child_main(ch, fds[1]);
	fd_close(&fds[1]);
	if (pid < 0)
		return err_sys(e, -pid, NULL, "clone a process");
	n = sys_read(in, &failed, sizeof(failed));
	sys_waitid_pidfd(pidfd, &si, WEXITED);
	if (n == (ssize_t)sizeof(failed)) {
		*e = failed;
		return err_sanitize(e) < 0 ? -EPROTO : -e->code;
	}
	return si.si_code == CLD_EXITED && si.si_status == 0
		       ? 0
		       : err_code(e, ECHILD, NULL, "the process that mounts ended early");
}

/* The record is right even where the child failed, and could not undo all that it did. */
static int act_and_record(struct change *ch, struct err *e)
{
	struct err failed = { 0 };
	int r = open_added(ch, e);

	if (r == 0)
		r = run_child(ch, e);
	if (ch->live.n && write_added(ch, r < 0 ? &failed : e) < 0 && r == 0)
		r = -e->code;
	return r;
}

/* --- the verbs -------------------------------------------------------------------------------- */

static int change_open(struct change *ch, const struct context *ctx, const char *id, struct err *e)
{
	int r = container_open_locked(ch->arena, ctx, id, "mounts", &ch->c, e);

	if (r < 0)
		return r;
	ch->proc = -1;
	r = container_allows(&ch->c, VERB_UPDATE, e);
	if (r == 0) {
		ch->proc = mount_proc_full(e);
		r = ch->proc < 0 ? ch->proc : 0;
	}
	if (r == 0)
		ch->namespaces = other_namespaces(&ch->c);
	if (r == 0 && !(ch->namespaces & CLONE_NEWNS))
		r = err_user(e, id, "container '%s' has no mount namespace of its own", id);
	if (r < 0) {
		fd_close(&ch->proc);
		container_close(&ch->c);
	}
	return r;
}

static void change_close(struct change *ch)
{
	close_sources(ch);
	fd_close(&ch->proc);
	container_close(&ch->c);
	if (ch->live.n)
		munmap(ch->live.added, ch->live.n * sizeof(*ch->live.added));
}

int container_mounts_add(const struct context *ctx, const char *id, const struct oci_mounts *mounts,
			 struct err *e)
{
	auto_arena a = arena_make();
	struct change ch = { .arena = &a };
	int r = change_open(&ch, ctx, id, e);

	if (r < 0)
		return r;
	r = make_plan(&ch, mounts, e);
	if (r == 0)
		r = open_sources(&ch, e);
	if (r == 0)
		r = act_and_record(&ch, e);
	change_close(&ch);
	return r;
}

int container_mounts_remove(const struct context *ctx, const char *id,
			    const struct oci_mounts *mounts, struct err *e)
{
	auto_arena a = arena_make();
	struct change ch = { .arena = &a };
	const char **paths = arena_new_n(&a, mounts->n_mounts + 1, const char *);
	int r = change_open(&ch, ctx, id, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < mounts->n_mounts && r == 0; i++) {
		const char *path = mounts->mounts[i]->destination;

		paths[i] = mount_path_clean(&a, path);
		if (str_eq(paths[i], "/"))
			r = err_user(e, path, "mounts[%zu]: '%s' is the root", i, path);
	}
	ch.paths = paths;
	ch.n_paths = mounts->n_mounts;
	if (r == 0)
		r = act_and_record(&ch, e);
	change_close(&ch);
	return r;
}

/* What was read under the number of init is init's if that lives now. */
static int read_mountinfo(struct arena *a, const struct container *c, char **ret, struct err *e)
{
	char path[48];
	int r;

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", c->state->pid);
	r = (int)file_read_at(AT_FDCWD, path, a, MOUNTINFO_MAX, ret, e);
	if (r < 0)
		return r;
	r = sys_pidfd_send_signal(c->pidfd, 0);
	return r < 0 ? err_sys(e, -r, c->id, "read the mounts of container") : 0;
}

int container_mountinfo(struct arena *a, const struct context *ctx, const char *id, char **ret,
			struct err *e)
{
	struct container c;
	int r = container_open(a, ctx, id, &c, e);

	if (r < 0)
		return r;
	if (c.pidfd < 0)
		r = err_user(e, id, "container not running: '%s' is %s", id,
			     container_status_name(c.status));
	else
		r = read_mountinfo(a, &c, ret, e);
	container_close(&c);
	return r;
}
