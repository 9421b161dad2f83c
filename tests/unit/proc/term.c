/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "proc/proc.h"
#include "sys/sys.h"
#include "unit/proc/place.h"
#include "unit/unit.h"

/* --- the pty --------------------------------------------------------------------------------- */

/* A root with a devpts of its own; returns its descriptor. */
static int make_root(struct arena *a, bool with_devpts)
{
	const char *dev = arena_printf(a, "%s/dev", unit_dir());
	const char *pts = arena_printf(a, "%s/pts", dev);
	int root;

	place_own_mounts();
	place_dir(dev, 0755);
	place_dir(pts, 0755);
	if (with_devpts)
		REQUIRE(mount("devpts", pts, "devpts", 0, "newinstance,ptmxmode=0666") == 0);
	root = open(unit_dir(), O_PATH | O_DIRECTORY | O_CLOEXEC);
	REQUIRE(root >= 0);
	return root;
}

TEST(pty_of_the_container)
{
	auto_arena a = arena_make();
	int root = make_root(&a, true), master = -1, slave = -1;
	struct winsize size = { 0 };
	struct stat by_name, by_fd;
	struct err e = { 0 };

	REQUIRE_OK(term_open_pty(root, 31, 97, &master, &slave, &e), &e);
	CHECK(isatty(slave));
	REQUIRE(ioctl(slave, TIOCGWINSZ, &size) == 0);
	CHECK_INT(size.ws_row, 31);
	CHECK_INT(size.ws_col, 97);
	REQUIRE(fstat(slave, &by_fd) == 0);
	REQUIRE(fstatat(root, "dev/pts/0", &by_name, 0) == 0);
	CHECK(by_fd.st_ino == by_name.st_ino && by_fd.st_dev == by_name.st_dev);
	CHECK_INT(fcntl(master, F_GETFD), FD_CLOEXEC);
	CHECK_INT(fcntl(slave, F_GETFD), FD_CLOEXEC);
	close(master);
	close(slave);
	close(root);
}

TEST(pty_of_nobody)
{
	static const struct {
		const char *what, *link;
		bool devpts;
		const char *want;
	} rows[] = {
		{ "a plain directory", NULL, false, "not on a devpts" },
		{ "a link to the host's", "/dev/pts", false, "" },
		{ "a link to itself", "pts", false, "" },
	};
	auto_arena a = arena_make();
	int root = make_root(&a, false), master = -1, slave = -1;
	const char *pts = arena_printf(&a, "%s/dev/pts", unit_dir());

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err e = { 0 };

		unit_row("%s", rows[i].what);
		if (rows[i].link) {
			REQUIRE(unlinkat(AT_FDCWD, pts, i == 1 ? AT_REMOVEDIR : 0) == 0);
			REQUIRE(symlink(rows[i].link, pts) == 0);
		}
		CHECK(term_open_pty(root, 0, 0, &master, &slave, &e) < 0);
		CHECK_HAS(e.text, rows[i].want);
		CHECK_INT(master, -1);
		CHECK_INT(slave, -1);
	}
	close(root);
}

/* What stands at the multiplexer's name must be the multiplexer of this very devpts. */
TEST(pty_with_a_false_multiplexer)
{
	auto_arena a = arena_make();
	int root = make_root(&a, true), master = -1, slave = -1;
	const char *ptmx = arena_printf(&a, "%s/dev/pts/ptmx", unit_dir());
	struct err e = { 0 };

	if (!place_is_root())
		unit_skip("needs root");
	REQUIRE(mount("/dev/null", ptmx, NULL, MS_BIND, NULL) == 0);
	CHECK_INT(term_open_pty(root, 0, 0, &master, &slave, &e), -EXDEV);
	CHECK_INT(master, -1);
	close(root);
}

/* --- standard streams ------------------------------------------------------------------------ */

TEST(terminal_is_stdio)
{
	auto_arena a = arena_make();
	int root = make_root(&a, true), master = -1, slave = -1, status;
	struct err e = { 0 };
	struct stat st;
	pid_t pid;

	if (!place_is_root())
		unit_skip("needs root");
	REQUIRE_OK(term_open_pty(root, 0, 0, &master, &slave, &e), &e);
	pid = fork();
	if (pid == 0) {
		bool ok = setsid() > 0 && term_make_stdio(slave, 1234, &e) == 0;

		for (int fd = 0; fd < 3; fd++)
			ok = ok && isatty(fd) && fcntl(fd, F_GETFD) == 0;
		ok = ok && tcgetsid(0) == getpid() && fcntl(slave, F_GETFD) < 0;
		_exit(ok ? 0 : 1);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid);
	CHECK_INT(status, 0);
	REQUIRE(fstat(slave, &st) == 0);
	CHECK_INT(st.st_uid, 1234);
	CHECK(st.st_gid != 1234);
	close(master);
	close(slave);
	close(root);
}

