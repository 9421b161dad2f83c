/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exit - how a container ended, on record until it is deleted
 *
 * The kernel tells it to the parent of init, and that is seldom us: whoever runs create or
 * a detached run adopts what it leaves behind. Others learn it in two ways. As long as the
 * parent has not reaped init, its stat file has the status. Afterwards, since Linux 6.15, a
 * pidfd has it that was open while init lived. So whoever watches the end can record it,
 * and these do: run --keep, which is the parent; wait and stop; and the process that
 * create and run leave in the background with --record-exit, where nobody else would look.
 *
 * The record is written once, under the lock, by the first one that knows.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "cgroup/cgroup.h"
#include "container/internal.h"
#include "ocispec/decode.h"
#include "ocispec/encode.h"
#include "sys/sys.h"

#define EXIT_NAME "exit.json"
#define EXIT_MODE 0600

/* --- what the kernel tells -------------------------------------------------------------------- */

int exit_wait_status(pid_t pid, int pidfd)
{
	int status = sys_pidfd_exit_status(pidfd);

	if (status < 0)
		status = identity_zombie_status(pid, pidfd);
	/* it may have been reaped between the two questions */
	return status < 0 ? sys_pidfd_exit_status(pidfd) : status;
}

/* As a shell has it: 128 plus the signal. */
static int shell_status(int wait_status)
{
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

/* --- the record ------------------------------------------------------------------------------- */

int exit_read(struct arena *a, const struct container *c, struct cleat_exit **ret)
{
	const struct ocispec_allocator alloc = { arena_ocispec_alloc, a };
	char *text;
	ssize_t len = file_read_at(c->dir.fd, EXIT_NAME, a, OCISPEC_MAX_SIZE, &text, NULL);

	*ret = NULL;
	if (len < 0)
		return (int)len;
	return ocispec_decode(&cleat_exit_type, text, (size_t)len, &alloc, NULL, (void **)ret,
			      NULL);
}

static void add_usage(struct arena *a, const struct container *c, struct cleat_exit *x)
{
	struct cgroup *cg = container_cgroup(a, c);
	struct cgroup_stats stats = { 0 };
	int64_t limit, peak;

	if (!cg)
		return;
	x->oom = cgroup_oom_killed(cg, &limit, &peak);
	if (cgroup_stats_read(a, cg, &stats, NULL) == 0) {
		x->cpu_time = stats.cpu.total;
		x->has_cpu_time = true;
		x->memory_peak = stats.memory.memory.max;
		x->has_memory_peak = x->memory_peak > 0;
	}
	cgroup_close(cg);
}

struct cleat_exit *exit_describe(struct arena *a, const struct container *c, int wait_status)
{
	struct cleat_exit *x = arena_new(a, struct cleat_exit);

	x->status = (uint32_t)shell_status(wait_status);
	x->has_status = true;
	if (WIFSIGNALED(wait_status)) {
		x->signal = (uint32_t)WTERMSIG(wait_status);
		x->has_signal = true;
	}
	x->has_oom = true;
	x->created = c->state->created;
	x->ended = clock_rfc3339_now(arena_alloc(a, CLOCK_TEXT_SIZE));
	add_usage(a, c, x);
	return x;
}

static int write_once(struct arena *a, struct container *c, const struct cleat_exit *x,
		      struct err *e)
{
	const struct ocispec_allocator alloc = { arena_ocispec_alloc, a };
	struct ocispec_error oe = { 0 };
	struct stat st;
	size_t len;
	char *text;
	int r;

	if (container_was_removed(c) || sys_fstatat(c->dir.fd, EXIT_NAME, &st, 0) == 0)
		return 0;
	r = ocispec_encode(&cleat_exit_type, x, 0, &alloc, &text, &len, &oe);
	if (r < 0)
		return err_code(e, -r, oe.path, "record the end of the container: %s: %s", oe.path,
				oe.text);
	return file_replace_at(&c->dir, EXIT_NAME, EXIT_MODE, text, len, e);
}

/* The end is known, whether or not it can be written down: no failure of the command. */
void exit_record(struct arena *a, struct container *c, const struct cleat_exit *x)
{
	bool locked = c->lock >= 0;
	struct err e = { 0 };
	int r = 0;

	if (!locked)
		r = lock_wait(a, c->dir.fd, c->id, "record the end of", CONTAINER_DEADLINE_MS, &e);
	if (r == 0)
		r = write_once(a, c, x, &e);
	if (r < 0)
		log_warning("%s", e.text);
	else if (!locked)
		lock_drop(c->dir.fd);
}

/* --- a process that only watches -------------------------------------------------------------- */

static _Noreturn void watch(struct arena *a, struct container *c)
{
	int low = c->dir.fd < c->pidfd ? c->dir.fd : c->pidfd;
	int high = c->dir.fd < c->pidfd ? c->pidfd : c->dir.fd;
	struct err e = { 0 };
	int status;

	/* nobody may wait for the end of a stream, a lock or a mount because of us */
	sys_setsid();
	sys_chdir("/");
	log_open(NULL, LOG_TEXT, LOG_LEVEL_ERROR, NULL);
	sys_close_range(0, (unsigned)low - 1, 0);
	if (high > low + 1)
		sys_close_range((unsigned)low + 1, (unsigned)high - 1, 0);
	sys_close_range((unsigned)high + 1, ~0U, 0);
	fd_open_stdio();
	if (container_await_end(a, c, -1, &e) < 0)
		_exit(EXIT_FAILURE);
	status = exit_wait_status(c->state->pid, c->pidfd);
	if (status >= 0)
		exit_record(a, c, exit_describe(a, c, status));
	_exit(EXIT_SUCCESS);
}

int exit_watch(struct arena *a, const struct container *c, int pidfd, struct err *e)
{
	struct clone_args args = { .exit_signal = SIGCHLD };
	struct container own = *c;
	pid_t pid = sys_clone3(&args, sizeof(args));

	if (pid < 0)
		return err_sys(e, -pid, NULL, "leave a process that records the end");
	if (pid > 0)
		return 0;
	own.lock = -1;
	own.pidfd = pidfd;
	watch(a, &own);
}
