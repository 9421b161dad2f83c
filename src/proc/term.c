/* SPDX-License-Identifier: Apache-2.0 */
/*
 * term - the container's terminal, and standard streams that are none
 *
 * The pty comes from the container's own devpts, found by descriptor below its root. By
 * then an image or a mount of the configuration may have put anything at these names, so
 * each thing is proved before it is used: the file system by its magic, the multiplexer
 * and the slave by type and device number, and the slave is the kernel's answer to the
 * master (TIOCGPTPEER), never a name.
 */
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "proc/proc.h"
#include "sys/sys.h"

#define PTMX_DEV	makedev(5, 2)
#define PTY_SLAVE_MAJOR 136

/* --- the pty --------------------------------------------------------------------------------- */

static int check_devpts(int fd, const char *name, struct err *e)
{
	struct statfs fs;
	int r = sys_fstatfs(fd, &fs);

	if (r < 0)
		return err_sys(e, -r, name, "look at the file system of");
	if (fs.f_type != DEVPTS_SUPER_MAGIC)
		return err_user(e, name, "process.terminal: '%s' is not on a devpts", name);
	return 0;
}

static int check_device(int fd, const char *name, dev_t device, struct err *e)
{
	struct stat st;
	int r = sys_fstat(fd, &st);

	if (r < 0)
		return err_sys(e, -r, name, "look at");
	if (!S_ISCHR(st.st_mode) || st.st_rdev != device)
		return err_user(e, name, "process.terminal: '%s' is not the device it should be",
				name);
	return check_devpts(fd, name, e);
}

