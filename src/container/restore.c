/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restore - make a container whose processes come from files
 *
 * Everything around the processes (record, cgroup, pid file, hooks) is made as for a new
 * container; in the place of parent, middle and init stands CRIU. Meanwhile it and we are
 * in a mount namespace of our own, in which the rootfs is a mount as CRIU wants it and to
 * which its scratch mounts go: nothing shows on the host. Its points of work are our steps:
 * namespaces exist (hooks), processes exist and do not run yet (identity goes on record),
 * the terminal is there (sent on).
 */
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <sys/mount.h>

#include "base/log.h"
#include "base/str.h"
#include "container/images.h"
#include "sys/sys.h"

#define LOG_NAME   "restore.log"
#define ROOT_MOUNT "criu-root"
#define FIRST_FREE 16 /* descriptors that CRIU inherits are above its own */

struct restoring {
	const struct image_options *o;
	struct creation *m;
	struct images images;
	const char *root; /* where the rootfs is for CRIU */
	int host, own;	  /* mount namespaces; -1 before enter_own_mounts() */
	int cwd;
	struct {
		const char **v;
		size_t n, cap;
	} external;
	struct {
		struct criu_inherit *v;
		size_t n, cap;
	} inherit;
	struct {
		struct criu_join *v;
		size_t n, cap;
	} join;
	struct {
		struct criu_root *v;
		size_t n, cap;
	} roots;
};

/* --- what stands for what is only named in the images ----------------------------------------- */

static int put_mounts(struct restoring *r, struct err *e)
{
	struct arena *a = r->m->arena;
	const struct image_mount *mounts;
	size_t n;

	if (images_mounts(a, r->m->spec, &r->m->host, &mounts, &n, e) < 0)
		return -e->code;
	for (size_t i = 0; i < n; i++)
		*vec_push(a, &r->external) =
			arena_printf(a, "mnt[%s]:%s", mounts[i].target, mounts[i].source);
	return 0;
}

static int inherit(struct restoring *r, const char *key, int fd)
{
	*vec_push(r->m->arena, &r->inherit) = (struct criu_inherit){ key, fd };
	return fd;
}

static int put_namespaces(struct restoring *r, struct err *e)
{
	const struct spec *s = r->m->spec;
	struct arena *a = r->m->arena;

	for (size_t i = 0; i < s->n_namespaces; i++) {
		const struct spec_namespace *ns = &s->namespaces[i];
		const char *key = images_ns_key(ns->type);
		auto_fd fd = -1;
		int high;

		if (!ns->path || ns->type == CLONE_NEWNS || ns->type == CLONE_NEWCGROUP)
			continue;
		if (!key) {
			*vec_push(a, &r->join) =
				(struct criu_join){ spec_ns_proc_name(ns->type), ns->path };
			continue;
		}
		fd = sys_open(ns->path, O_RDONLY, 0);
		high = fd < 0 ? fd : sys_fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FREE);
		if (high < 0)
			return err_sys(e, -high, ns->path, "open the namespace");
		inherit(r, key, high);
	}
	return 0;
}

/* Pipes have no name that one could open: ours take their place. */
static int put_pipes(struct restoring *r, struct err *e)
{
	const char *names[3];

	if (images_read_descriptors(r->m->arena, &r->images.dir, names, e) < 0)
		return -e->code;
	for (int fd = 0; fd < 3; fd++)
		if (str_starts(names[fd], "pipe:"))
			inherit(r, names[fd], fd);
	return 0;
}

/* The container's place in the v1 hierarchies, whatever it was when it was dumped. */
static void put_cgroups(struct restoring *r)
{
	const struct cgroup_plan *p = &r->m->plan->cgroup;

	for (size_t i = 0; i < p->n_dirs; i++)
		if (p->dirs[i].hierarchy && cgroup_path(r->m->cgroup, i))
			*vec_push(r->m->arena, &r->roots) =
				(struct criu_root){ p->dirs[i].controllers,
						    cgroup_path(r->m->cgroup, i) };
}

static void close_inherited(struct restoring *r)
{
	for (size_t i = 0; i < r->inherit.n; i++)
		if (r->inherit.v[i].fd >= FIRST_FREE)
			fd_close(&r->inherit.v[i].fd);
}

/* --- what mounts are put on ------------------------------------------------------------------- */

/* Below a file system that the images bring along there is nothing to be made. */
static bool is_covered(const struct mount_plan *p, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		size_t n = strlen(p->ops[k].target);

		if (p->ops[k].kind != MOUNT_REMOUNT && n > 1 &&
		    !strncmp(p->ops[i].target, p->ops[k].target, n) && p->ops[i].target[n] == '/')
			return true;
	}
	return false;
}

