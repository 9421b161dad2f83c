/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "sys/result.h"
#include "sys/sys.h"

/* Renames elsewhere make a confined lookup fail with EAGAIN; this is far above what was seen. */
#define OPENAT2_RETRY_MS 2000

int sys_open(const char *path, int flags, mode_t mode)
{
	return (int)RESULT_RETRY(open(path, flags | O_CLOEXEC, mode));
}

int sys_openat(int dirfd, const char *path, int flags, mode_t mode)
{
	return (int)RESULT_RETRY(openat(dirfd, path, flags | O_CLOEXEC, mode));
}

int sys_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
	struct open_how how = { .flags = flags | O_CLOEXEC, .mode = mode, .resolve = resolve };
	int64_t deadline = 0;

	for (;;) {
		int r = (int)RESULT_RETRY(syscall(SYS_openat2, dirfd, path, &how, sizeof(how)));

		if (r != -EAGAIN)
			return r;
		if (!deadline)
			deadline = clock_now_ms() + OPENAT2_RETRY_MS;
		else if (clock_now_ms() > deadline)
			return r;
	}
}

int sys_mkdirat(int dirfd, const char *name, mode_t mode)
{
	return (int)RESULT(mkdirat(dirfd, name, mode));
}

int sys_mknodat(int dirfd, const char *name, mode_t mode, dev_t dev)
{
	return (int)RESULT(mknodat(dirfd, name, mode, dev));
}

int sys_symlinkat(const char *target, int dirfd, const char *name)
{
	return (int)RESULT(symlinkat(target, dirfd, name));
}

ssize_t sys_readlinkat(int dirfd, const char *name, char *buf, size_t size)
{
	ssize_t n = RESULT(readlinkat(dirfd, name, buf, size));

	/* a full buffer may hold the half of a name */
	if (n == (ssize_t)size)
		n = -ENAMETOOLONG;
	buf[n < 0 ? 0 : n] = '\0';
	return n;
}

int sys_unlinkat(int dirfd, const char *name, int flags)
{
	return (int)RESULT(unlinkat(dirfd, name, flags));
}

int sys_fstat(int fd, struct stat *st)
{
	return (int)RESULT(fstat(fd, st));
}

int sys_fstatat(int dirfd, const char *name, struct stat *st, int flags)
{
	return (int)RESULT(fstatat(dirfd, name, st, flags));
}

int sys_statx(int dirfd, const char *name, int flags, unsigned mask, struct statx *st)
{
	return (int)RESULT(statx(dirfd, name, flags, mask, st));
}

int sys_fstatfs(int fd, struct statfs *st)
{
	return (int)RESULT_RETRY(fstatfs(fd, st));
}

int sys_statfs(const char *path, struct statfs *st)
{
	return (int)RESULT_RETRY(statfs(path, st));
}

int sys_fchmodat(int dirfd, const char *name, mode_t mode)
{
	return (int)RESULT(fchmodat(dirfd, name, mode, 0));
}

int sys_fchown(int fd, uid_t uid, gid_t gid)
{
	return (int)RESULT(fchown(fd, uid, gid));
}

int sys_fchownat(int dirfd, const char *name, uid_t uid, gid_t gid, int flags)
{
	return (int)RESULT(fchownat(dirfd, name, uid, gid, flags));
}

int sys_faccessat(int dirfd, const char *name, int mode, int flags)
{
	/* glibc emulates flags with the wrong ids in a user namespace; the kernel knows better. */
	if (flags)
		return (int)RESULT(syscall(SYS_faccessat2, dirfd, name, mode, flags));
	return (int)RESULT(syscall(SYS_faccessat, dirfd, name, mode));
}

ssize_t sys_read(int fd, void *buf, size_t n)
{
	return RESULT_RETRY(read(fd, buf, n));
}

ssize_t sys_pread(int fd, void *buf, size_t n, uint64_t offset)
{
	return RESULT_RETRY(pread(fd, buf, n, (off_t)offset));
}

ssize_t sys_pwrite(int fd, const void *buf, size_t n, uint64_t offset)
{
	return RESULT_RETRY(pwrite(fd, buf, n, (off_t)offset));
}

ssize_t sys_write(int fd, const void *buf, size_t n)
{
	return RESULT_RETRY(write(fd, buf, n));
}

int sys_dup3(int oldfd, int newfd, int flags)
{
	return (int)RESULT_RETRY(dup3(oldfd, newfd, flags));
}

int sys_fcntl(int fd, int cmd, long arg)
{
	return (int)RESULT(fcntl(fd, cmd, arg));
}

int sys_pipe2(int fds[2], int flags)
{
	return (int)RESULT(pipe2(fds, flags | O_CLOEXEC));
}

int sys_memfd_create(const char *name, unsigned flags)
{
	return (int)RESULT(memfd_create(name, flags | MFD_CLOEXEC));
}

int sys_close_range(unsigned first, unsigned last, unsigned flags)
{
	return (int)RESULT(syscall(SYS_close_range, first, last, flags));
}

int sys_fchdir(int fd)
{
	return (int)RESULT(fchdir(fd));
}

int sys_ioctl(int fd, unsigned long request, void *arg)
{
	return (int)RESULT(ioctl(fd, request, arg));
}

int sys_ppoll(struct pollfd *fds, size_t n, int64_t timeout_ms)
{
	int64_t deadline = timeout_ms > 0 ? clock_now_ms() + timeout_ms : 0;

	for (;;) {
		struct timespec ts = { timeout_ms / 1000, timeout_ms % 1000 * 1000000 };
		int r = (int)RESULT(ppoll(fds, n, timeout_ms < 0 ? NULL : &ts, NULL));

		if (r != -EINTR)
			return r;
		if (timeout_ms > 0 && (timeout_ms = deadline - clock_now_ms()) < 0)
			timeout_ms = 0;
	}
}

int sys_epoll_make(int fd, uint32_t events)
{
	struct epoll_event event = { .events = events };
	int epoll = (int)RESULT(epoll_create1(EPOLL_CLOEXEC)), r;

	if (epoll < 0)
		return epoll;
	r = (int)RESULT(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
	if (r < 0)
		close(epoll);
	return r < 0 ? r : epoll;
}

int sys_epoll_take(int epoll, struct epoll_event *ret)
{
	return (int)RESULT(epoll_wait(epoll, ret, 1, 0));
}