static int open_master(int root, struct err *e)
{
	auto_fd pts = sys_openat2(root, "dev/pts", O_PATH | O_DIRECTORY, 0,
				  RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	auto_fd master = -1;

	if (pts < 0)
		return err_sys(e, -pts, "/dev/pts", "process.terminal: open");
	if (check_devpts(pts, "/dev/pts", e) < 0)
		return -e->code;
	master = sys_openat2(pts, "ptmx", O_RDWR | O_NOCTTY, 0,
			     RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
	if (master < 0)
		return err_sys(e, -master, "/dev/pts/ptmx", "process.terminal: open");
	if (check_device(master, "/dev/pts/ptmx", PTMX_DEV, e) < 0)
		return -e->code;
	return fd_take(&master);
}

static int open_slave(int master, struct err *e)
{
	unsigned number = 0;
	auto_fd slave = -1;
	int unlock = 0, r;
	char name[32];

	r = sys_ioctl(master, TIOCSPTLCK, &unlock);
	if (r < 0)
		return err_sys(e, -r, NULL, "unlock the pty");
	r = sys_ioctl(master, TIOCGPTN, &number);
	if (r < 0)
		return err_sys(e, -r, NULL, "ask for the number of the pty");
	snprintf(name, sizeof(name), "/dev/pts/%u", number);
	slave = sys_ioctl(master, TIOCGPTPEER, (void *)(uintptr_t)(O_RDWR | O_NOCTTY | O_CLOEXEC));
	if (slave < 0)
		return err_sys(e, -slave, name, "open the pty");
	if (check_device(slave, name, makedev(PTY_SLAVE_MAJOR, number), e) < 0)
		return -e->code;
	return fd_take(&slave);
}

int term_open_pty(int root, uint16_t rows, uint16_t cols, int *ret_master, int *ret_slave,
		  struct err *e)
{
	struct winsize size = { .ws_row = rows, .ws_col = cols };
	auto_fd master = open_master(root, e), slave = -1;
	int r;

	if (master < 0)
		return master;
	slave = open_slave(master, e);
	if (slave < 0)
		return slave;
	if (rows || cols) {
		r = sys_ioctl(master, TIOCSWINSZ, &size);
		if (r < 0)
			return err_sys(e, -r, "process.consoleSize", "set the terminal's size");
	}
	*ret_master = fd_take(&master);
	*ret_slave = fd_take(&slave);
	return 0;
}

/* --- standard streams ------------------------------------------------------------------------ */

/* Only the user: the group may not be mapped. */
static int give_to(int fd, uid_t uid)
{
	int r = sys_fchown(fd, uid, (gid_t)-1);

	return r == -EPERM || r == -EINVAL || r == -EROFS ? 0 : r;
}

int term_make_stdio(int slave, uid_t uid, struct err *e)
{
	auto_fd own = slave;
	int r = give_to(slave, uid);

	if (r < 0)
		return err_sys(e, -r, NULL, "give the terminal to user %u", uid);
	r = sys_ioctl(slave, TIOCSCTTY, NULL);
	if (r < 0)
		return err_sys(e, -r, NULL, "make the pty the controlling terminal");
	for (int fd = 0; fd < 3 && r >= 0; fd++) {
		if (fd == slave)
			r = fd_set_cloexec(fd, false);
		else
			r = sys_dup3(slave, fd, 0);
	}
	if (r < 0)
		return err_sys(e, -r, NULL, "make the terminal the standard streams");
	if (own < 3)
		fd_take(&own); /* it is one of them */
	return 0;
}

static bool is_null(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

/*
 * The host's /dev/null is on a mount that the container does not have, which checkpointing
 * trips over. Where the container has one of its own that one is taken; looked at first,
 * since merely opening some other device can do something.
 */
static int open_null(int root)
{
	const uint64_t confine =
		RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | (root >= 0 ? RESOLVE_IN_ROOT : 0);
	auto_fd handle = sys_openat2(root, "/dev/null", O_PATH, 0, confine);
	auto_fd null = -1;
	struct stat st;

	if (handle < 0 || sys_fstat(handle, &st) < 0 || !is_null(&st))
		return -1;
	null = sys_openat2(root, "/dev/null", O_RDWR | O_NOCTTY, 0, confine);
	if (null < 0 || sys_fstat(null, &st) < 0 || !is_null(&st))
		return -1;
	return fd_take(&null);
}

/*
 * A program may open its own /dev/stdout again, which takes the right to the inode. Pipes
 * and sockets were made for this container; a terminal, a device or a file of the host
 * that a shell put there is somebody's and stays his.
 */
int term_fix_stdio(int root, uid_t uid, struct err *e)
{
	bool looked = false;
	auto_fd null = -1;

	for (int fd = 0; fd < 3; fd++) {
		struct stat st;
		int r = 0;

		if (sys_fstat(fd, &st) < 0)
			continue;
		if (is_null(&st) && !looked) {
			null = open_null(root);
			looked = true;
		}
		if (is_null(&st) && null >= 0)
			r = sys_dup3(null, fd, 0);
		if (r < 0)
			return err_sys(e, -r, "/dev/null", "take standard stream %d from", fd);
		if (st.st_uid == uid || (!S_ISFIFO(st.st_mode) && !S_ISSOCK(st.st_mode)))
			continue;
		r = give_to(fd, uid);
		if (r < 0)
			return err_sys(e, -r, NULL, "give standard stream %d to user %u", fd, uid);
	}
	return 0;
}

/* --- the console socket ---------------------------------------------------------------------- */

/* "@name", as unix(7) writes what is no file. */
static int connect_abstract(const char *path, const char *what, int *ret_fd, struct err *e)
{
	auto_fd sock = sys_socket(AF_UNIX, SOCK_STREAM, 0);
	int r = sock < 0 ? sock : sys_connect_abstract(sock, path + 1);

	if (r < 0)
		return err_sys(e, -r, path, "connect to the %s socket", what);
	*ret_fd = fd_take(&sock);
	return 0;
}

/* Through the directory's descriptor, so that the 108 bytes of an address do not limit it. */
int term_connect(const char *path, const char *what, int *ret_fd, struct err *e)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path, *parent = ".";
	auto_arena a = arena_make();
	auto_fd dir = -1, sock = -1;
	int r;

	if (path[0] == '@')
		return connect_abstract(path, what, ret_fd, e);
	if (slash)
		parent = arena_strndup(&a, path, (size_t)(name - path)); /* "/", "/run/" */
	dir = sys_open(parent, O_PATH | O_DIRECTORY, 0);
	if (dir < 0)
		return err_sys(e, -dir, path, "connect to the %s socket", what);
	sock = sys_socket(AF_UNIX, SOCK_STREAM, 0);
	if (sock < 0)
		return err_sys(e, -sock, NULL, "make a socket");
	r = sys_connect_unix(sock, dir, name);
	if (r < 0)
		return err_sys(e, -r, path, "connect to the %s socket", what);
	*ret_fd = fd_take(&sock);
	return 0;
}

/* One message and no answer: the other side may accept it when we are gone. */
int term_send(int console_socket_fd, int master, struct err *e)
{
	unsigned number = 0;
	char name[32];
	ssize_t n;
	int len, r = sys_ioctl(master, TIOCGPTN, &number);

	if (r < 0)
		return err_sys(e, -r, NULL, "ask for the number of the pty");
	len = snprintf(name, sizeof(name), "/dev/pts/%u", number);
	n = sys_send_fds(console_socket_fd, name, (size_t)len, &master, 1, MSG_NOSIGNAL);
	if (n != len)
		return err_sys(e, n < 0 ? (int)-n : EIO, NULL,
			       "send the terminal to the console socket");
	return 0;
}
