/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ns - namespaces: which to create, which to join, in what order, and id maps
 *
 * The order that user_namespaces(7) forces: what the caller's own privileges can
 * join is joined first, then the user namespace is entered or made, then the rest
 * is joined with the rights gained there. What is new is created by the clone3
 * that makes init, except the user and time namespaces, which the middle process
 * unshares because something must be written before the first member is born.
 */
#ifndef CLEAT_NS_NS_H
#define CLEAT_NS_NS_H

#include "base/dir.h"
#include "spec/spec.h"
#include "sys/host.h"

struct ns_join {
	int type;	  /* CLONE_NEW* */
	const char *path; /* for messages */
	int fd;		  /* opened and checked by ns_open(); -1 before */
};

struct ns_plan {
	struct ns_join join[8];
	size_t n_join;
	uint64_t create;      /* all namespaces to create */
	uint64_t clone_flags; /* of those: by init's clone3 */
	bool new_user;
	bool join_user;
	bool late_cgroup;  /* init itself enters the cgroup namespace, new or given */
	bool early_cgroup; /* the middle makes it: init is born below its root */
	const struct id_map *uid_maps, *gid_maps;
	size_t n_uid_maps, n_gid_maps;
	bool single_uid, single_gid; /* one id that an unprivileged process may map itself */
	bool unprivileged;	     /* not root: maps of more ids need newuidmap(1) */
	const char *time_offsets;    /* text for timens_offsets; NULL: none */
};

/* Pure. Returns 0 or -errno. */
int ns_plan_make(struct arena *a, const struct spec *spec, const struct host *host,
		 struct ns_plan *ret, struct err *e);

/*
 * ns_open() - parent: open the namespaces to join, in the caller's file system
 *
 * Each is checked with NS_GET_NSTYPE; one that is our own already is dropped from
 * the list (setns(2) into the present user namespace fails).
 */
int ns_open(struct ns_plan *p, struct err *e);
void ns_close(struct ns_plan *p);

/* middle, one after the other; each is a step of its own. */
int ns_join_before_user(struct ns_plan *p, struct err *e); /* what our own rights can join */
int ns_enter_user(const struct ns_plan *p, struct err *e); /* join or unshare the user namespace */
int ns_join_rest(struct ns_plan *p, struct err *e);
int ns_enter_time(const struct ns_plan *p, struct err *e); /* unshare, then write the offsets */
/* Where plan->late_cgroup init, where plan->early_cgroup the middle: it is in its cgroups. */
int ns_enter_cgroup(struct ns_plan *p, struct err *e);

/*
 * ns_map_ids() - parent: write uid_map, gid_map and setgroups of process @pid
 * @proc: a procfs of our own
 *
 * By hand where the kernel allows it, else with newuidmap(1) and newgidmap(1) by
 * absolute path; read back afterwards.
 */
int ns_map_ids(const struct ns_plan *p, const struct dir *proc, pid_t pid, struct err *e);

#endif
