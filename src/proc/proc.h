/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc - attributes of the process: ids, groups, environment, limits, scheduling,
 * sysctls, host name, terminal, and where its program is
 */
#ifndef CLEAT_PROC_PROC_H
#define CLEAT_PROC_PROC_H

#include "base/dir.h"
#include "spec/spec.h"
#include "sys/attr.h"
#include "sys/host.h"

struct proc_sysctl {
	const char *path; /* below /proc/sys: "net/ipv4/ip_forward" */
	const char *value;
	const char *key; /* as written, for messages */
	int ns;		 /* CLONE_NEW* of the namespace that it belongs to */
};

/* A namespace of the runtime itself, which a joined one must not be; ino 0: not asked. */
struct proc_ns_id {
	dev_t dev;
	ino_t ino;
};

struct proc_bits { /* CPUs or memory nodes; NULL: not given */
	const unsigned long *words;
	size_t n_words;
};

struct proc_mempolicy {
	int mode; /* MPOL_*, with its flags */
	struct proc_bits nodes;
};

/* Core scheduling; pids of the host, 0: not wanted */
struct proc_cores {
	bool create;
	pid_t share_from, share_to;
	/* prctl(2), or what stands in for it in a test */
	int (*prctl)(int option, unsigned long a, unsigned long b, unsigned long c,
		     unsigned long d);
};

/* What the runtime was given by its own parent and a container must not get. */
struct proc_inherited {
	bool known;	  /* proc_note_inherited() was called */
	uint64_t ignored; /* bit n: signal n + 1 */
	bool no_thp;
	bool ssb_off, indirect_off; /* speculation was disabled and may be enabled again */
};

struct proc_plan {
	const struct spec_process *process;
	const char *hostname, *domainname; /* NULL: leave */
	const struct proc_sysctl *sysctls;
	size_t n_sysctls;
	struct proc_ns_id own_net, own_ipc, own_uts, own_user;
	const char *const *args;
	const char *const *env; /* process.env, the last of equal names; HOME is proc_env()'s */
	size_t n_args, n_env;
	bool keep_groups; /* setgroups is denied or not wanted */
	bool new_uts;
	const struct oci_linux *linux;

	bool has_sched;
	struct sys_sched_attr sched;
	int ioprio; /* value of ioprio_set(2); -1: leave */
	unsigned long personality;
	bool has_mempolicy;
	struct proc_mempolicy mempolicy;
	struct proc_cores cores;
	struct proc_bits exec_initial, exec_final; /* execCPUAffinity, for exec only */
	bool exec; /* a further process of a container: set by the caller after proc_plan_make() */
	struct proc_inherited inherited;
};

/* Pure, but that a namespace given by path is compared with our own where that matters:
   checks sysctl keys against the namespaces that the container owns. */
int proc_plan_make(struct arena *a, const struct spec *spec, const struct spec_process *process,
		   const struct host *host, struct proc_plan *ret, struct err *e);

/* The words of memoryPolicy, for features. */
const char *const *proc_mempolicy_modes(size_t *n);
const char *const *proc_mempolicy_flags(size_t *n);

/*
 * proc_note_inherited() - parent, early: what we were given that must not go on
 *
 * One look at /proc/self/status instead of 64 questions in init, and the coredump filter
 * (which only can be changed here) to its default. Without it proc_reset_inherited()
 * asks the kernel one by one.
 */
void proc_note_inherited(struct proc_plan *p);
/* middle, before it is in a user namespace, which has no say in it: policy, nice value, flags */
void proc_reset_sched(void);
/* middle, for those born of it: written below the procfs @proc for @pid, and read back. A user
   may write that of a dumpable process alone, proc_pid(5). */
int proc_oom_score(const struct proc_plan *p, int proc, pid_t pid, struct err *e);

/* --- init ---------------------------------------------------------------------------------- */
int proc_names(const struct proc_plan *p, struct err *e); /* hostname, domainname */
int proc_sysctls(const struct proc_plan *p, int proc_full, struct err *e);
int proc_rlimits(const struct proc_plan *p, struct err *e);
/* The same for process @pid, by a parent with more rights than a user namespace has. */
int proc_rlimits_of(const struct proc_plan *p, pid_t pid, struct err *e);
/*
 * scheduler and ioPriority of process @pid (0: the caller's), which a user namespace has no
 * say in: a parent that is root sets them for those who are in one
 */
int proc_priorities(const struct proc_plan *p, pid_t pid, struct err *e);
/* memory policy, personality */
int proc_policies(const struct proc_plan *p, struct err *e);
/* Everything else inherited that is not on the allow-list back to the default: affinity,
   io priority, timer slack, dispositions, mask, umask, parent-death signal ... */
int proc_reset_inherited(const struct proc_plan *p, struct err *e);
/* exec: process.execCPUAffinity.initial, before the process is moved into the cgroup. */
int proc_affinity_initial(const struct proc_plan *p, pid_t pid, struct err *e);
/*
 * proc_core_scheduling() - middle, while it sees the host's pids: take the cookie on
 * @init: exec: the container's init, whose cookie it is; else 0
 *
 * -ENOTSUP where the kernel or the machine has no core scheduling.
 */