static bool source_is_file(const struct mount_op *op)
{
	struct stat st;

	return op->kind == MOUNT_BIND && sys_fstatat(AT_FDCWD, op->source, &st, 0) == 0 &&
	       !S_ISDIR(st.st_mode);
}

/* The rootfs may be a fresh copy of the image. */
static int make_targets(struct restoring *r, struct err *e)
{
	const struct mount_plan *p = &r->m->plan->mount;

	for (size_t i = 0; i < p->n_ops; i++) {
		const struct mount_op *op = &p->ops[i];
		auto_fd fd = -1;
		int ret;

		if (op->kind == MOUNT_LINK || op->kind == MOUNT_REMOUNT || is_covered(p, i))
			continue;
		ret = mount_make_target(r->m->run.rootfs_tree, op->target, source_is_file(op), 0755,
					&fd, e);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int make_root_mount(struct restoring *r, struct err *e)
{
	struct creation *m = r->m;
	auto_fd at = -1;
	char path[PATH_MAX];
	int ret = sys_mkdirat(m->c.dir.fd, ROOT_MOUNT, 0700);

	if (ret < 0 && ret != -EEXIST)
		return err_sys(e, -ret, ROOT_MOUNT, "make the directory");
	ret = (int)sys_readlinkat(AT_FDCWD, arena_printf(m->arena, "/proc/self/fd/%d", m->c.dir.fd),
				  path, sizeof(path));
	if (ret < 0)
		return err_sys(e, -ret, m->c.id, "find the directory of");
	r->root = arena_printf(m->arena, "%s/" ROOT_MOUNT, path);
	/* by its name, which leads into the namespace that we are in now */
	at = sys_open(r->root, O_PATH | O_DIRECTORY, 0);
	if (at < 0)
		return err_sys(e, -at, r->root, "open");
	return mount_attach(m->run.rootfs_tree, at, r->root, e);
}

/* --- our own mount namespace ------------------------------------------------------------------ */

static int enter_own_mounts(struct restoring *r, struct err *e)
{
	int ret;

	r->cwd = sys_open(".", O_PATH | O_DIRECTORY, 0);
	r->host = sys_open("/proc/self/ns/mnt", O_RDONLY, 0);
	ret = r->host < 0 ? r->host : sys_unshare(CLONE_NEWNS);
	if (ret == 0)
		ret = sys_mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL);
	if (ret == 0)
		ret = r->own = sys_open("/proc/self/ns/mnt", O_RDONLY, 0);
	return ret < 0 ? err_sys(e, -ret, NULL, "make a mount namespace for criu") : 0;
}

static int go_to(int ns, struct err *e)
{
	int ret = sys_setns(ns, CLONE_NEWNS);

	return ret < 0 ? err_sys(e, -ret, NULL, "change the mount namespace") : 0;
}

static int leave_own_mounts(struct restoring *r, struct err *e)
{
	int ret = 0;

	if (r->own >= 0) {
		ret = go_to(r->host, e);
		if (r->cwd >= 0)
			sys_fchdir(r->cwd);
	}
	fd_close(&r->own);
	fd_close(&r->host);
	fd_close(&r->cwd);
	return ret;
}

/* --- CRIU's points of work -------------------------------------------------------------------- */

static int born(void *arg, pid_t pid, struct err *e)
{
	const struct restoring *r = arg;
	struct cgroup *cg = r->m->cgroup;

	return cg && cgroup_needs_join(cg) ? cgroup_join(cg, pid, e) : 0;
}

/* They run in the runtime namespace, which is the caller's. */
static int run_hooks(struct restoring *r, pid_t pid, struct err *e)
{
	struct creation *m = r->m;
	const struct hook_plan *hooks = &m->plan->hooks;
	const char *state;
	int ret;

	if (!hooks->n[HOOK_PRESTART] && !hooks->n[HOOK_CREATE_RUNTIME])
		return 0;
	state = hook_state(m->arena, m->spec, m->c.id, "creating", pid, m->spec->bundle);
	ret = go_to(r->host, e);
	if (ret == 0)
		ret = hook_run_all(hooks, HOOK_PRESTART, state, &m->run.hooks, e);
	if (ret == 0)
		ret = hook_run_all(hooks, HOOK_CREATE_RUNTIME, state, &m->run.hooks, e);
	return ret < 0 ? ret : go_to(r->own, e);
}

/* The processes are there and held: from here on they are a container. */
static int take_over(struct creation *m, pid_t pid, struct err *e)
{
	struct run *run = &m->run;
	int r;

	run->pid = pid;
	run->pidfd = sys_pidfd_open(pid, 0);
	if (run->pidfd < 0)
		return err_sys(e, -run->pidfd, NULL, "open the restored process %d", (int)pid);
	r = rdt_make(m->arena, &run->rdt, &m->plan->rdt, &run->rdt_made, e);
	if (r == 0)
		r = rdt_join(&run->rdt, &m->plan->rdt, pid, e);
	if (r == 0)
		r = run->callbacks.identity(run->callbacks.arg, pid, run->pidfd, e);
	if (r == 0 && m->cgroup)
		r = cgroup_apply_late(m->cgroup, &m->plan->cgroup, e);
	return r;
}

static int take_terminal(struct creation *m, int fd, struct err *e)
{
	if (fd < 0)
		return err_code(e, EPROTO, NULL, "a terminal without a descriptor");
	if (m->run.console >= 0)
		return term_send(m->run.console, fd, e);
	m->run.master = sys_fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return m->run.master < 0 ? err_sys(e, -m->run.master, NULL, "keep the terminal") : 0;
}

static int notify(void *arg, const char *point, pid_t pid, int fd, struct err *e)
{
	struct restoring *r = arg;
	struct creation *m = r->m;

	if (str_eq(point, "setup-namespaces"))
		return run_hooks(r, pid, e);
	if (str_eq(point, "post-restore"))
		return take_over(m, pid, e);
	if (str_eq(point, "orphan-pts-master"))
		return take_terminal(m, fd, e);
	return 0;
}

static int restore(struct restoring *r, struct err *e)
{
	struct creation *m = r->m;
	const struct criu_process how = {
		.path = r->images.criu,
		.stdio = true,
		.cgroup = m->cgroup ? cgroup_birth_fd(m->cgroup) : -1,
		.born = born,
		.notify = notify,
		.arg = r,
	};
	const struct criu_request q = {
		.verb = CRIU_RESTORE,
		.choices = &r->o->choices,
		.images = r->images.dir.fd,
		.work = r->images.work.fd,
		.log_file = LOG_NAME,
		.root = r->root,
		.config_file = r->images.config_file,
		.external = r->external.v,
		.n_external = r->external.n,
		.inherit = r->inherit.v,
		.n_inherit = r->inherit.n,
		.join = r->join.v,
		.n_join = r->join.n,
		.roots = r->roots.v,
		.n_roots = r->roots.n,
	};
	pid_t pid;
	int ret = criu_run(m->arena, &how, &q, &pid, e);

	if (ret == 0 && (pid != m->run.pid || m->run.pidfd < 0))
		ret = err_code(e, EPROTO, r->images.criu,
			       "criu restored process %d and did not tell of it before", (int)pid);
	return ret < 0 ? ret : m->run.callbacks.created(m->run.callbacks.arg, e);
}

static int bring_restored(struct creation *m, void *arg, struct err *e)
{
	struct restoring *r = arg;
	struct err back = { 0 };
	int ret;

	r->m = m;
	ret = make_targets(r, e);
	if (ret == 0)
		ret = make_root_mount(r, e);
	if (ret == 0)
		ret = put_mounts(r, e);
	if (ret == 0)
		ret = put_pipes(r, e);
	if (ret == 0)
		ret = put_namespaces(r, e);
	if (ret == 0) {
		put_cgroups(r);
		ret = restore(r, e);
	}
	close_inherited(r);
	/* back where the state directory is nobody's mount point */
	if (leave_own_mounts(r, &back) < 0)
		log_warning("%s", back.text);
	return ret;
}

/*
 * Before anything is made: the annotation is in the bundle's configuration. After the
 * mount namespace: CRIU's scratch mounts are made where its directory of work is.
 */
static int open_images(struct arena *a, struct restoring *r, const struct create_options *c,
		       struct err *e)
{
	struct spec *spec;

	if (spec_load(a, c->bundle, c->config, &spec, e) < 0)
		return -e->code;
	return images_open(a, r->o, spec_annotation(spec->config, IMAGES_CRIU_CONFIG), false,
			   &r->images, e);
}

int container_restore(const struct context *ctx, const struct create_options *c,
		      const struct image_options *o, int *ret_status, struct err *e)
{
	const struct run_options how = {
		.foreground = !c->detach,
		.console_socket = c->console_socket,
		.pidfd_socket = c->pidfd_socket,
	};
	auto_arena a = arena_make();
	struct restoring r = { .o = o, .images = IMAGES_NONE, .host = -1, .own = -1, .cwd = -1 };
	struct err back = { 0 };
	struct creation m;
	int ret = enter_own_mounts(&r, e);

	if (ret == 0)
		ret = open_images(&a, &r, c, e);
	if (ret == 0)
		ret = creation_make_by(&a, &m, ctx, c, &how, bring_restored, &r, e);
	images_close(&r.images);
	if (leave_own_mounts(&r, &back) < 0)
		log_warning("%s", back.text);
	if (ret < 0)
		return err_note(e, "restore '%s'", c->id);
	*ret_status = 0;
	if (!c->detach)
		ret = creation_stay(&m, ret_status, e);
	creation_close(&m);
	return ret;
}
