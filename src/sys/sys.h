/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sys - one wrapper a system call
 *
 * Wrappers return the result or -errno, retry EINTR where that is always right,
 * and hold no policy. The oldest kernel is 5.14, so there are no fallbacks here:
 * what newer kernels add stands behind host facts (sys/host.h).
 */
#ifndef CLEAT_SYS_SYS_H
#define CLEAT_SYS_SYS_H

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/vfs.h>

#include "sys/missing.h"

/* --- files (all but dup3 add close-on-exec) ----------------------------------------------- */
int sys_open(const char *path, int flags, mode_t mode);
int sys_openat(int dirfd, const char *path, int flags, mode_t mode);
/* openat2(2); EAGAIN (a rename elsewhere on the way) is tried again for up to 2 s. */
int sys_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);
int sys_mkdirat(int dirfd, const char *name, mode_t mode);
int sys_mknodat(int dirfd, const char *name, mode_t mode, dev_t dev);
int sys_symlinkat(const char *target, int dirfd, const char *name);
/* Terminated; -ENAMETOOLONG when @buf is too small. */
ssize_t sys_readlinkat(int dirfd, const char *name, char *buf, size_t size);
int sys_unlinkat(int dirfd, const char *name, int flags);
int sys_fstat(int fd, struct stat *st);
int sys_fstatat(int dirfd, const char *name, struct stat *st, int flags);
int sys_statx(int dirfd, const char *name, int flags, unsigned mask, struct statx *st);
int sys_fstatfs(int fd, struct statfs *st);
int sys_statfs(const char *path, struct statfs *st);
int sys_fchmodat(int dirfd, const char *name, mode_t mode);
int sys_fchown(int fd, uid_t uid, gid_t gid);
int sys_fchownat(int dirfd, const char *name, uid_t uid, gid_t gid, int flags);
int sys_faccessat(int dirfd, const char *name, int mode, int flags);
ssize_t sys_read(int fd, void *buf, size_t n);
ssize_t sys_pread(int fd, void *buf, size_t n, uint64_t offset);
ssize_t sys_pwrite(int fd, const void *buf, size_t n, uint64_t offset);
ssize_t sys_write(int fd, const void *buf, size_t n);
int sys_dup3(int oldfd, int newfd, int flags);
int sys_fcntl(int fd, int cmd, long arg);
int sys_pipe2(int fds[2], int flags);
int sys_memfd_create(const char *name, unsigned flags);
int sys_close_range(unsigned first, unsigned last, unsigned flags);
int sys_flock(int fd, int operation); /* EINTR is returned: it ends a wait */
ssize_t sys_fgetxattr(int fd, const char *name, void *value, size_t size);
int sys_fsetxattr(int fd, const char *name, const void *value, size_t size);
int sys_fremovexattr(int fd, const char *name);
int sys_fchdir(int fd);
int sys_ioctl(int fd, unsigned long request, void *arg);

/* --- the mount API --------------------------------------------------------------------- */
int sys_open_tree(int dirfd, const char *path, unsigned flags);
int sys_move_mount(int from_dirfd, const char *from, int to_dirfd, const char *to, unsigned flags);
int sys_fsopen(const char *fstype, unsigned flags);
int sys_fspick(int dirfd, const char *path, unsigned flags);
int sys_fsconfig(int fd, unsigned cmd, const char *key, const void *value, int aux);
int sys_fsmount(int fd, unsigned flags, unsigned attr);
int sys_mount_setattr(int dirfd, const char *path, unsigned flags, const struct mount_attr *attr,
		      size_t size);
int sys_mount(const char *source, const char *target, const char *type, unsigned long flags,
	      const void *data);
int sys_umount2(const char *target, int flags);
int sys_pivot_root(const char *new_root, const char *put_old);
int sys_chroot(const char *path);
int sys_chdir(const char *path);

/* --- processes --------------------------------------------------------------------------- */
pid_t sys_clone3(struct clone_args *args, size_t size);
/*
 * A thread that libc does not know: it has the caller's thread-local storage, errno included,
 * so only one of the two may be about to look at that. @top: the upper end of its stack.
 */
