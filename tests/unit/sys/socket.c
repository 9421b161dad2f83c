/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/fd.h"
#include "sys/sys.h"
#include "unit/unit.h"

static bool same_file(int a, int b)
{
	struct stat x, y;

	return sys_fstat(a, &x) == 0 && sys_fstat(b, &y) == 0 && x.st_ino == y.st_ino &&
	       x.st_dev == y.st_dev;
}

static void close_all(int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fd_close(&fds[i]);
}

TEST(descriptors_travel)
{
	auto_fd file = sys_open(unit_dir(), O_PATH, 0);
	int pair[2], got[4] = { -1, -1, -1, -1 }, sent[2] = { file, STDERR_FILENO };
	char buf[16] = "";
	size_t n = 4;

	REQUIRE(sys_socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
	CHECK_INT(sys_send_fds(pair[0], "hello", 5, sent, 2, 0), 5);
	CHECK_INT(sys_recv_fds(pair[1], buf, sizeof(buf), got, &n, 0), 5);
	CHECK_STR(buf, "hello");
	CHECK_INT((intmax_t)n, 2);
	CHECK(same_file(got[0], file) && same_file(got[1], STDERR_FILENO));
	CHECK(fcntl(got[0], F_GETFD) == FD_CLOEXEC);
	close_all(got, 2);

	/* none, and more than are wanted: the unit frame sees if one stays open */
	n = 4;
	CHECK_INT(sys_send_fds(pair[0], "x", 1, NULL, 0, 0), 1);
	CHECK_INT(sys_recv_fds(pair[1], buf, sizeof(buf), got, &n, 0), 1);
	CHECK_INT((intmax_t)n, 0);
	n = 1;
	CHECK_INT(sys_send_fds(pair[0], "x", 1, sent, 2, 0), 1);
	CHECK_INT(sys_recv_fds(pair[1], buf, sizeof(buf), got, &n, 0), 1);
	CHECK_INT((intmax_t)n, 1);
	CHECK(same_file(got[0], file));
	close_all(got, 1);
	n = 0;
	CHECK_INT(sys_send_fds(pair[0], "x", 1, sent, 2, 0), 1);
	CHECK_INT(sys_recv_fds(pair[1], buf, sizeof(buf), NULL, &n, 0), 1);
	CHECK_INT((intmax_t)n, 0);

	/* a message that is too long is refused whole */
	n = 4;
	CHECK_INT(sys_send_fds(pair[0], "0123456789abcdefXYZ", 19, sent, 2, 0), 19);
	CHECK_INT(sys_recv_fds(pair[1], buf, sizeof(buf), got, &n, 0), -EMSGSIZE);
	CHECK_INT((intmax_t)n, 0);

	n = 4;
	CHECK_INT(sys_recv_fds(pair[1], buf, sizeof(buf), got, &n, MSG_DONTWAIT), -EAGAIN);
	CHECK_INT((intmax_t)n, 0);
	CHECK_INT(sys_send_fds(pair[0], "x", 1, sent, 9, 0), -EINVAL);
	close(pair[1]);
	/* and no SIGPIPE */
	CHECK_INT(sys_send_fds(pair[0], "x", 1, NULL, 0, 0), -EPIPE);
	close(pair[0]);
}

/* A sender with more descriptors than anybody asked for leaves none of them with us. */
TEST(a_flood_of_descriptors)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(200 * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { "x", 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control.room,
			    .msg_controllen = sizeof(control.room) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	int pair[2], got[2] = { -1, -1 };
	size_t n = 2;
	char buf[4];

	REQUIRE(sys_socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(200 * sizeof(int));
	for (size_t i = 0; i < 200; i++)
		memcpy(CMSG_DATA(c) + i * sizeof(int), &pair[0], sizeof(int));
	CHECK_INT(sys_sendmsg(pair[0], &m, 0), 1);
	CHECK_INT(sys_recv_fds(pair[1], buf, sizeof(buf), got, &n, 0), 1);
	CHECK_INT((intmax_t)n, 2);
	close_all(got, 2);
	close_all(pair, 2);
}

/* Listen on @name below @dirfd and exchange a byte. */
static void exchange(int dirfd, const char *name, int connect_dirfd, const char *connect_name)
{
	auto_fd server = sys_socket(AF_UNIX, SOCK_SEQPACKET, 0);
	auto_fd client = sys_socket(AF_UNIX, SOCK_SEQPACKET, 0);
	auto_fd peer = -1;
	char c = 0;

	CHECK_INT(sys_bind_unix(server, dirfd, name), 0);
	CHECK_INT(sys_connect_unix(client, connect_dirfd, connect_name), -ECONNREFUSED);
	CHECK_INT(sys_listen(server, 1), 0);
	CHECK_INT(sys_connect_unix(client, connect_dirfd, connect_name), 0);
	peer = sys_accept(server);
	REQUIRE(peer >= 0);
	CHECK(fcntl(peer, F_GETFD) == FD_CLOEXEC);
	CHECK_INT(sys_send_fds(client, "!", 1, NULL, 0, 0), 1);
	CHECK_INT(sys_read(peer, &c, 1), 1);
	CHECK_INT(c, '!');
	CHECK_INT(sys_bind_unix(client, dirfd, name), -EADDRINUSE);
}

TEST(addresses)
{
	auto_dir top = DIR_NONE, deep = DIR_NONE;
	char rel[600] = "", name[100], path[1000];
	auto_fd fd = sys_socket(AF_UNIX, SOCK_SEQPACKET, 0);

	REQUIRE(dir_open(unit_dir(), &top, NULL) == 0);
	for (int i = 0; i < 5; i++) {
		snprintf(rel + i * 101, sizeof(rel) - (size_t)i * 101, "%0100d/", i);
		REQUIRE(mkdirat(top.fd, rel, 0755) == 0);
	}
	REQUIRE(dir_open_below(&top, rel, &deep, NULL) == 0);
	exchange(deep.fd, "gate", deep.fd, "gate");
	/* the same by a path far beyond 108 bytes */
	snprintf(path, sizeof(path), "%s/%sother", unit_dir(), rel);
	exchange(deep.fd, "other", AT_FDCWD, path);
	/* the longest name that docker's ids need, and one that cannot be bound */
	snprintf(name, sizeof(name), "%064d", 0);
	exchange(deep.fd, name, deep.fd, name);
	snprintf(name, sizeof(name), "%099d", 0);
	CHECK_INT(sys_bind_unix(fd, deep.fd, name), -ENAMETOOLONG);
	CHECK_INT(sys_connect_unix(fd, deep.fd, name), -ENOENT);
	CHECK_INT(sys_connect_unix(fd, deep.fd, "none"), -ENOENT);
	CHECK_INT(sys_connect_unix(fd, AT_FDCWD, unit_dir()), -ECONNREFUSED);
}
