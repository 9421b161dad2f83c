/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_doubt - names of system calls that look like slips
 *
 * A name that libseccomp does not know is no fault: profiles are written for all kernels to
 * come, and name calls that are newer than the library. So a name is a slip only when it is
 * all but that of a call which libseccomp or the list here knows, and is not such a name
 * with another number or something else behind: that is how new calls are named (openat2,
 * clone3, setxattrat).
 */
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/table.h"
#include "sec/sec.h"

#define NUMBERS 1024 /* the calls of each architecture are below it */
#define LONG	8    /* letters of a name in which two may be wrong */

/* Between them they have every name: old ones, those of 32 bits, those of one machine. */
static const uint32_t archs[] = {
	SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_ARM, SCMP_ARCH_PPC64LE, SCMP_ARCH_S390X,
};

/* What Linux got after the oldest libseccomp that is built with (2.5.0, Linux 5.8), as of 6.18. */
static const char *const newer[] = {
	"cachestat",
	"epoll_pwait2",
	"fchmodat2",
	"file_getattr",
	"file_setattr",
	"futex_requeue",
	"futex_wait",
	"futex_waitv",
	"futex_wake",
	"getxattrat",
	"landlock_add_rule",
	"landlock_create_ruleset",
	"landlock_restrict_self",
	"listmount",
	"listxattrat",
	"lsm_get_self_attr",
	"lsm_list_modules",
	"lsm_set_self_attr",
	"map_shadow_stack",
	"memfd_secret",
	"mount_setattr",
	"mseal",
	"open_tree_attr",
	"process_madvise",
	"process_mrelease",
	"quotactl_fd",
	"removexattrat",
	"riscv_hwprobe",
	"set_mempolicy_home_node",
	"setxattrat",
	"statmount",
	"uprobe",
	"uretprobe",
};

struct slip {
	const char *name; /* that is looked at */
	size_t best;	  /* how far it is from the nearest one until now */
	char near[64];	  /* its name */
};

static void compare(struct slip *s, const char *known)
{
	size_t stem = strlen(known), far = name_distance(s->name, known);

	while (stem && known[stem - 1] >= '0' && known[stem - 1] <= '9')
		stem--;
	if (far < s->best && strncmp(s->name, known, stem) != 0 &&
	    str_copy(s->near, sizeof(s->near), known))
		s->best = far;
}

bool seccomp_name_is_known(const char *name)
{
	return seccomp_syscall_resolve_name(name) != __NR_SCMP_ERROR;
}

static bool is_known(const char *name)
{
	for (size_t i = 0; i < COUNT(newer); i++)
		if (str_eq(newer[i], name))
			return true;
	return seccomp_name_is_known(name);
}

/* Is it the next version of a known one, "epoll_pwait3"? */
static bool is_version(struct arena *a, const char *name)
{
	size_t n = strlen(name);

	while (n && name[n - 1] >= '0' && name[n - 1] <= '9')
		n--;
	return name[n] && is_known(arena_strndup(a, name, n));
}

const char *seccomp_name_doubt(struct arena *a, const char *name)
{
	struct slip s = { .name = name, .best = strlen(name) < LONG ? 2 : 3 };

	if (is_known(name) || is_version(a, name))
		return NULL;
	for (size_t i = 0; i < COUNT(newer); i++)
		compare(&s, newer[i]);
	for (size_t i = 0; i < COUNT(archs); i++)
		for (int nr = 0; nr < NUMBERS; nr++) {
			char *known = seccomp_syscall_resolve_num_arch(archs[i], nr);

			if (known)
				compare(&s, known);
			free(known);
		}
	return *s.near ? arena_strdup(a, s.near) : NULL;
}
