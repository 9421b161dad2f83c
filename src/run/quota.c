/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quota - which limit was it?
 *
 * The kernel counts processes, namespaces and open files in several places each, and says
 * EAGAIN, ENOSPC or EMFILE when one of them is full. Only asked after a failure.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/str.h"
#include "cgroup/cgroup.h"
#include "run/run.h"
#include "sys/sys.h"

#define CGROUP_MAX 65536

static const char *sysctl(struct arena *a, const char *name)
{
	char text[64];

	if (file_read_small(AT_FDCWD, arena_printf(a, "/proc/sys/%s", name), text, sizeof(text)) <
	    0)
		return NULL;
	return arena_strdup(a, text);
}

/* --- processes -------------------------------------------------------------------------------- */

static bool cgroup_is_full(struct arena *a, struct cgroup *cg, struct err *e)
{
	struct cgroup_stats stats = { 0 };

	if (!cg || cgroup_stats_read(a, cg, &stats, NULL) < 0 ||
	    stats.pids_limit == CGROUP_UNLIMITED || stats.pids < stats.pids_limit)
		return false;
	err_note(e, "the container's cgroup has %llu of %llu pids", (unsigned long long)stats.pids,
		 (unsigned long long)stats.pids_limit);
	return true;
}

/* The cgroup at @path of the hierarchy @root, and those above it. */
static bool chain_is_full(struct arena *a, const char *root, const char *path, struct err *e)
{
	char *dir = arena_strdup(a, path), max[24], now[24];
	uint64_t limit, used;

	for (;;) {
		if (file_read_small(AT_FDCWD, arena_printf(a, "%s%s/pids.max", root, dir), max,
				    sizeof(max)) > 0 &&
		    file_read_small(AT_FDCWD, arena_printf(a, "%s%s/pids.current", root, dir), now,
				    sizeof(now)) > 0 &&
		    str_to_u64(max, &limit) == 0 && str_to_u64(now, &used) == 0 && used >= limit) {
			err_note(e, "cgroup '%s' has %s of %s pids", *dir ? dir : "/", now, max);
			return true;
		}
		if (!*dir)
			return false;
		*strrchr(dir, '/') = '\0';
	}
}

/* "4:pids:/user" or "0::/user", proc_pid_cgroup(5) */
static bool own_cgroup_is_full(struct arena *a, struct err *e)
{
	char *text, *save = NULL;

	if (file_read_at(AT_FDCWD, "/proc/self/cgroup", a, CGROUP_MAX, &text, NULL) < 0)
		return false;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *path = strchr(line, '/');

		if (str_starts(line, "0::") && chain_is_full(a, "/sys/fs/cgroup", path, e))
			return true;
		if (strstr(line, ":pids:") && chain_is_full(a, "/sys/fs/cgroup/pids", path, e))
			return true;
	}
	return false;
}

/* None of these says how many there are. */
static void note_other_pid_limits(struct arena *a, struct err *e)
{
	struct rlimit user = { RLIM_INFINITY, RLIM_INFINITY };
	const char *threads = sysctl(a, "kernel/threads-max"), *pids = sysctl(a, "kernel/pid_max");

	getrlimit(RLIMIT_NPROC, &user);
	if (geteuid() != 0 && user.rlim_cur != RLIM_INFINITY)
		err_note(
			e,
			"there may be no more processes (RLIMIT_NPROC of user %u %llu, pids.max of "
			"a cgroup above, kernel.threads-max %s, kernel.pid_max %s)",
			(unsigned)geteuid(), (unsigned long long)user.rlim_cur,
			threads ? threads : "?", pids ? pids : "?");
	else
		err_note(e,
			 "there may be no more processes (pids.max of a cgroup above, "
			 "kernel.threads-max %s, kernel.pid_max %s)",
			 threads ? threads : "?", pids ? pids : "?");
}

static void explain_pids(struct arena *a, const struct run *run, struct err *e)
{
	if (!cgroup_is_full(a, run->cgroup, e) && !own_cgroup_is_full(a, e))
		note_other_pid_limits(a, e);
	err_set_id(e, "quota-pids");
}

/* --- namespaces ------------------------------------------------------------------------------- */

static const struct {
	uint64_t flag;
	const char *name; /* in user.max_<name>_namespaces */
} kinds[] = {
	{ CLONE_NEWUSER, "user" },     { CLONE_NEWNS, "mnt" },	  { CLONE_NEWPID, "pid" },
	{ CLONE_NEWNET, "net" },       { CLONE_NEWIPC, "ipc" },	  { CLONE_NEWUTS, "uts" },
	{ CLONE_NEWCGROUP, "cgroup" }, { CLONE_NEWTIME, "time" },
};

