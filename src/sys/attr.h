/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attr - system calls about the attributes of a process
 *
 * Limits, scheduling, memory policy, personality, ids. As in sys/sys.h: the result or
 * -errno, no policy. Those that libc lacks or bends (it clamps limits on 32 bits and
 * broadcasts ids to threads) go to the kernel directly.
 */
#ifndef CLEAT_SYS_ATTR_H
#define CLEAT_SYS_ATTR_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct sys_rlimit { /* struct rlimit64 of the kernel: 2^64-1 is RLIM_INFINITY */
	uint64_t soft, hard;
};

/* struct sched_attr of sched_setattr(2), second published size */
struct sys_sched_attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period; /* nanoseconds */
	uint32_t util_min, util_max;
};

int sys_prlimit(pid_t pid, int resource, const struct sys_rlimit *set, struct sys_rlimit *ret);
int sys_sched_setattr(pid_t pid, const struct sys_sched_attr *attr);
int sys_sched_getattr(pid_t pid, struct sys_sched_attr *ret);
int sys_sched_setaffinity(pid_t pid, size_t size, const void *mask);
int sys_ioprio_set(int which, int who, int value);
int sys_set_mempolicy(int mode, const unsigned long *nodes, unsigned long bits);
int sys_personality(unsigned long persona); /* returns the former one */

int sys_getresuid(uid_t ret[3]);
int sys_getresgid(gid_t ret[3]);
int sys_getgroups(size_t n, gid_t *ret); /* n 0: only how many */

/* The former disposition was to ignore: 1; else 0. */
int sys_signal_default(int sig);

/* The kernel's own answer, which begins with "(unreachable)" outside the root. */
int sys_getcwd(char *buf, size_t size);

#endif
