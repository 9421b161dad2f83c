/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_fs - new file systems: fsopen(2), fsconfig(2) one option at a time, fsmount(2)
 *
 * fsconfig(2) takes values of 255 bytes. The layers of an overlay go one by one, as
 * descriptors where a path is longer; what else is longer, and the flags that only
 * mount(2) knows, take mount(2), in a place of our own. So do layers where the kernel does
 * not know those ways yet (one by one since 6.7, descriptors since 6.13).
 *
 * The kernel says why it refuses on the descriptor that fsopen(2) gave: the line goes
 * into the message.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "mount/mount_room.h"

#define FS_VALUE_MAX  255
#define FS_KERNEL_LOG 512
/* mount(2) copies one page of data */
#define OLD_DATA_MAX 4095

/* What the kernel has to say about the last failure: "e overlay: ..."; "" for nothing. */
static const char *kernel_says(int fs, char buf[FS_KERNEL_LOG])
{
	ssize_t n = sys_read(fs, buf, FS_KERNEL_LOG - 1);

	if (n <= 2)
		return "";
	buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	str_escape_control(buf);
	return buf + 2;
}

static int fs_error(int fs, int r, const char *type, struct err *e, const char *what,
		    const char *name)
{
	char buf[FS_KERNEL_LOG];
	const char *says = kernel_says(fs, buf);

	if (*says)
		return err_sys(e, -r, type, "%s%s (%s) for", what, name, says);
	return err_sys(e, -r, type, "%s%s for", what, name);
}

/* --- options -------------------------------------------------------------------------- */

static int set_text(int fs, const struct mount_data *d)
{
	return d->value ? sys_fsconfig(fs, FSCONFIG_SET_STRING, d->key, d->value, 0)
			: sys_fsconfig(fs, FSCONFIG_SET_FLAG, d->key, NULL, 0);
}

/* A path that is too long for a string goes as what it names. */
static int set_by_descriptor(int fs, const char *key, const char *path)
{
	auto_fd fd = sys_open(path, O_PATH | O_DIRECTORY, 0);

	return fd < 0 ? fd : sys_fsconfig(fs, FSCONFIG_SET_FD, key, NULL, fd);
}

static int set_path(int fs, const char *key, const char *path)
{
	if (strlen(path) > FS_VALUE_MAX)
		return set_by_descriptor(fs, key, path);
	return sys_fsconfig(fs, FSCONFIG_SET_STRING, key, path, 0);
}

/*
 * One layer after the other, topmost first; a colon within a name is escaped. After two colons
 * come those that only have data. What an empty name elsewhere means mount(2) must say.
 */
static int set_layers(int fs, const char *value)
{
	const char *key = "lowerdir+";
	char layer[PATH_MAX];
	size_t used = 0;

	for (const char *p = value;; p++) {
		if (p[0] == '\\' && p[1]) {
			p++;
		} else if (*p == ':' || !*p) {
			int r;

			layer[used] = '\0';
			r = used ? set_path(fs, key, layer) : -EINVAL;
			if (r < 0 || !*p)
				return r;
			key = p[1] == ':' ? "datadir+" : "lowerdir+";
			p += p[1] == ':';
			used = 0;
			continue;
		}
		if (used + 1 >= sizeof(layer))
			return -ENAMETOOLONG;
		layer[used++] = *p;
	}
}

static bool is_long(const struct mount_data *d)
{
	return d->value && strlen(d->value) > FS_VALUE_MAX;
}

static bool is_layer(const struct mount_op *op, const struct mount_data *d)
{
	return str_eq(op->type, "overlay") &&
	       (str_eq(d->key, "lowerdir") || str_eq(d->key, "upperdir") ||
		str_eq(d->key, "workdir"));
}

static int set_one(int fs, const struct mount_op *op, const struct mount_data *d)
{
	if (!is_long(d))
		return set_text(fs, d);
	if (!is_layer(op, d))
		return -ENAMETOOLONG;
	return str_eq(d->key, "lowerdir") ? set_layers(fs, d->value)
					  : set_by_descriptor(fs, d->key, d->value);
}

