/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/result.h"
#include "sys/sys.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/* Where ids once had 16 bits the call with 32 has another name. */
#ifdef SYS_setresuid32
#define SETRESUID SYS_setresuid32
#define SETRESGID SYS_setresgid32
#define SETGROUPS SYS_setgroups32
#else
#define SETRESUID SYS_setresuid
#define SETRESGID SYS_setresgid
#define SETGROUPS SYS_setgroups
#endif

pid_t sys_clone3(struct clone_args *args, size_t size)
{
	pid_t pid = (pid_t)RESULT(syscall(SYS_clone3, args, size));

	/* the kernel stores the pidfd before the last thing that can fail, and closes it then */
	if (pid < 0 && (args->flags & CLONE_PIDFD))
		*(int *)(uintptr_t)args->pidfd = -1;
	return pid;
}

int sys_unshare(int flags)
{
	return (int)RESULT(unshare(flags));
}

int sys_setns(int fd, int nstype)
{
	return (int)RESULT(setns(fd, nstype));
}

int sys_pidfd_open(pid_t pid, unsigned flags)
{
	return (int)RESULT(syscall(SYS_pidfd_open, pid, flags));
}

int sys_pidfd_send_signal(int pidfd, int sig)
{
	return (int)RESULT(syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0));
}

int sys_thread(int (*function)(void *arg), void *top, void *arg)
{
	const int flags =
		CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;

	return (int)RESULT(clone(function, top, flags, arg));
}

int sys_pidfd_getfd(int pidfd, int fd)
{
	return (int)RESULT(syscall(SYS_pidfd_getfd, pidfd, fd, 0));
}

int sys_pidfd_exit_status(int pidfd)
{
	struct sys_pidfd_info info = { .mask = SYS_PIDFD_INFO_EXIT };

	if (ioctl(pidfd, SYS_PIDFD_GET_INFO, &info) < 0 || !(info.mask & SYS_PIDFD_INFO_EXIT))
		return -ENODATA;
	return info.exit_code;
}

int sys_waitid_pidfd(int pidfd, siginfo_t *si, int options)
{
	return (int)RESULT_RETRY(waitid((idtype_t)P_PIDFD, (id_t)pidfd, si, options));
}

int sys_execve(const char *path, char *const argv[], char *const envp[])
{
	return (int)RESULT(syscall(SYS_execve, path, argv, envp));
}

int sys_execveat(int dirfd, const char *path, char *const argv[], char *const envp[], int flags)
{
	return (int)RESULT(syscall(SYS_execveat, dirfd, path, argv, envp, flags));
}

int sys_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
	return (int)RESULT(prctl(option, a, b, c, d));
}

int sys_setsid(void)
{
	return (int)RESULT(setsid());
}

int sys_setresuid(uid_t uid)
{
	return (int)RESULT(syscall(SETRESUID, uid, uid, uid));
}

int sys_setresgid(gid_t gid)
{
	return (int)RESULT(syscall(SETRESGID, gid, gid, gid));
}

int sys_setgroups(size_t n, const gid_t *list)
{
	return (int)RESULT(syscall(SETGROUPS, n, list));
}

int sys_sethostname(const char *name, size_t len)
{
	return (int)RESULT(sethostname(name, len));
}

int sys_setdomainname(const char *name, size_t len)
{
	return (int)RESULT(setdomainname(name, len));
}

int sys_sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	return (int)RESULT(sigprocmask(how, set, old));
}

int sys_signalfd(int fd, const sigset_t *mask)
{
	return (int)RESULT(signalfd(fd, mask, SFD_CLOEXEC | SFD_NONBLOCK));
}
