/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc - attributes of the process: ids, groups, environment, limits, scheduling,
 * sysctls, host name, terminal, and where its program is
 */
#ifndef CLEAT_PROC_PROC_H
#define CLEAT_PROC_PROC_H

#include "base/dir.h"
#include "spec/spec.h"
#include "sys/host.h"

struct proc_sysctl {
	const char *path;  /* below /proc/sys: "net/ipv4/ip_forward" */
	const char *value;
};

struct proc_plan {
	const struct spec_process *process;
	const char *hostname, *domainname; /* NULL: leave */
	const struct proc_sysctl *sysctls;
	size_t n_sysctls;
	const char *const *args;
	const char *const *env;	 /* process.env; HOME is added by proc_env() */
	size_t n_args, n_env;
	bool keep_groups;	 /* setgroups is denied or not wanted */
	bool new_uts;
	/* personality, scheduler, ioPriority, affinity, memoryPolicy: NULL/absent = leave */
	const struct oci_linux *linux;
};

/* Pure: checks sysctl keys against the namespaces that the container owns. */
int proc_plan_make(struct arena *a, const struct spec *spec, const struct spec_process *process,
		   const struct host *host, struct proc_plan *ret, struct err *e);

/* --- init ---------------------------------------------------------------------------------- */
int proc_names(const struct proc_plan *p, struct err *e);	      /* hostname, domainname */
int proc_sysctls(const struct proc_plan *p, int proc_full, struct err *e);
/* parent, before GO (a non-dumpable process cannot write its own in a user namespace); written
   below the procfs @proc for @pid, and read back */
int proc_oom_score(const struct proc_plan *p, int proc, pid_t pid, struct err *e);
int proc_rlimits(const struct proc_plan *p, struct err *e);
int proc_sched(const struct proc_plan *p, struct err *e); /* scheduler, ioPriority, personality... */
/* Everything inherited that is not on the allow-list back to the default: affinity, nice,
   io priority, timer slack, dispositions, mask, umask, parent-death signal ... */
int proc_reset_inherited(const struct proc_plan *p, struct err *e);
/* Become root of the user namespace, before mounts. */
int proc_become_ns_root(struct err *e);
/* setgroups, setresgid, setresuid; read back. */
int proc_ids(const struct proc_plan *p, struct err *e);
/*
 * chdir to cwd, made when missing, checked to lie inside the root (getcwd must begin
 * with '/'): CVE-2024-21626.
 */
int proc_cwd(const struct proc_plan *p, struct err *e);
/*
 * The environment for execve: process.env plus HOME from the container's passwd when
 * absent or empty (bounded reader; "/" for an unknown user), plus LISTEN_* when @listen_fds.
 */
int proc_env(struct arena *a, const struct proc_plan *p, unsigned listen_fds,
	     const char *const **ret_env, struct err *e);
/*
 * proc_find_exec() - where the program is, in the container, as the final user
 *
 * Bare names through PATH of process.env. The words are callers.md rows 31-33:
 * "executable file not found in $PATH", "no such file or directory", "permission
 * denied", "is a directory". *ret_path is what execve gets.
 */
int proc_find_exec(struct arena *a, const struct proc_plan *p, const char **ret_path,
		   struct err *e);

/* --- terminals -------------------------------------------------------------------------------- */
/* init: a pty of the container's devpts: master by descriptor of <root>/dev/pts/ptmx, slave by
   TIOCGPTPEER, verified; size set. */
int term_open_pty(int root, uint16_t rows, uint16_t cols, int *ret_master, int *ret_slave,
		  struct err *e);
/* init: slave becomes 0, 1, 2 and the controlling terminal; owner set to @uid. */
int term_make_stdio(int slave, uid_t uid, struct err *e);
/* Give stdin/out/err that are not /dev/null and not ttys of others to @uid (EPERM etc. is fine). */
int term_fix_stdio_owner(uid_t uid, struct err *e);
/* Parent: send the master to --console-socket (one connect, one sendmsg, payload = name). */
int term_send(int console_socket_fd, int master, struct err *e);
int term_connect(const char *path, int *ret_fd, struct err *e);
/*
 * Parent in the foreground: relay between our own stdin/stdout and @master until the
 * container ended and everything is drained. Used by run/'s event loop: the relay is
 * a set of descriptors and handlers, not a loop of its own.
 */
struct term_relay;
int term_relay_start(struct arena *a, int master, struct term_relay **ret, struct err *e);
/* Fill pollfds (at most TERM_RELAY_FDS), returns how many. */
#define TERM_RELAY_FDS 4
struct pollfd;
size_t term_relay_poll(struct term_relay *t, struct pollfd *fds);
int term_relay_handle(struct term_relay *t, const struct pollfd *fds, size_t n, struct err *e);
void term_relay_resize(struct term_relay *t); /* SIGWINCH */
/* The other side is gone: copy what is left, bounded, and restore our terminal. */
void term_relay_finish(struct term_relay *t);

#endif