/* Only what is known to be one of the superblock of this mount alone. */
static bool is_shared_superblock(const char *type)
{
	static const char *const types[] = { "proc", "sysfs", "mqueue", "devpts", "tmpfs" };

	for (size_t i = 0; i < COUNT(types); i++)
		if (str_eq(type, types[i]))
			return true;
	return false;
}

static int set_super_flags(int fs, const struct mount_op *op)
{
	static const struct {
		uint64_t flag;
		const char *name;
	} flags[] = {
		{ MS_SYNCHRONOUS, "sync" },  { MS_DIRSYNC, "dirsync" }, { MS_MANDLOCK, "mand" },
		{ MS_LAZYTIME, "lazytime" }, { MS_RDONLY, "ro" },
	};

	for (size_t i = 0; i < COUNT(flags); i++) {
		int r;

		if (!(op->flags.sb_flags & flags[i].flag))
			continue;
		/* There the attribute of the mount does the same, and the tree can be filled. */
		if (flags[i].flag == MS_RDONLY && is_shared_superblock(op->type))
			continue;
		r = sys_fsconfig(fs, FSCONFIG_SET_FLAG, flags[i].name, NULL, 0);
		if (r < 0)
			return r;
	}
	return 0;
}

/*
 * The kernel's own have labels of their own. The queues of an IPC namespace are a superblock
 * since it was made, and one that is set up takes no context: see mount_fs_label_root().
 */
static bool takes_label(const char *type)
{
	return !str_eq(type, "proc") && !str_eq(type, "sysfs") && !str_starts(type, "cgroup") &&
	       !str_eq(type, "mqueue");
}

bool mount_op_has(const struct mount_op *op, const char *key)
{
	for (size_t i = 0; i < op->n_data; i++)
		if (str_eq(op->data[i].key, key))
			return true;
	return false;
}

static int configure(int fs, const struct mount_plan *p, const struct mount_op *op,
		     const char *mode, struct err *e)
{
	int r = sys_fsconfig(fs, FSCONFIG_SET_STRING, "source", op->source, 0);

	if (r < 0)
		return fs_error(fs, r, op->type, e, "set the source", "");
	for (size_t i = 0; i < op->n_data; i++) {
		r = set_one(fs, op, &op->data[i]);
		if (r == -ENAMETOOLONG)
			return err_sys(e, ENAMETOOLONG, op->type,
				       "option %s: a path of more than %d bytes for",
				       op->data[i].key, PATH_MAX - 1);
		if (r < 0)
			return fs_error(fs, r, op->type, e, "option ", op->data[i].key);
	}
	if (mode && !mount_op_has(op, "mode"))
		r = sys_fsconfig(fs, FSCONFIG_SET_STRING, "mode", mode, 0);
	if (r == 0 && p->label && takes_label(op->type) && !mount_op_has(op, p->label_key))
		r = sys_fsconfig(fs, FSCONFIG_SET_STRING, p->label_key, p->label, 0);
	if (r == 0)
		r = set_super_flags(fs, op);
	return r < 0 ? fs_error(fs, r, op->type, e, "set flags", "") : 0;
}

/* --- making --------------------------------------------------------------------------- */

static int fs_open(const char *type, struct err *e)
{
	int fs = sys_fsopen(type, FSOPEN_CLOEXEC);

	if (fs == -ENODEV) {
		err_sys(e, ENODEV, type, "the kernel has no file system of type");
		return err_set_id(e, "mount-type");
	}
	return fs < 0 ? err_sys(e, -fs, type, "open the file system") : fs;
}

static int fs_create(int fs, const char *type, unsigned attr, struct err *e)
{
	int r = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);

	if (r < 0)
		return fs_error(fs, r, type, e, "create the superblock", "");
	r = sys_fsmount(fs, FSMOUNT_CLOEXEC, attr);
	return r < 0 ? fs_error(fs, r, type, e, "make a mount", "") : r;
}

