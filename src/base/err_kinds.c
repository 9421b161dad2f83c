/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err_kinds - the stable codes of errors
 *
 * An interface: a code keeps its meaning, whatever its message says later. cleat-errors(7)
 * is written from these rows. The strings lie in them for the reason given in err.c.
 */
#include "base/err.h"
#include "base/str.h"

const struct err_kind err_kinds[] = {
	{ "usage", "the command line cannot be understood" },
	{ "config", "the configuration is not valid, or asks for what is refused" },
	{ "log", "the target of --log cannot be opened" },
	{ "container-unknown", "there is no container of that id" },
	{ "container-exists", "there is a container of that id already" },
	{ "container-state", "the container's status does not allow the command" },
	{ "container-locked", "another command works on the container and has not ended in time" },
	{ "container-newer", "the container was made by a newer release" },
	{ "process-unknown", "no process of that name waits for exec --start" },
	{ "process-exists", "a process of that name waits for exec --start already" },
	{ "user-unknown", "a name is not in the container's passwd or group" },
	{ "mount", "a mount of the container cannot be made" },
	{ "mount-path", "a part of the path of a mount is missing or of the wrong type" },
	{ "mount-type", "the kernel has no file system of that type" },
	{ "mount-idmap", "the file system does not support id-mapped mounts" },
	{ "mount-locked", "a flag of a mount may not be changed in this user namespace" },
	{ "hook", "a hook failed" },
	{ "seccomp", "the system call filter cannot be made" },
	{ "seccomp-exec", "the system call filter ends whoever executes a program" },
	{ "cgroup", "the container's cgroup cannot be made or set up" },
	{ "terminal", "the terminal, or a socket that is to get one, does not work" },
	{ "init-died", "the container's process ended before its program was executed" },
	{ "exec-not-found", "the program, or what it needs to run, does not exist" },
	{ "exec-denied", "the program, or what it needs to run, may not be executed" },
	{ "exec-format", "the file is no program" },
	{ "exec-architecture", "the program is for a machine that this host cannot run" },
	{ "exec-emulator", "the emulator for the program's machine is missing" },
	{ "exec-loader", "the loader that the program names is no loader for it" },
	{ "exec-carriage-return", "a script has line ends of Windows" },
	{ "exec-scripts", "too many scripts are each other's interpreters" },
	{ "quota-pids", "there may be no more processes" },
	{ "quota-namespaces", "there may be no more namespaces" },
	{ "quota-descriptors", "the process may have no more open files" },
	{ "quota-files", "the host may have no more open files" },
	{ "quota-keys", "the user may have no more kernel keys" },
	{ "oom", "a process was killed for memory" },
	{ "criu-missing", "CRIU is not installed" },
	{ "criu-failed", "CRIU failed" },
	/* what is left is told apart by its errno */
	{ "not-found", "something else does not exist" },
	{ "exists", "something else exists already" },
	{ "denied", "the caller may not do it" },
	{ "busy", "something is in use" },
	{ "timeout", "something has taken too long" },
	{ "no-memory", "the kernel has no memory for it" },
	{ "no-space", "a file system is full or read-only" },
	{ "unsupported", "this kernel or this build cannot do it" },
	{ "protocol", "another process did not say what it should" },
	{ "invalid", "something else is not valid" },
	{ "system", "a system call failed" },
};
const size_t err_n_kinds = COUNT(err_kinds);

static const struct {
	int code;
	char id[16];
} by_errno[] = {
	{ ENOENT, "not-found" },
	{ ESRCH, "not-found" },
	{ ENODEV, "not-found" },
	{ EEXIST, "exists" },
	{ EPERM, "denied" },
	{ EACCES, "denied" },
	{ EBUSY, "busy" },
	{ EAGAIN, "busy" },
	{ ETIMEDOUT, "timeout" },
	{ ENOMEM, "no-memory" },
	{ ENOSPC, "no-space" },
	{ EDQUOT, "no-space" },
	{ EROFS, "no-space" },
	{ EOPNOTSUPP, "unsupported" },
	{ ENOSYS, "unsupported" },
	{ EPROTO, "protocol" },
	{ EPROTONOSUPPORT, "protocol" },
	{ EINVAL, "invalid" },
	{ ERANGE, "invalid" },
	{ ENOTDIR, "invalid" },
	{ EISDIR, "invalid" },
	{ ELOOP, "invalid" },
	{ ENAMETOOLONG, "invalid" },
	{ E2BIG, "invalid" },
};

const char *err_id(const struct err *e)
{
	if (e->id[0])
		return e->id;
	for (size_t i = 0; i < COUNT(by_errno); i++)
		if (by_errno[i].code == e->code)
			return by_errno[i].id;
	return "system";
}
