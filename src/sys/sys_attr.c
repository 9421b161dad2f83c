/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/attr.h"
#include "sys/result.h"

int sys_prlimit(pid_t pid, int resource, const struct sys_rlimit *set, struct sys_rlimit *ret)
{
	return (int)RESULT(syscall(SYS_prlimit64, pid, resource, set, ret));
}

int sys_sched_setattr(pid_t pid, const struct sys_sched_attr *attr)
{
	return (int)RESULT(syscall(SYS_sched_setattr, pid, attr, 0));
}

int sys_sched_getattr(pid_t pid, struct sys_sched_attr *ret)
{
	return (int)RESULT(syscall(SYS_sched_getattr, pid, ret, sizeof(*ret), 0));
}

int sys_sched_setaffinity(pid_t pid, size_t size, const void *mask)
{
	return (int)RESULT(syscall(SYS_sched_setaffinity, pid, size, mask));
}

int sys_ioprio_set(int which, int who, int value)
{
	return (int)RESULT(syscall(SYS_ioprio_set, which, who, value));
}

int sys_set_mempolicy(int mode, const unsigned long *nodes, unsigned long bits)
{
	return (int)RESULT(syscall(SYS_set_mempolicy, mode, nodes, bits));
}

int sys_personality(unsigned long persona)
{
	return (int)RESULT(personality(persona));
}

int sys_getresuid(uid_t ret[3])
{
	return (int)RESULT(getresuid(&ret[0], &ret[1], &ret[2]));
}

int sys_getresgid(gid_t ret[3])
{
	return (int)RESULT(getresgid(&ret[0], &ret[1], &ret[2]));
}

int sys_getgroups(size_t n, gid_t *ret)
{
	return (int)RESULT(getgroups((int)n, ret));
}

/* The kernel's struct sigaction, of which libc hides the two signals that it keeps for itself. */
struct kernel_sigaction {
	void (*handler)(int);
	unsigned long flags;
	void (*restorer)(void);
	unsigned long mask[8 / sizeof(long)]; /* no word of it is aligned to more than a long */
};

int sys_signal_default(int sig)
{
	static const struct kernel_sigaction dfl = { .handler = SIG_DFL };
	struct kernel_sigaction old = { 0 };
	int r = (int)RESULT(syscall(SYS_rt_sigaction, sig, &dfl, &old, sizeof(old.mask)));

	return r < 0 ? r : old.handler == SIG_IGN;
}

int sys_getcwd(char *buf, size_t size)
{
	return (int)RESULT(syscall(SYS_getcwd, buf, size));
}