int mount_fs_make(const struct mount_plan *p, const struct mount_op *op, const char *mode,
		  struct err *e)
{
	uint64_t attr, none;
	auto_fd fs = fs_open(op->type, e);

	if (fs < 0)
		return fs;
	if (configure(fs, p, op, mode, e) < 0)
		return -e->code;
	mount_flags_top(&op->flags, &attr, &none);
	if (op->late_readonly || op->flags.tmpcopyup)
		attr &= ~(uint64_t)MOUNT_ATTR_RDONLY;
	return fs_create(fs, op->type, (unsigned)attr, e);
}

int mount_fs_label_root(int tree, const struct mount_op *op, const char *label, struct err *e)
{
	auto_fd root = sys_openat(tree, ".", O_RDONLY | O_DIRECTORY, 0);
	int r = root < 0 ? root : sys_fsetxattr(root, "security.selinux", label, strlen(label) + 1);

	return r < 0 ? err_sys(e, -r, op->target, "linux.mountLabel: label") : 0;
}

int mount_fs_simple(const char *type, const struct mount_data *data, size_t n, unsigned attr,
		    struct err *e)
{
	auto_fd fs = fs_open(type, e);

	if (fs < 0)
		return fs;
	for (size_t i = 0; i < n; i++) {
		int r = set_text(fs, &data[i]);

		if (r < 0)
			return fs_error(fs, r, type, e, "option ", data[i].key);
	}
	return fs_create(fs, type, attr, e);
}

/* --- mount(2) ------------------------------------------------------------------------- */

/* Not of a server: "host:/path", "//host/path". */
static bool is_path(const char *text)
{
	return text && text[0] == '/' && text[1] != '/';
}

bool mount_fs_has_files(const struct mount_op *op)
{
	if (op->kind != MOUNT_FS || is_shared_superblock(op->type))
		return false;
	for (size_t i = 0; i < op->n_data; i++)
		if (is_path(op->data[i].value))
			return true;
	return is_path(op->source);
}

bool mount_fs_is_old_style(const struct mount_op *op)
{
	if (op->flags.sb_flags & MS_I_VERSION)
		return true;
	for (size_t i = 0; i < op->n_data; i++)
		if (is_long(&op->data[i]) && !is_layer(op, &op->data[i]))
			return true;
	return false;
}

bool mount_fs_has_long_layers(const struct mount_op *op)
{
	for (size_t i = 0; i < op->n_data; i++)
		if (is_long(&op->data[i]) && is_layer(op, &op->data[i]))
			return true;
	return false;
}

static int join_data(const struct mount_plan *p, const struct mount_op *op, const char *mode,
		     char *buf, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < op->n_data; i++) {
		const struct mount_data *d = &op->data[i];

		used += (size_t)snprintf(buf + used, size - used, "%s%s%s%s", used ? "," : "",
					 d->key, d->value ? "=" : "", d->value ? d->value : "");
		if (used >= size)
			return -ENAMETOOLONG;
	}
	if (mode && !mount_op_has(op, "mode"))
		used += (size_t)snprintf(buf + used, size - used, "%smode=%s", used ? "," : "",
					 mode);
	if (used < size && p->label && takes_label(op->type) && !mount_op_has(op, p->label_key))
		used += (size_t)snprintf(buf + used, size - used, "%s%s=\"%s\"", used ? "," : "",
					 p->label_key, p->label);
	return used >= size ? -ENAMETOOLONG : 0;
}

/* Their numbers in mount_setattr(2) differ from those in mount(2). */
static unsigned long old_flags(const struct mount_flags *f)
{
	static const struct {
		uint64_t attr;
		unsigned long flag;
	} pairs[] = {
		{ MOUNT_ATTR_RDONLY, MS_RDONLY },
		{ MOUNT_ATTR_NOSUID, MS_NOSUID },
		{ MOUNT_ATTR_NODEV, MS_NODEV },
		{ MOUNT_ATTR_NOEXEC, MS_NOEXEC },
		{ MOUNT_ATTR_NOATIME, MS_NOATIME },
		{ MOUNT_ATTR_STRICTATIME, MS_STRICTATIME },
		{ MOUNT_ATTR_NODIRATIME, MS_NODIRATIME },
		{ MOUNT_ATTR_NOSYMFOLLOW, 256 /* MS_NOSYMFOLLOW */ },
	};
	unsigned long flags = (unsigned long)f->sb_flags;
	uint64_t set, clear;

	mount_flags_top(f, &set, &clear);
	for (size_t i = 0; i < COUNT(pairs); i++)
		if (set & pairs[i].attr)
			flags |= pairs[i].flag;
	return flags;
}

