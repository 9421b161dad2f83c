/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sec - capabilities, seccomp, labels, no_new_privs, session keyring
 *
 * What is compiled or asked for happens in the parent, outside the container's
 * memory limit; what is applied happens in init in the order that run/ fixes:
 * before the gate the bounding set, ids, groups and no_new_privs; after it, the
 * label for exec, the filter, the capability sets.
 */
#ifndef CLEAT_SEC_SEC_H
#define CLEAT_SEC_SEC_H

#include <linux/filter.h>

#include "base/dir.h"
#include "spec/spec.h"
#include "sys/host.h"

/* A label in the kernel is at most a page. */
#define SEC_LABEL_MAX 4096

/* What a configuration says of the filter; neither profile nor raw: none is wanted. */
struct seccomp_source {
	const struct oci_linux_seccomp *profile; /* NULL: none */
	const struct sock_filter *raw;		 /* instead of its rules; NULL: they hold */
	size_t n_raw;
	bool known_only;       /* a call that libseccomp does not know is an error */
	const char *receiver;  /* who gets a listener; NULL: nobody */
	bool from_environment; /* receiver is, and nobody has looked at it yet */
};

struct seccomp_filter { /* a compiled filter, ready for the kernel */
	const struct sock_filter *insns;
	size_t n;
	bool raw;		   /* taken as it was */
	unsigned flags;		   /* SECCOMP_FILTER_FLAG_* */
	const char *listener_path; /* NULL: no notification */
	const char *listener_metadata;
};

/* Landlock: what is restricted, and what is allowed all the same; bits of the kernel */
struct landlock_path {
	const char *path;
	uint64_t allowed;
};
struct landlock_port {
	uint16_t port;
	uint64_t allowed;
};
struct landlock_plan {
	bool wanted, best_effort;
	uint64_t fs, network;
	const struct landlock_path *paths;
	size_t n_paths;
	const struct landlock_port *ports;
	size_t n_ports;
};

struct sec_plan {
	struct spec_caps caps;
	struct spec_caps *granted; /* init's: what of them there is, from sec_caps_park() on */
	int last_cap;
	bool no_new_privileges;
	bool user_ns;
	const char *apparmor;	 /* profile or NULL */
	const char *selinux;	 /* label or NULL */
	char *selinux_canonical; /* as the kernel prints it, from sec_labels_check() on */
	struct seccomp_source seccomp;
	struct landlock_plan landlock;
	bool new_keyring;
	const char *keyring_name; /* "_ses.<id>" */
};

/* Pure, except for warnings. @id names the keyring. */
int sec_plan_make(struct arena *a, const struct spec *spec, const struct spec_process *process,
		  const struct host *host, const char *id, bool new_keyring, struct sec_plan *ret,
		  struct err *e);

/*
 * seccomp_receiver() - the socket that gets the listener of a filter that notifies
 * @variable: RUN_OCI_SECCOMP_RECEIVER of the environment, or NULL
 *
 * linux.seccomp.listenerPath, where that is not set the annotation, then @variable, which is
 * returned as it is. NULL: there is none.
 */
const char *seccomp_receiver(const struct oci_config *config, const char *variable);
/*
 * seccomp_source_make() - what @config says of the filter; @variable: as above
 *
 * Takes a raw filter out of its annotation, and checks it as far as single instructions show
 * what the kernel would refuse. Returns 0 or -EINVAL. Pure.
 */
int seccomp_source_make(struct arena *a, const struct oci_config *config, const char *variable,
			struct seccomp_source *ret, struct err *e);
static inline bool seccomp_is_wanted(const struct seccomp_source *s)
{
	return s->profile || s->raw;
}
/*
 * Does it ask an agent? A raw filter that computes its answers may: it counts as one that does
 * if there is an agent to ask.
 */
bool seccomp_notifies(const struct seccomp_source *s);
/*
 * seccomp_compile() - parent: the profile as a program
 *
 * Every action, comparison, architecture and flag of config-linux.md; the numbers of
 * calls are libseccomp's, the program is ours (see seccomp_profile.h for what it means).
 * Calls newer than all that the profile names give ENOSYS where its default action is
 * an errno. A raw filter is taken as it is, with the flags of the profile.
 */
int seccomp_compile(struct arena *a, const struct seccomp_source *source,
		    struct seccomp_filter *ret, struct err *e);
/* The property that it comes from, for messages. */
const char *seccomp_origin(const struct seccomp_filter *f);
/*
 * seccomp_kills_exec() - does the filter end whoever calls execve(2), with whatever arguments?
 *
 * Then no program can be run behind it. False also for no filter (n is 0). Pure.
 */
bool seccomp_kills_exec(const struct seccomp_filter *f);
/*
 * seccomp_name_doubt() - the system call that @name is a slip of
 *
 * NULL: @name is known, or nothing that is known is close to it, and then it may well be a
 * call that is newer than libseccomp. Pure.
 */
const char *seccomp_name_doubt(struct arena *a, const char *name);
/* Can there be a rule for it? libseccomp knows it, if only from other architectures. Pure. */
bool seccomp_name_is_known(const char *name);
/*
 * seccomp_filter_load() - init: load the filter (seccomp(2))
 *
 * Returns the listener's descriptor (close-on-exec) when @f has a listener_path, else 0;
 * or -errno. Without no_new_privs it takes CAP_SYS_ADMIN: sec_caps_raise_admin().
 */