int proc_core_scheduling(const struct proc_plan *p, pid_t init, struct err *e);
bool proc_wants_cores(const struct proc_plan *p);
/* Become root of the user namespace, before mounts. */
int proc_become_ns_root(struct err *e);
/* setgroups, setresgid, setresuid; read back. Capabilities are the sec room's. */
int proc_ids(const struct proc_plan *p, struct err *e);
/*
 * Make cwd while the root may still be written to: root.readonly and mounts with "ro"
 * come after it. What fails here is tried again, and told, by who enters it.
 */
void proc_cwd_make(const struct proc_plan *p);
/*
 * chdir to cwd, made when missing (not by exec), checked to lie inside the root (getcwd must begin
 * with '/'): CVE-2024-21626.
 */
int proc_cwd(const struct proc_plan *p, struct err *e);
/*
 * The same before proc_ids(): root may make the directory and may enter what the user may
 * not. *ret_done false: not permitted now (root squash), try proc_cwd() as the user.
 */
int proc_cwd_early(const struct proc_plan *p, bool *ret_done, struct err *e);
/*
 * The environment for execve: process.env plus HOME from the container's passwd when
 * absent or empty (bounded reader; "/" for an unknown user), plus LISTEN_* of
 * sd_listen_fds(3) when @listen_fds. @listen_names: LISTEN_FDNAMES, or NULL.
 */
int proc_env(struct arena *a, const struct proc_plan *p, unsigned listen_fds,
	     const char *listen_names, const char *const **ret_env, struct err *e);

/* Who a name is in the container's passwd and group. */
struct proc_account {
	uid_t uid;
	gid_t gid;
	gid_t *groups; /* that list the user as a member */
	size_t n_groups;
};
/*
 * proc_account_find() - look NAME or NAME:GROUP up below @root
 *
 * @root: the container's root directory. With a group given there are no further ones, as
 * engines have it. -ENOENT when a name is not there, or the files are no regular ones.
 */
int proc_account_find(struct arena *a, int root, const char *text, struct proc_account *ret,
		      struct err *e);
/*
 * proc_find_exec() - where the program is, in the container, as the final user
 *
 * Bare names through PATH of process.env. The words are docs/contract.md, rows 31 to 33:
 * "executable file not found in $PATH", "no such file or directory", "permission
 * denied", "is a directory". *ret_path is what execve gets. Nothing is opened but with
 * O_PATH. What the process may do by CAP_DAC_* of its own counts, when these are permitted
 * at the time of the call.
 */
int proc_find_exec(struct arena *a, const struct proc_plan *p, const char **ret_path,
		   struct err *e);

/*
 * proc_explain_exec() - why execve(2) of @path failed with errno @code
 *
 * Called after the failure, in its place and with its rights. Looks along the chain of
 * files that execve follows (links, loader, interpreters). Returns a phrase that names the
 * fault, "its loader '/lib/ld-musl-x86_64.so.1' (musl) does not exist in the container", with
 * the kind of error in *ret_id. NULL: nothing was found that answers @code.
 */
const char *proc_explain_exec(struct arena *a, const char *path, int code, const char **ret_id);

/* --- terminals -------------------------------------------------------------------------------- */
/* init: a pty of the container's devpts: master by descriptor of <root>/dev/pts/ptmx, slave by
   TIOCGPTPEER, verified; size set. */
int term_open_pty(int root, uint16_t rows, uint16_t cols, int *ret_master, int *ret_slave,
		  struct err *e);
/* init: slave becomes 0, 1, 2 and the controlling terminal; owner set to @uid. */
int term_make_stdio(int slave, uid_t uid, struct err *e);
/*
 * Standard streams: pipes and sockets are given to @uid (EPERM etc. is fine), and what is
 * /dev/null becomes the one below @root (AT_FDCWD: we are in it already) where there is one.
 */
int term_fix_stdio(int root, uid_t uid, struct err *e);
/* Parent: send the master to --console-socket (one connect, one sendmsg, payload = name). */
int term_send(int console_socket_fd, int master, struct err *e);
/*
 * Connect to a socket that takes descriptors, by its path or "@name"; @what: "console" or
 * "pidfd", for messages.
 */
int term_connect(const char *path, const char *what, int *ret_fd, struct err *e);
/* Parent in the foreground, before the program runs: the container's terminal is as ours. */
void term_take_size(int master);
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
/*
 * Our terminal may have become ours, or somebody else's (SIGCONT): in its foreground it is raw
 * and read, in its background left alone. Expects SIGTTIN and SIGTTOU to be blocked.
 */
void term_relay_foreground(struct term_relay *t);
/* The other side is gone: copy what is left, bounded, and restore our terminal. */
void term_relay_finish(struct term_relay *t);

#endif
