/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_apply - mounts[] in order, each on the descriptor of its target
 *
 * What is mounted is complete before it is attached: nobody sees a mount without its
 * flags. Only what must be filled first (late_readonly) gets its last flag at the end.
 */
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "base/trace.h"
#include "mount/mount_room.h"

#define TARGET_MODE 0755

/* --- where ---------------------------------------------------------------------------- */

/* To be taken back: whatever its name leads to by then. */
static int attach_live(struct mount_ctx *m, const struct mount_op *op, int tree, int target,
		       struct err *e)
{
	auto_fd keep = sys_fcntl(tree, F_DUPFD_CLOEXEC, 0);

	if (keep < 0)
		return err_sys(e, -keep, op->target, "keep a descriptor of");
	if (mount_attach(tree, target, op->target, e) < 0)
		return -e->code;
	m->attached = fd_take(&keep);
	return 0;
}

/* A mount on "/" covers the root: from then on it is the root. */
static int attach(struct mount_ctx *m, const struct mount_op *op, int *tree, int target,
		  struct err *e)
{
	int r;

	if (m->live)
		return attach_live(m, op, *tree, target, e);
	r = mount_attach(*tree, target, op->target, e);
	if (r == 0 && str_eq(op->target, "/")) {
		fd_close(&m->root);
		m->root = fd_take(tree);
	}
	return r;
}

/*
 * What the kernel shows of itself is masked by path afterwards: where /proc is a link, the
 * image could let it lead elsewhere in between (CVE-2019-19921, CVE-2023-27561).
 */
static bool is_kernels_own(const struct mount_op *op)
{
	return op->kind == MOUNT_FS && (str_eq(op->type, "proc") || str_eq(op->type, "sysfs"));
}

static unsigned target_how(const struct mount_op *op, bool file)
{
	return (file ? MOUNT_TARGET_FILE : 0) |
	       (op->flags.dest_nofollow ? MOUNT_TARGET_NOFOLLOW : 0) |
	       (is_kernels_own(op) ? MOUNT_TARGET_PLAIN : 0);
}

/*
 * Who can write to the image may rename the place of a mount, and the mount goes with it: what
 * is masked in it is looked up in it. Elsewhere a path means what it does from the root, for
 * the links there are the image's.
 */
static void keep_own(struct mount_ctx *m, const struct mount_op *op, int *tree)
{
	struct statfs fs;

	if (*tree < 0 || m->live || !mount_has_masks(m->plan, op))
		return;
	if (!is_kernels_own(op) && (sys_fstatfs(*tree, &fs) < 0 ||
				    (fs.f_type != PROC_SUPER_MAGIC && fs.f_type != SYSFS_MAGIC)))
		return;
	m->own[op->index] = fd_take(tree);
}

/* "shared" is the last thing that is said, when the tree is where it belongs. */
static int share(const struct mount_op *op, int tree, struct err *e)
{
	int r;

	if (!(op->flags.propagation & MS_SHARED))
		return 0;
	r = mount_set(tree, op->flags.propagation & MS_REC, 0, 0, MS_SHARED);
	return r < 0 ? err_sys(e, -r, op->target, "share") : 0;
}

/*
 * Most mounts lie directly in the tmpfs of the operation before them (/dev/pts in /dev), in
 * which nothing is but what we put there: the target is made without a look. Any other
 * operation, which could have covered the tmpfs, ends that.
 */
static int open_in_fresh(struct mount_ctx *m, const struct mount_op *op)
{
	const char *name = m->fresh.tree < 0 ? NULL : strrchr(op->target, '/');
	size_t len = name ? (size_t)(name - op->target) : 0;
	int fd = -ENOENT;

	if (name && name[1] && strlen(m->fresh.path) == len &&
	    memcmp(m->fresh.path, op->target, len) == 0)
		fd = mount_target_new(m->fresh.tree, name + 1, TARGET_MODE);
	if (fd < 0)
		fd_close(&m->fresh.tree);
	return fd;
}

static int open_target(struct mount_ctx *m, const struct mount_op *op, bool *ret_created,
		       struct err *e)
{
	int fd = open_in_fresh(m, op);

	*ret_created = fd >= 0;
	return fd >= 0 ? fd
		       : mount_target_open(m->root, op->target, target_how(op, false), TARGET_MODE,
					   ret_created, e);
}

/* --- new file systems ----------------------------------------------------------------- */

/*
 * What a user namespace may not mount anew, the host's is shown instead, with its mounts:
 * sysfs without an own network namespace, procfs without an own pid namespace.
 */
