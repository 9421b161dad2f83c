/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity - a pid is a number that the kernel hands out again
 *
 * Where pidfs exists (6.9) the inode of a pidfd names a process once and for all, so it
 * is the proof; before, it is the start time. Either is compared after the pidfd was
 * opened: from then on the pidfd stands for that one process, whatever the pid does.
 */
#include <poll.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/file.h"
#include "base/str.h"
#include "container/internal.h"
#include "sys/sys.h"

#define STAT_MAX   4096
#define STATUS_MAX 65536 /* its groups are on one line */

#define FLAG_EXITING 0x4 /* PF_EXITING of the kernel's include/linux/sched.h */

/* Fields of /proc/PID/stat, counted as proc(5) does; the name, 2, may hold anything. */
enum {
	STAT_STATE = 3,
	STAT_FLAGS = 9,
	STAT_THREADS = 20,
	STAT_START_TIME = 22,
	STAT_PENDING = 31, /* signals of the first thread alone */
	STAT_EXIT_CODE = 52,
	STAT_FIELDS
};

#define BIT_OF(sig) (UINT64_C(1) << ((sig)-1))

static int read_stat(struct arena *a, pid_t pid, const char *ret[STAT_FIELDS])
{
	char *text, *rest;
	ssize_t n = file_read_at(AT_FDCWD, arena_printf(a, "/proc/%d/stat", (int)pid), a, STAT_MAX,
				 &text, NULL);

	if (n < 0)
		return (int)n;
	rest = strrchr(text, ')');
	if (!rest)
		return -EINVAL;
	rest = strtok_r(rest + 1, " \n", &text);
	for (int field = STAT_STATE; field < STAT_FIELDS; field++) {
		if (!rest)
			return -EINVAL;
		ret[field] = rest;
		rest = strtok_r(NULL, " \n", &text);
	}
	return 0;
}

/* In clock ticks since boot. */
static int start_time(struct arena *a, pid_t pid, uint64_t *ret)
{
	const char *fields[STAT_FIELDS];
	int r = read_stat(a, pid, fields);

	return r < 0 ? r : str_to_u64(fields[STAT_START_TIME], ret);
}

/* 0 where pidfds are anonymous inodes that all share one number. */
static uint64_t pidfs_inode(int pidfd)
{
	struct statfs fs;
	struct stat st;

	if (sys_fstatfs(pidfd, &fs) < 0 || fs.f_type != PID_FS_MAGIC || sys_fstat(pidfd, &st) < 0)
		return 0;
	return st.st_ino;
}

int identity_record(struct arena *a, struct cleat_state_file *s, pid_t pid, int pidfd,
		    struct err *e)
{
	int r;

	s->pid = pid;
	s->has_pid = true;
	s->pidfd_inode = pidfs_inode(pidfd);
	s->has_pidfd_inode = s->pidfd_inode != 0;
	if (s->pidfd_inode)
		return 0;
	r = start_time(a, pid, &s->start_time);
	s->has_start_time = true;
	return r < 0 ? err_sys(e, -r, NULL, "read the start time of process %d", (int)pid) : 0;
}

static bool is_recorded_one(const struct cleat_state_file *s, int pidfd)
{
	auto_arena a = arena_make();
	struct stat st;
	uint64_t started;

	if (s->has_pidfd_inode)
		return sys_fstat(pidfd, &st) == 0 && st.st_ino == s->pidfd_inode;
	return s->has_start_time && start_time(&a, s->pid, &started) == 0 &&
	       started == s->start_time;
}

/* Readable: the process has ended, reaped or not. */
static bool has_ended(int pidfd)
{
	struct pollfd fd = { .fd = pidfd, .events = POLLIN };

	return sys_ppoll(&fd, 1, 0) != 0;
}

