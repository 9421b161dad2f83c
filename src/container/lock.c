/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lock - one verb at a time changes a container
 *
 * The lock belongs to the open file description of the container's directory itself
 * (flock(2)). So it is gone with its holder, however that ended; there is no window in
 * which the directory exists and its lock file does not; and whoever gets it can tell by
 * the link count whether the directory was removed while he waited. Who holds it is
 * asked of /proc/locks, and only for the error.
 *
 * A child that the holder forked shares the description, hence lock_drop() unlocks
 * instead of closing.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "container/internal.h"
#include "sys/sys.h"

#define LOCKS_MAX   (4 << 20)
#define CMDLINE_MAX 4096

int lock_try(int dirfd)
{
	return sys_flock(dirfd, LOCK_EX | LOCK_NB);
}

void lock_drop(int dirfd)
{
	sys_flock(dirfd, LOCK_UN);
}

bool lock_is_held(int dirfd)
{
	if (sys_flock(dirfd, LOCK_SH | LOCK_NB) < 0)
		return true;
	lock_drop(dirfd);
	return false;
}

static void on_alarm(int sig)
{
	(void)sig;
}

/*
 * Sleep in flock(2) until the lock is ours or the timer's signal interrupts. The timer
 * repeats, so that one that fires just before the call is no loss.
 */
static int wait_for(int dirfd, unsigned timeout_ms)
{
	const struct itimerval off = { 0 };
	const struct itimerval on = {
		.it_value = { .tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000 },
		.it_interval = { .tv_usec = 100000 },
	};
	int64_t end = clock_now_ms() + timeout_ms;
	struct sigaction act = { .sa_handler = on_alarm }, old_act;
	sigset_t alarm_set, old_set;
	int r;

	sigemptyset(&alarm_set);
	sigaddset(&alarm_set, SIGALRM);
	sigaction(SIGALRM, &act, &old_act);
	sys_sigprocmask(SIG_UNBLOCK, &alarm_set, &old_set);
	setitimer(ITIMER_REAL, &on, NULL);
	do
		r = sys_flock(dirfd, LOCK_EX);
	while (r == -EINTR && clock_now_ms() < end);
	setitimer(ITIMER_REAL, &off, NULL);
	sys_sigprocmask(SIG_SETMASK, &old_set, NULL);
	sigaction(SIGALRM, &old_act, NULL);
	return r == -EINTR ? -ETIMEDOUT : r;
}

/* "1: FLOCK  ADVISORY  WRITE 4711 00:1a:4242 0 EOF": the pid, when it is a lock on @place. */
static uint32_t parse_lock(char *line, const char *place)
{
	enum { NUMBER, KIND, MODE, ACCESS, PID, PLACE, WORDS };
	char *words[WORDS] = { 0 }, *rest;
	uint32_t pid = 0;

	for (int i = 0; i < WORDS; i++) {
		words[i] = strtok_r(i ? NULL : line, " ", &rest);
		if (!words[i])
			return 0;
	}
	if (!str_eq(words[KIND], "FLOCK") || !str_eq(words[PLACE], place) ||
	    str_to_u32(words[PID], &pid) < 0)
		return 0;
	return pid;
}

/* The pid that /proc/locks names for this directory; 0: none that we can see. */
static uint32_t holder_pid(struct arena *a, int dirfd)
{
	char place[64], *text, *line, *rest;
	uint32_t pid = 0;
	struct stat st;

	if (sys_fstat(dirfd, &st) < 0 ||
	    file_read_at(AT_FDCWD, "/proc/locks", a, LOCKS_MAX, &text, NULL) < 0)
		return 0;
	snprintf(place, sizeof(place), "%02x:%02x:%llu", major(st.st_dev), minor(st.st_dev),
		 (unsigned long long)st.st_ino);
	for (line = strtok_r(text, "\n", &rest); line && !pid; line = strtok_r(NULL, "\n", &rest))
		pid = parse_lock(line, place);
	return pid;
}

/* The holder's command line, blanks between the words; empty when it cannot be read. */
static void holder_command(struct arena *a, uint32_t pid, char *buf, size_t size)
{
	char *name = arena_printf(a, "/proc/%u/cmdline", pid), *text;
	ssize_t n = file_read_at(AT_FDCWD, name, a, CMDLINE_MAX, &text, NULL);

	buf[0] = '\0';
	if (n <= 0)
		return;
	for (ssize_t i = 0; i < n - 1; i++)
		if (!text[i])
			text[i] = ' ';
	str_shorten(buf, size, text);
	str_escape_control(buf);
}

static int name_holder(struct arena *a, int dirfd, const char *id, const char *verb,
		       unsigned timeout_ms, struct err *e)
{
	uint32_t pid = holder_pid(a, dirfd);
	char command[160];

	if (!pid)
		return err_code(e, ETIMEDOUT, id,
				"cannot %s container '%s': waited %u ms for another process", verb,
				id, timeout_ms);
	holder_command(a, pid, command, sizeof(command));
	return err_code(e, ETIMEDOUT, id,
			"cannot %s container '%s': waited %u ms for process %u (%s)", verb, id,
			timeout_ms, pid, command);
}

int lock_wait(struct arena *a, int dirfd, const char *id, const char *verb, unsigned timeout_ms,
	      struct err *e)
{
	int r = lock_try(dirfd);

	if (r == -EWOULDBLOCK)
		r = timeout_ms ? wait_for(dirfd, timeout_ms) : -ETIMEDOUT;
	if (r == -ETIMEDOUT) {
		name_holder(a, dirfd, id, verb, timeout_ms, e);
		return err_set_id(e, "container-locked");
	}
	return r < 0 ? err_sys(e, -r, id, "lock the container") : 0;
}