int seccomp_filter_load(const struct seccomp_filter *f, bool no_new_privs, struct err *e);
/*
 * sec_filter_is_last() - is the filter loaded after the capability sets?
 *
 * With no_new_privs it can be, and then nothing but the execve stands between it and
 * the program. Without, sec_caps_apply() comes after it, which makes exactly one call
 * in that case: a profile must then allow capset(2), as with other runtimes. Whatever
 * else can be done before the filter must be.
 */
bool sec_filter_is_last(const struct sec_plan *p);
/*
 * seccomp_notify_state() - the container process state of config-linux.md, as JSON
 * @state: of the container, with the pid of the process that has the filter
 * @metadata: listenerMetadata or NULL
 */
const char *seccomp_notify_state(struct arena *a, const struct oci_state *state,
				 const char *metadata);
/*
 * seccomp_notify_send() - send it with the listener to the agent at @path, an absolute
 * name of a SOCK_STREAM socket; the connection is closed after it. Waits at most 10 s.
 */
int seccomp_notify_send(const char *path, int listener, const char *state, struct err *e);

/*
 * How init, which after the load can make no call that is sure to be answered, tells the
 * peer at the gate (or the parent in `run`) of its listener:
 *
 *	init: watch = seccomp_handover_make(&h)   -- before the load
 *	init: send a message with the descriptor watch to the peer, close it
 *	init: listener = seccomp_filter_load(...)
 *	init: if (!seccomp_handover_give(&h, listener)) end by __builtin_trap()
 *	peer: number = seccomp_handover_await(watch, pidfd, &page)
 *	peer: get descriptor number of init's, seccomp_notify_send(path, it, state), close it
 *	peer: seccomp_handover_finish(watch, page); close watch
 *
 * A peer that gives up, by closing watch or by dying, makes seccomp_handover_give() say
 * false.
 */
struct seccomp_handover {
	char *pages;
};
/* Returns the descriptor; -EPERM or -ENOSYS where an outer sandbox refuses userfaultfd(2). */
int seccomp_handover_make(struct seccomp_handover *ret, struct err *e);
bool seccomp_handover_give(const struct seccomp_handover *h, int listener);
/* The number of the listener; waits at most 10 s and ends when the process of @pidfd does. */
int seccomp_handover_await(int watch, int pidfd, uint64_t *ret_page, struct err *e);
int seccomp_handover_finish(int watch, uint64_t page, struct err *e);

/* For features. */
const char *const *seccomp_action_names(size_t *n);
const char *const *seccomp_operator_names(size_t *n);
const char *const *seccomp_arch_names(size_t *n);
const char *const *seccomp_known_flags(size_t *n);
const char *const *seccomp_supported_flags(size_t *n);
/* Of the library that is linked: "2.5.4". */
const char *seccomp_library_version(struct arena *a);

/*
 * sec_bounding_apply() - init, before the ids change: the bounding set
 *
 * Needs CAP_SETPCAP, unless there is nothing to drop. Resets the securebits as well and
 * sets KEEP_CAPS among them, so nobody else has to before the ids change.
 */
int sec_bounding_apply(const struct sec_plan *p, struct err *e);
/*
 * sec_caps_park() - init, after the ids: as little as the last steps need
 *
 * Permitted, inheritable and ambient become final, effective empty. @keep_admin:
 * CAP_SYS_ADMIN stays permitted, for a filter without no_new_privs. What the kernel does
 * not grant is left out of @p->granted with a warning.
 */
int sec_caps_park(const struct sec_plan *p, bool keep_admin, struct err *e);
/* Last: the five sets exactly as configured, read back (but see sec_filter_is_last()). */
int sec_caps_apply(const struct sec_plan *p, struct err *e);
/* Raise CAP_SYS_ADMIN into the effective set again for seccomp_filter_load(). */
int sec_caps_raise_admin(struct err *e);

/* Parent: is what was asked for possible on this host? (label, profile) */
int sec_labels_check(const struct sec_plan *p, struct err *e);
/* init: write the label for the coming exec through @proc (procfs of our own) and read it back. */
int sec_label_exec(const struct sec_plan *p, int proc, struct err *e);
/*
 * sec_selinux_check() - does the running policy know a label?
 * @property: of the configuration, for messages: "linux.mountLabel"
 * @ret: SEC_LABEL_MAX bytes for the label as the kernel prints it; NULL: not wanted
 *
 * SELinux being off is an error, for a label was asked for.
 */
int sec_selinux_check(const char *label, const char *property, char *ret, struct err *e);
/* Pure; @oci NULL: nothing is wanted. */
void landlock_plan_make(struct arena *a, const struct oci_landlock *oci, struct landlock_plan *ret);
/* The accesses that a version of the interface knows, and the names of some. Pure. */
uint64_t landlock_known_fs(int abi);
uint64_t landlock_known_network(int abi);
const char *landlock_right_names(struct arena *a, uint64_t fs, uint64_t network);
/* Parent: can this kernel do it? Leaves out of @p what it cannot, where that is acceptable. */
int sec_landlock_check(struct arena *a, struct landlock_plan *p, struct err *e);
/* init, in its root and before the ids change: the rules as a descriptor. */
int sec_landlock_make(const struct landlock_plan *p, struct err *e);
/* init, last but for the filter: from here on they hold. Takes no_new_privs. */
int sec_landlock_enforce(int ruleset, struct err *e);

/* init, before the root switch: join a new session keyring; quota failures name the knobs. */
int sec_keyring_join(const struct sec_plan *p, struct err *e);

#endif
