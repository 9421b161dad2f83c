/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "sys/result.h"
#include "sys/sys.h"

/* More descriptors in one message than any of ours carries. */
#define FDS_MAX 8

int sys_socket(int domain, int type, int protocol)
{
	return (int)RESULT(socket(domain, type | SOCK_CLOEXEC, protocol));
}

int sys_socketpair(int domain, int type, int protocol, int fds[2])
{
	return (int)RESULT(socketpair(domain, type | SOCK_CLOEXEC, protocol, fds));
}

ssize_t sys_sendmsg(int fd, const struct msghdr *m, int flags)
{
	return RESULT_RETRY(sendmsg(fd, m, flags | MSG_NOSIGNAL));
}

ssize_t sys_recvmsg(int fd, struct msghdr *m, int flags)
{
	return RESULT_RETRY(recvmsg(fd, m, flags | MSG_CMSG_CLOEXEC));
}

int sys_accept(int fd)
{
	return (int)RESULT_RETRY(accept4(fd, NULL, NULL, SOCK_CLOEXEC));
}

/* A pathname address has 108 bytes; through a descriptor the directory may be deep. */
static int unix_address(struct sockaddr_un *a, int dirfd, const char *name)
{
	int n;

	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (dirfd == AT_FDCWD || *name == '/')
		n = snprintf(a->sun_path, sizeof(a->sun_path), "%s", name);
	else
		n = snprintf(a->sun_path, sizeof(a->sun_path), "/proc/self/fd/%d/%s", dirfd, name);
	return n < (int)sizeof(a->sun_path) ? 0 : -ENAMETOOLONG;
}

int sys_bind_unix(int fd, int dirfd, const char *name)
{
	struct sockaddr_un a;
	int r = unix_address(&a, dirfd, name);

	return r < 0 ? r : (int)RESULT(bind(fd, (struct sockaddr *)&a, sizeof(a)));
}

int sys_connect_unix(int fd, int dirfd, const char *name)
{
	auto_fd target = -1;
	struct sockaddr_un a;
	int r = unix_address(&a, dirfd, name);

	if (r < 0) {
		target = sys_openat(dirfd, name, O_PATH, 0);
		if (target < 0)
			return target;
		a = (struct sockaddr_un){ .sun_family = AF_UNIX };
		snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d", target);
	}
	return (int)RESULT_RETRY(connect(fd, (struct sockaddr *)&a, sizeof(a)));
}

int sys_connect_abstract(int fd, const char *name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	size_t n = strlen(name);

	if (n >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	memcpy(a.sun_path + 1, name, n);
	return (int)RESULT_RETRY(
		connect(fd, (struct sockaddr *)&a,
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + n)));
}

int sys_listen(int fd, int backlog)
{
	return (int)RESULT(listen(fd, backlog));
}

ssize_t sys_send_fds(int sock, const void *data, size_t len, const int *fds, size_t nfds, int flags)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { (void *)data, len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;

	if (nfds > FDS_MAX)
		return -EINVAL;
	if (nfds) {
		m.msg_control = control.room;
		m.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, nfds * sizeof(int));
	}
	return sys_sendmsg(sock, &m, flags);
}

/* Take what fits into @fds; descriptors that nobody asked for are closed. */
static void take_fds(struct cmsghdr *c, int *fds, size_t max, size_t *n)
{
	size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

	for (size_t i = 0; i < count; i++) {
		int fd;

		memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
		if (*n < max)
			fds[(*n)++] = fd;
		else
			close(fd);
	}
}

ssize_t sys_recv_fds(int sock, void *data, size_t len, int *fds, size_t *nfds, int flags)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control;
	struct iovec iov = { data, len };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control.room,
			    .msg_controllen = sizeof(control.room) };
	size_t max = *nfds;
	ssize_t r = sys_recvmsg(sock, &m, flags);

	*nfds = 0;
	if (r < 0)
		return r;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			take_fds(c, fds, max, nfds);
	if (!(m.msg_flags & MSG_TRUNC))
		return r;
	while (*nfds)
		close(fds[--*nfds]);
	return -EMSGSIZE;
}
