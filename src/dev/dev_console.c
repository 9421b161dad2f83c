/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dev_console - /dev/console is the container's terminal
 *
 * The source is the descriptor of the slave, never a name below the root, and it is
 * proved once more before it is mounted: a pty is a character device of the pts range
 * on a devpts. CVE-2025-52565 and CVE-2026-88264 were each one such check missing.
 */
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/sysmacros.h>

#include "base/fd.h"
#include "dev/dev_room.h"
#include "sys/sys.h"

#define PTY_SLAVE_MAJOR	    136 /* to 143: Documentation/admin-guide/devices.txt */
#define PTY_SLAVE_MAJOR_END 143

static int check_pty(int slave, struct err *e)
{
	struct statfs fs = { 0 };
	struct stat st = { 0 };
	int r = sys_fstat(slave, &st);

	if (r == 0)
		r = sys_fstatfs(slave, &fs);
	if (r < 0)
		return err_sys(e, -r, NULL, "look at the terminal");
	if (!S_ISCHR(st.st_mode) || major(st.st_rdev) < PTY_SLAVE_MAJOR ||
	    major(st.st_rdev) > PTY_SLAVE_MAJOR_END || fs.f_type != DEVPTS_SUPER_MAGIC)
		return err_user(e, "/dev/console", "what should become /dev/console is no pty");
	return 0;
}

int dev_console(int root, int slave, struct err *e)
{
	auto_fd dir = -1, tree = -1;
	const char *name = NULL;
	int r = check_pty(slave, e);

	if (r == 0)
		r = dev_open_parent(root, "/dev/console", &dir, &name, e);
	if (r < 0)
		return r;
	tree = sys_open_tree(slave, "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
	if (tree < 0)
		return err_sys(e, -tree, "/dev/console", "clone the terminal for");
	return dev_attach_file(tree, dir, name, "/dev/console", NULL, e);
}