static bool host_has_it(const struct mount_plan *p, const struct mount_op *op)
{
	if (str_eq(op->type, "sysfs"))
		return true;
	if (str_eq(op->type, "proc"))
		return !p->own_pid_ns;
	return str_eq(op->type, "mqueue");
}

static int bind_instead(const struct mount_op *op, struct err *e)
{
	struct mount_op bind = *op;
	int tree = -1;

	err_clear(e);
	bind.kind = MOUNT_BIND;
	bind.source = str_eq(op->type, "sysfs")	 ? "/sys"
		      : str_eq(op->type, "proc") ? "/proc"
						 : "/dev/mqueue";
	bind.flags.recursive = true;
	bind.flags.src_nofollow = false;
	mount_flags_top(&op->flags, &bind.flags.rec_set, &bind.flags.rec_clear);
	bind.flags.attr_set = bind.flags.attr_clear = 0;
	log_debug("'%s' is the host's: the kernel allows no new %s here", op->target, op->type);
	if (mount_source_open(NULL, &bind, -1, &tree, e) < 0)
		return err_note(e, "the kernel allows no new %s in this user namespace", op->type);
	return tree;
}

static int make_fs(struct mount_ctx *m, const struct mount_op *op, const char *mode, struct err *e)
{
	int tree;

	if (op->from_parent) {
		tree = m->request_source(m->arg, op->index, -1, e);
		if (tree != -EPERM)
			return tree;
		err_clear(e);
	}
	tree = mount_fs_make(m->plan, op, mode, e);
	if ((tree == -EPERM || tree == -EACCES) && m->plan->in_user_ns && host_has_it(m->plan, op))
		return bind_instead(op, e);
	return tree;
}

/* A tmpfs takes the mode of what it covers, unless it is told another. */
static const char *covered_mode(const struct mount_op *op, int target, bool created, char buf[8])
{
	struct stat st;

	if (created || !str_eq(op->type, "tmpfs") || mount_op_has(op, "mode") ||
	    sys_fstat(target, &st) < 0 || !S_ISDIR(st.st_mode))
		return NULL;
	snprintf(buf, 8, "%o", st.st_mode & 07777);
	return buf;
}

/* What was to be filled first: now, or at the end, when others have mounted on it. */
static int make_readonly(struct mount_ctx *m, const struct mount_op *op, int tree, struct err *e)
{
	uint64_t set, clear;
	int r;

	if (op->late_readonly) {
		m->late[op->index] = sys_fcntl(tree, F_DUPFD_CLOEXEC, 0);
		r = m->late[op->index];
		return r < 0 ? err_sys(e, -r, op->target, "keep a descriptor of") : 0;
	}
	mount_flags_top(&op->flags, &set, &clear);
	if (!op->flags.tmpcopyup || !(set & MOUNT_ATTR_RDONLY))
		return 0;
	r = mount_set(tree, false, MOUNT_ATTR_RDONLY, 0, 0);
	return r < 0 ? err_sys(e, -r, op->target, "make read-only") : 0;
}

/*
 * What fsconfig(2) does not take mount(2) may: there is no other way to ask the kernel what it
 * knows. Where that refuses it as well and says no more, what was said first stays.
 */
static int make_again(struct mount_ctx *m, const struct mount_op *op, int target, struct err *e)
{
	struct err again = { 0 };
	int tree = mount_fs_old_style(m->plan, op, target, NULL, &again);

	if (tree >= 0)
		err_clear(e);
	else if (tree != -EINVAL && tree != -ENAMETOOLONG)
		*e = again;
	return tree >= 0 ? tree : -e->code;
}