int identity_open(const struct cleat_state_file *s, int *ret_pidfd, struct err *e)
{
	auto_fd pidfd = -1;

	*ret_pidfd = -1;
	if (!s->has_pid || s->pid <= 0)
		return 0;
	pidfd = sys_pidfd_open(s->pid, 0);
	/* the number may be that of a thread by now */
	if (pidfd == -ESRCH || pidfd == -EINVAL || pidfd == -ENOENT)
		return 0;
	if (pidfd < 0)
		return err_sys(e, -pidfd, NULL, "open process %d", s->pid);
	if (is_recorded_one(s, pidfd) && !has_ended(pidfd))
		*ret_pidfd = fd_take(&pidfd);
	return 0;
}

bool identity_waits_for_zombies(pid_t pid, int pidfd)
{
	auto_arena a = arena_make();
	const char *fields[STAT_FIELDS];
	char where[64];
	uint32_t flags;

	if (read_stat(&a, pid, fields) < 0 || str_to_u32(fields[STAT_FLAGS], &flags) < 0 ||
	    !(flags & FLAG_EXITING))
		return false;
	/* its state is S or, by kernel, I */
	return file_read_small(AT_FDCWD, arena_printf(&a, "/proc/%d/wchan", (int)pid), where,
			       sizeof(where)) > 0 &&
	       str_eq(where, "zap_pid_ns_processes") && sys_pidfd_send_signal(pidfd, 0) == 0;
}

/* Sent to the process, not to a thread: it stays there, until all of them have ended. */
static bool is_killed(struct arena *a, pid_t pid)
{
	static const char pending[] = "\nShdPnd:";
	const char *found;
	char *text;

	if (file_read_at(AT_FDCWD, arena_printf(a, "/proc/%d/status", (int)pid), a, STATUS_MAX,
			 &text, NULL) < 0)
		return false;
	found = strstr(text, pending);
	return found && strtoull(found + strlen(pending), NULL, 16) & BIT_OF(SIGKILL);
}

/*
 * Of several threads the first may end, or be killed by the execve of another one, and the
 * process lives on.
 */
static bool last_thread_ends(struct arena *a, pid_t pid)
{
	const char *fields[STAT_FIELDS];
	uint64_t flags, pending;

	return read_stat(a, pid, fields) == 0 && str_eq(fields[STAT_THREADS], "1") &&
	       str_to_u64(fields[STAT_FLAGS], &flags) == 0 &&
	       str_to_u64(fields[STAT_PENDING], &pending) == 0 &&
	       (flags & FLAG_EXITING || pending & BIT_OF(SIGKILL));
}

bool identity_is_ending(pid_t pid, int pidfd)
{
	auto_arena a = arena_make();
	bool ending = is_killed(&a, pid) || last_thread_ends(&a, pid);

	/* if it has ended, the number may be another one's */
	return ending || sys_pidfd_send_signal(pidfd, 0) == -ESRCH;
}

int identity_zombie_status(pid_t pid, int pidfd)
{
	auto_arena a = arena_make();
	const char *fields[STAT_FIELDS];
	uint32_t status;

	if (read_stat(&a, pid, fields) < 0 || str_to_u32(fields[STAT_EXIT_CODE], &status) < 0)
		return -ENODATA;
	if (fields[STAT_STATE][0] != 'Z' && !identity_waits_for_zombies(pid, pidfd))
		return -ENODATA;
	/* the number was not anybody else's when it was read, if it is still not free */
	return sys_pidfd_send_signal(pidfd, 0) < 0 ? -ENODATA : (int)status;
}

int identity_ended_status(const struct cleat_state_file *s)
{
	auto_fd pidfd = s->has_pid && s->pid > 0 ? sys_pidfd_open(s->pid, 0) : -1;

	if (pidfd < 0 || !is_recorded_one(s, pidfd))
		return -ENODATA;
	return exit_wait_status(s->pid, pidfd);
}

int identity_wait(pid_t pid, int pidfd, uint64_t timeout_ms, struct err *e)
{
	struct pollfd fd = { .fd = pidfd, .events = POLLIN };
	int r = sys_ppoll(&fd, 1, (int64_t)timeout_ms);

	if (r < 0)
		return err_sys(e, -r, NULL, "wait for process %d", (int)pid);
	return r > 0 ? 0 : -ETIMEDOUT;
}
