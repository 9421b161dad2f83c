/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <unistd.h>

#include "sys/result.h"
#include "sys/sys.h"

int sys_capget(struct sys_caps *ret)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	int r = (int)RESULT(syscall(SYS_capget, &head, data));

	if (r < 0)
		return r;
	ret->effective = data[0].effective | (uint64_t)data[1].effective << 32;
	ret->permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	ret->inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
	return 0;
}

int sys_capset(const struct sys_caps *sets)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ (uint32_t)sets->effective, (uint32_t)sets->permitted,
		  (uint32_t)sets->inheritable },
		{ (uint32_t)(sets->effective >> 32), (uint32_t)(sets->permitted >> 32),
		  (uint32_t)(sets->inheritable >> 32) },
	};

	return (int)RESULT(syscall(SYS_capset, &head, data));
}

long sys_keyctl(int command, unsigned long a, unsigned long b, unsigned long c)
{
	return RESULT(syscall(SYS_keyctl, command, a, b, c, 0));
}

int sys_seccomp(unsigned operation, unsigned flags, void *args)
{
	return (int)RESULT(syscall(SYS_seccomp, operation, flags, args));
}

int sys_userfaultfd(unsigned flags)
{
	return (int)RESULT(syscall(SYS_userfaultfd, flags | O_CLOEXEC));
}

/* --- landlock: glibc has no wrappers, and its headers may be older than the kernel ------------ */

struct landlock_attr {
	uint64_t fs, network;
};
struct landlock_port_attr {
	uint64_t allowed, port;
};
#define RULE_PORT 2 /* LANDLOCK_RULE_NET_PORT */

int sys_landlock_version(void)
{
	return (int)RESULT(
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION));
}

int sys_landlock_create(uint64_t fs, uint64_t network)
{
	const struct landlock_attr attr = { fs, network };

	/* what is not asked for must not be passed to a kernel that does not know it */
	return (int)RESULT(syscall(SYS_landlock_create_ruleset, &attr,
				   network ? sizeof(attr) : sizeof(attr.fs), 0));
}

int sys_landlock_allow_path(int ruleset, int fd, uint64_t allowed)
{
	const struct landlock_path_beneath_attr attr = { allowed, fd };

	return (int)RESULT(
		syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &attr, 0));
}

int sys_landlock_allow_port(int ruleset, uint64_t port, uint64_t allowed)
{
	const struct landlock_port_attr attr = { allowed, port };

	return (int)RESULT(syscall(SYS_landlock_add_rule, ruleset, RULE_PORT, &attr, 0));
}

int sys_landlock_restrict(int ruleset)
{
	return (int)RESULT(syscall(SYS_landlock_restrict_self, ruleset, 0));
}