static int apply_fs(struct mount_ctx *m, const struct mount_op *op, struct err *e)
{
	bool created;
	auto_fd target = open_target(m, op, &created, e);
	auto_fd tree = -1;
	const char *mode;
	char buf[8];
	int r;

	if (target < 0)
		return target;
	mode = covered_mode(op, target, created, buf);
	tree = mount_fs_is_old_style(op) ? mount_fs_old_style(m->plan, op, target, mode, e)
					 : make_fs(m, op, mode, e);
	if (tree == -EINVAL && mount_fs_has_long_layers(op))
		tree = make_again(m, op, target, e);
	if (tree < 0)
		return tree;
	if (op->flags.tmpcopyup && !created && mount_copyup(target, tree, op, e) < 0)
		return -e->code;
	if (op->label_root && mount_fs_label_root(tree, op, m->plan->label, e) < 0)
		return -e->code;
	if (op->flags.propagation && !(op->flags.propagation & MS_SHARED)) {
		r = mount_set(tree, false, 0, 0, op->flags.propagation);
		if (r < 0)
			return err_sys(e, -r, op->target, "set the propagation of");
	}
	if (make_readonly(m, op, tree, e) < 0)
		return -e->code;
	r = attach(m, op, &tree, target, e);
	if (r == 0 && tree >= 0)
		r = share(op, tree, e);
	if (r == 0 && m->fresh.tree < 0 && str_eq(op->type, "tmpfs") && !op->flags.tmpcopyup)
		m->fresh = (struct mount_fresh){ op->target, fd_take(&tree) };
	if (r == 0)
		keep_own(m, op, &tree);
	return r;
}

/* --- binds ---------------------------------------------------------------------------- */

/* The parent does not see what is mounted in here, and a path would lead to what lies below. */
static int clone_inside(struct mount_ctx *m, const struct mount_op *op, struct err *e)
{
	auto_fd fd = mount_open_in_root(m->root, op->in_root,
					O_PATH | (op->flags.src_nofollow ? O_NOFOLLOW : 0));
	int tree;

	if (fd < 0)
		return mount_path_error(m->root, op->in_root, -fd, "open the source", e);
	tree = mount_clone(fd, "", op->flags.recursive, false);
	return tree < 0 ? err_sys(e, -tree, op->in_root, "clone the source") : tree;
}

static int open_source(struct mount_ctx *m, const struct mount_op *op, struct err *e)
{
	auto_fd tree = op->in_root ? clone_inside(m, op, e) : -1;

	if (op->in_root && tree < 0)
		return tree;
	if (op->from_parent && m->request_source) {
		int r = m->request_source(m->arg, op->index, tree, e);

		if (r != -EPERM)
			return r;
		err_clear(e);
	}
	return mount_source_open(m->plan, op, -1, &tree, e) < 0 ? -e->code : fd_take(&tree);
}

static int apply_bind(struct mount_ctx *m, const struct mount_op *op, struct err *e)
{
	auto_fd tree = open_source(m, op, e);
	auto_fd target = -1;
	struct stat st;
	int r;

	if (tree < 0)
		return tree;
	/* most targets are there: what kind of thing the source is matters only otherwise */
	target = mount_target_find(m->root, op->target,
				   O_PATH | (op->flags.dest_nofollow ? O_NOFOLLOW : 0), e);
	if (target == -ENOENT) {
		r = sys_fstat(tree, &st);
		if (r < 0)
			return err_sys(e, -r, op->source, "look at");
		target =
			mount_target_open(m->root, op->target, target_how(op, !S_ISDIR(st.st_mode)),
					  S_ISDIR(st.st_mode) ? TARGET_MODE : 0644, NULL, e);
	}
	if (target < 0)
		return target;
	r = attach(m, op, &tree, target, e);
	if (r == 0 && tree >= 0)
		r = share(op, tree, e);
	if (r == 0)
		keep_own(m, op, &tree);
	return r;
}

/* copy-symlink: a source that is a link is made again, anything else is bound. */
static int apply_link(struct mount_ctx *m, const struct mount_op *op, struct err *e)
{
	char buf[PATH_MAX], there[PATH_MAX];
	const char *link = op->link;
	auto_fd parent = -1;
	const char *name;
	int r;

	if (!link && sys_readlinkat(AT_FDCWD, op->source, buf, sizeof(buf)) < 0)
		return apply_bind(m, op, e);
	link = link ? link : buf;
	parent = mount_target_parent(m->root, op->target, &name, e);
	if (parent < 0)
		return parent;
	r = sys_symlinkat(link, parent, name);
	if (r == -EEXIST && sys_readlinkat(parent, name, there, sizeof(there)) >= 0 &&
	    str_eq(link, there))
		return 0;
	return r < 0 ? err_sys(e, -r, op->target, "make the link") : 0;
}

/* --- the rest ------------------------------------------------------------------------- */

static int reconfigure(int target, const struct mount_op *op, struct err *e)
{
	auto_fd fs = sys_fspick(target, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH);
	int r = fs < 0 ? fs : 0;

	for (size_t i = 0; i < op->n_data && r == 0; i++)
		r = op->data[i].value
			    ? sys_fsconfig(fs, FSCONFIG_SET_STRING, op->data[i].key,
					   op->data[i].value, 0)
			    : sys_fsconfig(fs, FSCONFIG_SET_FLAG, op->data[i].key, NULL, 0);
	if (r == 0)
		r = sys_fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0);
	return r < 0 ? err_sys(e, -r, op->target, "reconfigure the file system of") : 0;
}