/* A child finds out which one it is: nothing else tells. -1: none of them, now. */
static int full_kind(uint64_t wanted)
{
	int pidfd = -1;
	struct clone_args args = { .flags = CLONE_PIDFD,
				   .exit_signal = SIGCHLD,
				   .pidfd = (uintptr_t)&pidfd };
	siginfo_t si = { 0 };
	pid_t pid = sys_clone3(&args, sizeof(args));

	if (pid == 0) {
		for (size_t i = 0; i < COUNT(kinds); i++)
			if ((wanted & kinds[i].flag) && sys_unshare((int)kinds[i].flag) == -ENOSPC)
				_exit((int)i + 1);
		_exit(0);
	}
	if (pid < 0)
		return -1;
	sys_waitid_pidfd(pidfd, &si, WEXITED);
	fd_close(&pidfd);
	return si.si_code == CLD_EXITED ? si.si_status - 1 : -1;
}

static void explain_namespaces(struct arena *a, const struct run *run, struct err *e)
{
	const struct ns_plan *ns = &run->plan->ns;
	int i = full_kind(ns->create | (ns->new_user ? CLONE_NEWUSER : 0));
	const char *name, *limit;

	if (i < 0)
		return;
	name = arena_printf(a, "user/max_%s_namespaces", kinds[i].name);
	limit = sysctl(a, name);
	err_note(e, "there may be no more %s namespaces (user.max_%s_namespaces is %s)",
		 kinds[i].name, kinds[i].name, limit ? limit : "?");
	err_set_id(e, "quota-namespaces");
}

/* Distributions refuse them to users; so does the kernel below a chroot. */
static void explain_no_user_namespace(struct arena *a, struct err *e)
{
	static const struct {
		const char *name, *bad;
	} rows[] = {
		{ "kernel/unprivileged_userns_clone", "0" },
		{ "kernel/apparmor_restrict_unprivileged_userns", "1" },
	};

	for (size_t i = 0; geteuid() != 0 && i < COUNT(rows); i++) {
		const char *value = sysctl(a, rows[i].name);

		if (!value || !str_eq(value, rows[i].bad))
			continue;
		err_note(e, "user namespaces are for root alone here (%s is %s)", rows[i].name,
			 value);
		err_set_id(e, "quota-namespaces");
		return;
	}
}

/* A configuration for root in the hands of a user. */
static void explain_no_rights(const struct run *run, struct err *e)
{
	if (!run_has_user_ns(run))
		err_note(e, "without CAP_SYS_ADMIN new namespaces need one of type user beside "
			    "them in linux.namespaces, as 'cleat spec --rootless' writes it");
}

/* --- open files ------------------------------------------------------------------------------- */

static void explain_descriptors(struct err *e)
{
	struct rlimit limit = { 0 };

	getrlimit(RLIMIT_NOFILE, &limit);
	err_note(e, "a process may have %llu open files (RLIMIT_NOFILE)",
		 (unsigned long long)limit.rlim_cur);
	err_set_id(e, "quota-descriptors");
}

static void explain_files(struct arena *a, struct err *e)
{
	const char *max = sysctl(a, "fs/file-max");

	err_note(e, "the host may have %s open files (fs.file-max)", max ? max : "?");
	err_set_id(e, "quota-files");
}

/* The steps that make one; elsewhere ENOSPC means a disk. */
static bool is_of_namespaces(const struct err *e)
{
	return str_eq(e->step, "user-namespace") || str_eq(e->step, "time-namespace") ||
	       str_eq(e->step, "cgroup-namespace") || str_eq(e->step, "clone-init");
}

void run_explain_quota(const struct run *run, struct err *e)
{
	auto_arena a = arena_make();
	char former[sizeof(e->id)];

	if (str_starts(e->id, "quota-"))
		return;
	/* what is full says more than what it was wanted for */
	str_copy(former, sizeof(former), e->id);
	e->id[0] = '\0';
	if (e->code == EMFILE)
		explain_descriptors(e);
	else if (e->code == ENFILE)
		explain_files(&a, e);
	else if (run && e->code == EAGAIN && str_starts(e->text, "clone"))
		explain_pids(&a, run, e);
	else if (run && e->code == ENOSPC && !run->options.exec && is_of_namespaces(e))
		explain_namespaces(&a, run, e);
	else if (run && e->code == EPERM && str_eq(e->step, "user-namespace"))
		explain_no_user_namespace(&a, e);
	else if (run && e->code == EPERM && !run->options.exec && is_of_namespaces(e))
		explain_no_rights(run, e);
	if (!e->id[0])
		str_copy(e->id, sizeof(e->id), former);
}