int sys_thread(int (*function)(void *arg), void *top, void *arg);
int sys_unshare(int flags);
int sys_setns(int fd, int nstype);
int sys_pidfd_open(pid_t pid, unsigned flags);
int sys_pidfd_send_signal(int pidfd, int sig);
int sys_pidfd_getfd(int pidfd, int fd);
/* How a process ended that was reaped, as wait(2) has it; -ENODATA: the kernel does not say. */
int sys_pidfd_exit_status(int pidfd);
/* waitid(P_PIDFD); options WEXITED etc. Returns 0, -ECHILD ... */
int sys_waitid_pidfd(int pidfd, siginfo_t *si, int options);
int sys_execve(const char *path, char *const argv[], char *const envp[]);
int sys_execveat(int dirfd, const char *path, char *const argv[], char *const envp[], int flags);
int sys_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d);
int sys_setsid(void);
int sys_setresuid(uid_t uid); /* all three, this thread only: no libc broadcast is needed */
int sys_setresgid(gid_t gid);
int sys_setgroups(size_t n, const gid_t *list);
int sys_sethostname(const char *name, size_t len);
int sys_setdomainname(const char *name, size_t len);
int sys_sigprocmask(int how, const sigset_t *set, sigset_t *old);
int sys_signalfd(int fd, const sigset_t *mask);
/* -1: no limit; 0 when it passed. EINTR is not reported: signals come by signalfd. */
int sys_ppoll(struct pollfd *fds, size_t n, int64_t timeout_ms);
/* A set with @fd alone (EPOLL*), itself a descriptor to poll; take its event, without waiting. */
int sys_epoll_make(int fd, uint32_t events);
struct epoll_event;
int sys_epoll_take(int epoll, struct epoll_event *ret);

/* --- security ------------------------------------------------------------------------------- */
struct sys_caps { /* of this thread; bit n = capability n */
	uint64_t effective, permitted, inheritable;
};
int sys_capget(struct sys_caps *ret);
int sys_capset(const struct sys_caps *sets);
long sys_keyctl(int command, unsigned long a, unsigned long b, unsigned long c);
int sys_seccomp(unsigned operation, unsigned flags, void *args);

/* landlock(7): the version of the interface; a ruleset that handles these accesses; its rules. */
int sys_landlock_version(void);
int sys_landlock_create(uint64_t fs, uint64_t network);
int sys_landlock_allow_path(int ruleset, int fd, uint64_t allowed);
int sys_landlock_allow_port(int ruleset, uint64_t port, uint64_t allowed);
int sys_landlock_restrict(int ruleset);
int sys_userfaultfd(unsigned flags);

/* --- sockets -------------------------------------------------------------------------------- */
int sys_socket(int domain, int type, int protocol);
int sys_socketpair(int domain, int type, int protocol, int fds[2]);
ssize_t sys_sendmsg(int fd, const struct msghdr *m, int flags);
ssize_t sys_recvmsg(int fd, struct msghdr *m, int flags);
int sys_accept(int fd);
/*
 * Bind or connect a pathname socket @name in directory @dirfd (or AT_FDCWD). However deep
 * the directory lies, the address fits, since it goes through /proc/self/fd/<dirfd>/<name>
 * (connect: through a descriptor of the socket itself). bind: -ENAMETOOLONG when @name
 * alone is longer than about 85 bytes.
 */
int sys_bind_unix(int fd, int dirfd, const char *name);
int sys_connect_unix(int fd, int dirfd, const char *name);
/* To a name that is no file: unix(7), abstract. */
int sys_connect_abstract(int fd, const char *name);
int sys_listen(int fd, int backlog);
/*
 * Send bytes with @nfds descriptors, at most 8. Never raises SIGPIPE.
 * Receive bytes with up to *@nfds descriptors, close-on-exec; *@nfds becomes how many came.
 * Descriptors that nobody asked for are closed; -EMSGSIZE when bytes did not fit.
 */
ssize_t sys_send_fds(int sock, const void *data, size_t len, const int *fds, size_t nfds,
		     int flags);
ssize_t sys_recv_fds(int sock, void *data, size_t len, int *fds, size_t *nfds, int flags);

#endif