static int apply_remount(struct mount_ctx *m, const struct mount_op *op, struct err *e)
{
	auto_fd target = mount_open_in_root(m->root, op->target, O_PATH);
	int r;

	if (target < 0)
		return mount_path_error(m->root, op->target, -target, "open the target", e);
	if (m->live && !mount_live_find(m->live, target, op->target, e))
		return -e->code;
	if (op->n_data && !op->flags.bind && reconfigure(target, op, e) < 0)
		return -e->code;
	r = mount_set(target, true, op->flags.rec_set, op->flags.rec_clear, 0);
	if (r == 0)
		r = mount_set(target, false, op->flags.attr_set, op->flags.attr_clear, 0);
	if (r == 0)
		r = mount_set(target, op->flags.propagation & MS_REC, 0, 0, op->flags.propagation);
	return r < 0 ? err_sys(e, -r, op->target, "remount") : 0;
}

static int apply_cgroup(struct mount_ctx *m, const struct mount_op *op, struct err *e)
{
	auto_fd target =
		mount_target_open(m->root, op->target, target_how(op, false), TARGET_MODE, NULL, e);

	return target < 0 ? target : mount_cgroup(m, op, target, e);
}

static int apply(struct mount_ctx *m, const struct mount_op *op, struct err *e)
{
	if (op->kind != MOUNT_FS)
		fd_close(&m->fresh.tree);
	switch (op->kind) {
	case MOUNT_FS:
		return apply_fs(m, op, e);
	case MOUNT_BIND:
		return apply_bind(m, op, e);
	case MOUNT_CGROUP:
		return apply_cgroup(m, op, e);
	case MOUNT_REMOUNT:
		return apply_remount(m, op, e);
	case MOUNT_LINK:
		return apply_link(m, op, e);
	}
	return err_code(e, EINVAL, op->target, "an unknown kind of mount");
}

int mount_op_error(const struct mount_op *op, struct err *e)
{
	err_note(e, "mounts[%zu]: %s '%s' on '%s'", op->index, op->type, op->source, op->target);
	return err_set_id(e, "mount");
}

/* A line of CLEAT_TRACE=mount. */
static void tell(const struct mount_op *op)
{
	static const char *const kinds[] = {
		[MOUNT_REMOUNT] = "remount", [MOUNT_BIND] = "bind", [MOUNT_LINK] = "link"
	};
	const char *kind = (size_t)op->kind < COUNT(kinds) ? kinds[op->kind] : NULL;
	char attr[128], options[640];
	uint64_t set, clear;
	size_t n;

	mount_flags_top(&op->flags, &set, &clear);
	mount_attr_print(set, attr, sizeof(attr));
	n = (size_t)snprintf(options, sizeof(options), "%s%s%s", set ? "," : "", set ? attr : "",
			     op->flags.recursive ? ",recursive" : "");
	for (size_t i = 0; i < op->n_data && n < sizeof(options); i++)
		n += (size_t)snprintf(options + n, sizeof(options) - n, ",%s%s%s", op->data[i].key,
				      op->data[i].value ? "=" : "",
				      op->data[i].value ? op->data[i].value : "");
	trace(MOUNT, "%s '%s' on '%s'%s%s", kind ? kind : op->type, op->source, op->target,
	      n ? ": " : "", n ? options + 1 : "");
}

int mount_all(struct mount_ctx *m, struct err *e)
{
	const struct mount_plan *p = m->plan;

	/* init ends by execve or _exit: nobody has to free it */
	m->late = malloc((2 * p->n_ops + 1) * sizeof(*m->late));
	if (!m->late)
		return err_sys(e, ENOMEM, NULL, "make the list of mounts");
	m->own = m->late + p->n_ops;
	for (size_t i = 0; i < 2 * p->n_ops; i++)
		m->late[i] = -1;
	m->fresh.tree = -1;
	for (size_t i = 0; i < p->n_ops; i++) {
		const struct mount_op *op = &p->ops[i];

		if (apply(m, op, e) < 0)
			return mount_op_error(op, e);
		if (trace_mask & TRACE_MOUNT)
			tell(op);
	}
	fd_close(&m->fresh.tree);
	return 0;
}
