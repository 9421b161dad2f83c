/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dev_outside - nodes for a container whose user namespace does not let it make any
 *
 * The host's own nodes need not be there, and have an owner and a mode that are not the
 * configured ones and must not change. So the parent makes further nodes on a tmpfs that
 * is nowhere attached: it belongs to the initial user namespace, whose device nodes work.
 * open_tree(2) clones what is in one's own mount namespace only, thus init covers the
 * container's root with it while it clones a mount of each node, and takes it away.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/sysmacros.h>

#include "base/fd.h"
#include "dev/dev_room.h"
#include "sys/sys.h"

#define NAME_SIZE 32
/* What may be done with the host's nodes in /dev; they are never programs. */
#define ATTRIBUTES (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC)

/* Their paths may be of any depth. */
static void name_node(const struct dev_node *n, char ret[NAME_SIZE])
{
	snprintf(ret, NAME_SIZE, "%u", n->outside);
}

static int make_tree(struct err *e)
{
	auto_fd fs = sys_fsopen("tmpfs", 0);
	int r = fs < 0 ? fs : sys_fsconfig(fs, FSCONFIG_SET_STRING, "source", "devices", 0);

	/* init is nobody in particular there, and goes through the directory */
	if (r >= 0)
		r = sys_fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0711", 0);
	if (r >= 0)
		r = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (r >= 0)
		r = sys_fsmount(fs, 0, ATTRIBUTES);
	return r < 0 ? err_sys(e, -r, "tmpfs", "make for devices a") : r;
}

static int make_node(int tree, const struct dev_node *n, struct err *e)
{
	char name[NAME_SIZE];
	int r;

	name_node(n, name);
	r = sys_mknodat(tree, name, n->type | n->mode, makedev(n->major, n->minor));
	if (r == 0)
		r = sys_fchownat(tree, name, n->host_uid, n->host_gid, AT_SYMLINK_NOFOLLOW);
	return r < 0 ? err_sys(e, -r, n->path, "make device") : 0;
}

int dev_make_outside(const struct dev_plan *p, int *ret_tree, struct err *e)
{
	auto_fd tree = make_tree(e);

	if (tree < 0)
		return tree;
	for (size_t i = 0; i < p->n_nodes; i++)
		if (p->nodes[i].outside && make_node(tree, &p->nodes[i], e) < 0)
			return -e->code;
	*ret_tree = fd_take(&tree);
	return 0;
}

/* --- init ------------------------------------------------------------------------------------- */

int dev_outside_show(int tree, int root, struct err *e)
{
	int r = sys_move_mount(tree, "", root, "",
			       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);

	return r < 0 ? err_sys(e, -r, NULL, "attach the devices that were made outside") : 0;
}

int dev_outside_clone(int tree, const struct dev_node *n, struct err *e)
{
	char name[NAME_SIZE];
	int r;

	name_node(n, name);
	r = sys_open_tree(tree, name, OPEN_TREE_CLONE | AT_SYMLINK_NOFOLLOW);
	return r < 0 ? err_sys(e, -r, n->path, "clone what was made outside for") : r;
}

int dev_outside_hide(int tree, struct err *e)
{
	char link[NAME_SIZE];
	int r;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", tree);
	r = sys_umount2(link, MNT_DETACH);
	return r < 0 ? err_sys(e, -r, NULL, "detach the devices that were made outside") : 0;
}