/* Streams are given away when they were made for us, never what belongs to the host. */
TEST(stdio_owner)
{
	auto_arena a = arena_make();
	const char *file = arena_printf(&a, "%s/file", unit_dir());
	struct stat null, st;
	struct err e = { 0 };
	int saved[3], p[2], s[2], fd;

	if (!place_is_root())
		unit_skip("needs root");
	for (int i = 0; i < 3; i++)
		saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 10);
	place_file(file, 0600, "");
	fd = open(file, O_RDONLY | O_CLOEXEC);
	REQUIRE(fd >= 0 && pipe2(p, O_CLOEXEC) == 0);
	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) == 0);
	dup2(fd, 0);
	dup2(p[1], 1);
	dup2(s[0], 2);
	CHECK_OK(term_fix_stdio(AT_FDCWD, 1234, &e), &e);
	REQUIRE(fstat(fd, &st) == 0);
	CHECK_INT(st.st_uid, 0);
	REQUIRE(fstat(p[0], &st) == 0);
	CHECK_INT(st.st_uid, 1234);
	REQUIRE(fstat(s[0], &st) == 0);
	CHECK_INT(st.st_uid, 1234);
	close(fd);
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	dup2(fd, 0);
	close(1); /* a stream that is not there is no error */
	CHECK_OK(term_fix_stdio(AT_FDCWD, 1234, &e), &e);
	REQUIRE(stat("/dev/null", &null) == 0);
	CHECK_INT(null.st_uid, 0);
	for (int i = 0; i < 3; i++) {
		dup2(saved[i], i);
		close(saved[i]);
	}
	close(fd);
	close(p[0]);
	close(p[1]);
	close(s[0]);
	close(s[1]);
}

/* --- the console socket ---------------------------------------------------------------------- */

static int listen_at(const char *dir, const char *name)
{
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	REQUIRE(sock >= 0 && dirfd >= 0);
	REQUIRE(sys_bind_unix(sock, dirfd, name) == 0);
	REQUIRE(listen(sock, 1) == 0);
	close(dirfd);
	return sock;
}

/* The other side may look when we have long gone: one message, the name, one descriptor. */
TEST(console_socket)
{
	auto_arena a = arena_make();
	char deep[200], text[4096];
	const char *dir;
	int listener, sock = -1, peer, fds[4], master;
	size_t n_fds = COUNT(fds);
	struct err e = { 0 };
	unsigned number;
	ssize_t n;

	memset(deep, 'd', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	dir = arena_printf(&a, "%s/%s", unit_dir(), deep);
	place_dir(dir, 0700);
	listener = listen_at(dir, "console.sock");
	master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	REQUIRE(master >= 0);
	REQUIRE_OK(term_connect(arena_printf(&a, "%s/console.sock", dir), "console", &sock, &e),
		   &e);
	CHECK_OK(term_send(sock, master, &e), &e);
	close(sock);
	REQUIRE(ioctl(master, TIOCGPTN, &number) == 0);
	close(master);
	peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	REQUIRE(peer >= 0);
	n = sys_recv_fds(peer, text, sizeof(text) - 1, fds, &n_fds, 0);
	REQUIRE(n > 0);
	text[n] = '\0';
	CHECK_STR(text, arena_printf(&a, "/dev/pts/%u", number));
	REQUIRE(n_fds == 1);
	CHECK_INT(ioctl(fds[0], TIOCGPTN, &number), 0);
	CHECK_INT(read(peer, text, 1), 0); /* nothing else, and it is closed */
	close(fds[0]);
	close(peer);
	close(listener);
}

TEST(console_socket_abstract)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), sock = -1, other = -1;
	char name[40];
	struct err e = { 0 };
	int len = snprintf(name, sizeof(name), "@cleat-test-%d", (int)getpid());

	memcpy(address.sun_path + 1, name + 1, (size_t)len - 1);
	REQUIRE(bind(listener, (struct sockaddr *)&address,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)len)) == 0);
	REQUIRE(listen(listener, 1) == 0);
	REQUIRE_OK(term_connect(name, "console", &sock, &e), &e);
	close(sock);
	close(listener);
	CHECK_INT(term_connect(name, "pidfd", &other, &e), -ECONNREFUSED);
	CHECK_HAS(e.text, "connect to the pidfd socket '@cleat-test-");
}

TEST(console_socket_refused)
{
	auto_arena a = arena_make();
	const char *path = arena_printf(&a, "%s/none", unit_dir());
	struct err e = { 0 };
	int sock = -1;

	CHECK_INT(term_connect(path, "console", &sock, &e), -ENOENT);
	CHECK_HAS(e.text, "connect to the console socket");
	CHECK_HAS(e.text, path);
	err_clear(&e);
	place_file(path, 0600, "");
	CHECK_INT(term_connect(path, "console", &sock, &e), -ECONNREFUSED);
	err_clear(&e);
	CHECK(term_connect("/nowhere/at/all", "console", &sock, &e) < 0);
	CHECK_INT(sock, -1);
}
