/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dev_apply - make the nodes and the links
 *
 * A node is made; where that is not allowed (mknod(2): never in a user namespace) one that
 * was made outside, or the host's node of that number, is bound. What stands there already
 * is right when it is that very device, and is covered when it is the empty file of an
 * earlier bind; config-linux.md wants an error for anything else.
 *
 * Only what was made here changes its owner: what was there is the image's, and what
 * was bound is the host's.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/sysmacros.h>

#include "base/fd.h"
#include "base/str.h"
#include "dev/dev_room.h"
#include "sys/sys.h"

/* The directory that was used last: nearly all are /dev itself. */
struct place {
	int root, dir, outside;
	const char *path; /* that @dir is the parent of */
	size_t len;	  /* of the parent's name in it */
};

static int find_place(struct place *p, const char *path, const char **ret_name, struct err *e)
{
	size_t len = (size_t)(strrchr(path, '/') - path);

	if (p->dir >= 0 && len == p->len && memcmp(path, p->path, len) == 0) {
		*ret_name = path + len + 1;
		return 0;
	}
	fd_close(&p->dir);
	p->path = path;
	p->len = len;
	return dev_open_parent(p->root, path, &p->dir, ret_name, e);
}

/* --- the host's node ------------------------------------------------------------------------- */

/* A detached mount of @path where that is the device; -ENODEV where it is another. */
static int clone_device(const char *path, const struct dev_node *n)
{
	auto_fd tree = sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | AT_SYMLINK_NOFOLLOW);
	struct stat st;
	int r;

	if (tree < 0)
		return tree;
	r = sys_fstat(tree, &st);
	if (r < 0)
		return r;
	return dev_is_node(&st, n) ? fd_take(&tree) : -ENODEV;
}

/* By its name in the container, else by its number as udev(7) links it. */
static int open_host_device(const struct dev_node *n)
{
	char path[64], name[64];
	const char *kind = n->type == S_IFBLK ? "block" : "char";
	int tree = clone_device(n->path, n);
	ssize_t len;

	if (tree != -ENOENT && tree != -ENODEV)
		return tree;
	snprintf(path, sizeof(path), "/dev/%s/%u:%u", kind, n->major, n->minor);
	len = sys_readlinkat(AT_FDCWD, path, name, sizeof(name));
	if (len <= 0)
		return tree;
	if (name[0] == '/')
		return clone_device(name, n);
	snprintf(path, sizeof(path), "/dev/%s/%.40s", kind, name);
	return clone_device(path, n);
}

static int bind_node(const struct place *p, const char *name, const struct dev_node *n,
		     struct err *e)
{
	bool made = n->outside && p->outside >= 0;
	auto_fd tree = made ? dev_outside_clone(p->outside, n, e) : open_host_device(n);

	if (tree < 0 && made)
		return tree;
	if (tree < 0)
		return err_sys(e, -tree, n->path, "find the host's device %u:%u for", n->major,
			       n->minor);
	return dev_attach_file(tree, p->dir, name, n->path, n, e);
}

/* --- a node of our own ------------------------------------------------------------------------ */

static int give_away(const struct place *p, const char *name, const struct dev_node *n,
		     struct err *e)
{
	auto_fd fd = sys_openat(p->dir, name, O_PATH | O_NOFOLLOW, 0);
	struct stat st;
	int r = fd < 0 ? fd : sys_fstat(fd, &st);

	if (r >= 0 && !dev_is_node(&st, n))
		r = -EEXIST;
	if (r >= 0)
		r = sys_fchownat(fd, "", n->uid, n->gid, AT_EMPTY_PATH);
	return r < 0 ? err_sys(e, -r, n->path, "give to %u:%u the device", n->uid, n->gid) : 0;
}

static int keep_node(const struct place *p, const char *name, const struct dev_node *n,
		     struct err *e)
{
	struct stat st;
	int r = sys_fstatat(p->dir, name, &st, AT_SYMLINK_NOFOLLOW);

	if (r < 0)
		return err_sys(e, -r, n->path, "look at");
	if (dev_is_node(&st, n))
		return 0;
	if (S_ISREG(st.st_mode) && st.st_size == 0 && n->type != S_IFIFO)
		return bind_node(p, name, n, e);
	return err_code(e, EEXIST, n->path, "make device '%s': something else is there", n->path);
}

/* The umask is 0: the mode is exact. */
static int make_node(const struct place *p, const char *name, const struct dev_node *n,
		     struct err *e)
{
	int r = sys_mknodat(p->dir, name, n->type | n->mode, makedev(n->major, n->minor));

	if (r == -EEXIST)
		return keep_node(p, name, n, e);
	if (r == -EPERM && n->type != S_IFIFO)
		return bind_node(p, name, n, e);
	if (r < 0)
		return err_sys(e, -r, n->path, "make device");
	return n->uid || n->gid ? give_away(p, name, n, e) : 0;
}

/* --- links ------------------------------------------------------------------------------------ */

/* A link or a device of the image's stays; the empty file of an earlier bind does not. */
static int replace_link(const struct place *p, const char *name, const struct dev_link *l,
			struct err *e)
{
	struct stat st;
	int r = sys_fstatat(p->dir, name, &st, AT_SYMLINK_NOFOLLOW);

	if (r < 0)
		return err_sys(e, -r, l->path, "look at");
	if (S_ISLNK(st.st_mode) || S_ISCHR(st.st_mode))
		return 0;
	if (!S_ISREG(st.st_mode) || st.st_size)
		return err_code(e, EEXIST, l->path, "make link '%s': something else is there",
				l->path);
	r = sys_unlinkat(p->dir, name, 0);
	if (r == 0)
		r = sys_symlinkat(l->target, p->dir, name);
	return r < 0 ? err_sys(e, -r, l->path, "replace by a link") : 0;
}

static int make_link(const struct place *p, const char *name, const struct dev_link *l,
		     struct err *e)
{
	int r = sys_symlinkat(l->target, p->dir, name);

	if (r == -EEXIST)
		return replace_link(p, name, l, e);
	return r < 0 ? err_sys(e, -r, l->path, "make link") : 0;
}

static int make_all(const struct dev_plan *plan, int root, int outside, struct err *e)
{
	struct place p = { .root = root, .dir = -1, .outside = outside };
	int r = 0;

	for (size_t i = 0; i < plan->n_nodes && r == 0; i++) {
		const struct dev_node *n = &plan->nodes[i];
		const char *name = NULL;

		r = find_place(&p, n->path, &name, e);
		if (r == 0)
			r = plan->bind && n->type != S_IFIFO ? bind_node(&p, name, n, e)
							     : make_node(&p, name, n, e);
	}
	for (size_t i = 0; i < plan->n_links && r == 0; i++) {
		const char *name = NULL;

		r = find_place(&p, plan->links[i].path, &name, e);
		if (r == 0)
			r = make_link(&p, name, &plan->links[i], e);
	}
	fd_close(&p.dir);
	return r;
}

int dev_apply(const struct dev_plan *plan, int root, int outside, struct err *e)
{
	int r = outside < 0 ? 0 : dev_outside_show(outside, root, e);

	if (r == 0)
		r = make_all(plan, root, outside, e);
	if (r == 0 && outside >= 0)
		r = dev_outside_hide(outside, e);
	return r;
}
