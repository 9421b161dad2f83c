/* SPDX-License-Identifier: Apache-2.0 */
/*
 * criu - checkpoint and restore by the criu program
 *
 * CRIU is spoken to by its own protocol ("criu swrk": protobuf messages on a socket), so
 * that it can hand over the terminal, ask for hooks at the right moment and tell the pid.
 * It is a program and no library here: no other command pays for it, and what it does to
 * the processes cannot take this one along.
 *
 * Descriptors in a request are this process's own: CRIU opens them by /proc/<pid>/fd.
 */
#ifndef CLEAT_CRIU_CRIU_H
#define CLEAT_CRIU_CRIU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"

enum criu_verb { CRIU_DUMP, CRIU_PRE_DUMP, CRIU_RESTORE };

/* Values of the protocol; 0 is "not given" in each. */
enum criu_cgroups {
	CRIU_CGROUPS_IGNORE = 1, /* one more than on the wire */
	CRIU_CGROUPS_SOFT = 4,
	CRIU_CGROUPS_FULL = 5,
	CRIU_CGROUPS_STRICT = 6,
};
enum criu_network_lock { CRIU_LOCK_IPTABLES = 1, CRIU_LOCK_NFTABLES = 2, CRIU_LOCK_SKIP = 3 };

struct criu_inherit { /* restore: descriptor of this process in the place of that resource */
	const char *key;
	int fd;
};

struct criu_join {	  /* restore: a namespace to enter instead of making it */
	const char *ns;	  /* "ipc" */
	const char *path; /* of the namespace's file */
};

struct criu_root {		 /* restore: the container's place in a hierarchy */
	const char *controllers; /* NULL: in all */
	const char *path;
};

/* What callers may choose, for checkpoint and restore alike. */
struct criu_choices {
	bool leave_running, tcp_established, tcp_skip_in_flight, tcp_close, ext_unix_sk, shell_job,
		file_locks, lazy_pages, auto_dedup, link_remap, empty_network;
	enum criu_cgroups cgroups;
	enum criu_network_lock network_lock;
	const char *parent_path; /* relative to the images */
	const char *lsm_profile, *lsm_mount_context;
	const char *page_server; /* "address:port" */
};

struct criu_request {
	enum criu_verb verb;
	const struct criu_choices *choices;
	int images, work;	     /* directories */
	const char *log_file;	     /* in @work */
	pid_t pid;		     /* dump: init */
	const char *root;	     /* the container's root directory; restore: a mount point */
	const char *freezer;	     /* dump: the cgroup that holds everybody; NULL: none */
	const char *config_file;     /* of CRIU's own options; NULL: none */
	const char *const *external; /* "mnt[/etc/hosts]:/srv/hosts" */
	size_t n_external;
	const struct criu_inherit *inherit;
	size_t n_inherit;
	const struct criu_join *join;
	size_t n_join;
	const struct criu_root *roots;
	size_t n_roots;
};

/* How the program is started. */
struct criu_process {
	const char *path; /* of the program: criu_find() */
	bool stdio;	  /* it gets our 0, 1 and 2, which restored processes may inherit */
	int cgroup;	  /* v2 directory that it is born in; -1: ours */
	/* It exists and waits: NULL, or what has to be done first. */
	int (*born)(void *arg, pid_t pid, struct err *e);
	/*
	 * CRIU is at a point of its work: "setup-namespaces", "post-restore" (@pid: init as
	 * we see it), "orphan-pts-master" (@fd: the terminal, closed afterwards),
	 * "status-ready" (its page server listens). A failure ends what it does.
	 */
	int (*notify)(void *arg, const char *point, pid_t pid, int fd, struct err *e);
	void *arg;
};

/*
 * criu_find() - the absolute path of the program
 * @given: a path that was asked for, or NULL to look in PATH and the usual places
 *
 * -ENOENT with a message when there is none.
 */
int criu_find(struct arena *a, const char *given, const char **ret, struct err *e);

/*
 * criu_check() - would the program at @path do its work here? criu(8), "check"
 *
 * It tries what it needs of the kernel, which takes a moment: for those who ask only.
 * Returns 0, or -errno with what it said.
 */
int criu_check(struct arena *a, const char *path, struct err *e);

/* major * 10000 + minor * 100 + sublevel, or -errno. */
#define CRIU_OLDEST 31500
int criu_version(struct arena *a, const struct criu_process *p, struct err *e);

/*
 * criu_run() - do it, and wait until it is done
 *
 * *ret_pid: init of a restored container, which is a child of this process (dump: 0).
 * On failure the message has CRIU's own reason and the lines of its log that tell it.
 */
int criu_run(struct arena *a, const struct criu_process *p, const struct criu_request *q,
	     pid_t *ret_pid, struct err *e);

/* Names of choices; -EINVAL. */
int criu_cgroups_from_name(const char *name);	   /* soft, full, strict, ignore */
int criu_network_lock_from_name(const char *name); /* iptables, nftables, skip */

/*
 * criu_log_reason() - the lines of a log that say why, without times and places; pure
 *
 * "a; b": the first errors, which cause the others. "" when there are none.
 */
const char *criu_log_reason(struct arena *a, const char *log);

#endif
