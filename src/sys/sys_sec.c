/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <linux/capability.h>
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