/* A tmpfs that nobody can change, with a directory "m" to mount on. */
static int scratch_make(struct err *e)
{
	const struct mount_data mode = { "mode", "700" };
	auto_fd dir = mount_fs_simple("tmpfs", &mode, 1, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, e);
	int r;

	if (dir < 0)
		return dir;
	r = sys_mkdirat(dir, "m", 0700);
	if (r == 0)
		r = mount_set(dir, false, MOUNT_ATTR_RDONLY, 0, 0);
	return r < 0 ? err_sys(e, -r, NULL, "make a place to mount on") : fd_take(&dir);
}

/* In the scratch directory: mount, and take a clone. */
static int mount_and_clone(int dir, const struct mount_op *op, unsigned long flags,
			   const char *data, struct err *e)
{
	auto_fd top = -1;
	int r = mount_set(dir, false, 0, 0, MS_PRIVATE);

	if (r == 0)
		r = sys_fchdir(dir);
	if (r < 0)
		return err_sys(e, -r, op->target, "prepare mount(2) on");
	r = sys_mount(op->source, "m", op->type, flags, data);
	if (r < 0)
		return err_sys(e, -r, op->type, "mount(2) the file system");
	top = sys_openat(dir, "m", O_PATH | O_NOFOLLOW, 0);
	r = top < 0 ? top : mount_clone(top, "", false, false);
	return r < 0 ? err_sys(e, -r, op->target, "clone what was mounted for") : r;
}

/*
 * mount(2) takes a name, and a mount that is attached by name is found by name again. Those
 * must be nobody's to exchange: so it is done within a file system of our own that covers the
 * target meanwhile, with names from our working directory, since /proc may not be ours.
 */
static int mount_by_name(const struct mount_op *op, int target, unsigned long flags,
			 const char *data, struct err *e)
{
	auto_fd cwd = sys_open(".", O_PATH | O_DIRECTORY, 0);
	auto_fd dir = scratch_make(e);
	auto_fd tree = -1;
	int r;

	if (dir < 0 || mount_attach(dir, target, op->target, e) < 0)
		return -e->code;
	tree = mount_and_clone(dir, op, flags, data, e);
	r = sys_fchdir(dir);
	if (r == 0)
		r = sys_umount2(".", MNT_DETACH);
	if (r == 0)
		r = cwd < 0 ? sys_chdir("/") : sys_fchdir(cwd);
	if (r < 0 && tree >= 0)
		return err_sys(e, -r, op->target, "uncover");
	return fd_take(&tree);
}

int mount_fs_old_style(const struct mount_plan *p, const struct mount_op *op, int target,
		       const char *mode, struct err *e)
{
	char data[OLD_DATA_MAX + 1] = "";
	unsigned long flags = old_flags(&op->flags);
	int r = join_data(p, op, mode, data, sizeof(data));

	if (r < 0)
		return err_sys(e, ENAMETOOLONG, op->type,
			       "more than %d bytes of options, or one of more than %d, for",
			       OLD_DATA_MAX, FS_VALUE_MAX);
	if (op->flags.idmap || str_eq(op->target, "/"))
		return err_user(
			e, op->target,
			"options that only mount(2) can carry go neither with an id mapping "
			"nor with a mount on '/'");
	if (op->late_readonly || op->flags.tmpcopyup)
		flags &= ~(unsigned long)MS_RDONLY;
	return mount_by_name(op, target, flags, data, e);
}
