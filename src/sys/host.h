/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host - what this kernel and this machine can do, asked once
 *
 * The facts feed the plan (which stays pure) and `features`. Only what a plan can
 * depend on is here. Each is found lazily by the room that needs it, except the
 * ones below, which cost nothing or are needed on every run.
 */
#ifndef CLEAT_SYS_HOST_H
#define CLEAT_SYS_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum host_cgroups {
	HOST_CGROUP_NONE,   /* nothing is mounted at /sys/fs/cgroup */
	HOST_CGROUP_V2,	    /* cgroup2 at /sys/fs/cgroup */
	HOST_CGROUP_HYBRID, /* tmpfs with v1 hierarchies and cgroup2 at unified */
	HOST_CGROUP_V1,	    /* tmpfs with v1 hierarchies only */
};

#define HOST_V1_MAX 24
struct host_v1 {
	const char *dir;	 /* folder name below /sys/fs/cgroup: "memory", "cpu,cpuacct" */
	const char *controllers; /* as /proc/self/cgroup says: "memory", "name=systemd" */
	const char *self;	 /* our own path in this hierarchy */
	bool mounted;
};

/* The strings lie in @text (or in memory that stays): the struct must not be copied. */
struct host {
	uid_t euid;
	gid_t egid;
	bool in_user_ns; /* not the initial one: root there is root of nothing else */
	enum host_cgroups cgroups;
	struct host_v1 v1[HOST_V1_MAX]; /* hybrid and v1 only; those that are mounted */
	size_t n_v1;
	const char *v2_self; /* our own path in the v2 hierarchy; "" when there is none */
	int last_cap;	     /* highest capability the kernel knows */
	/* RUN_OCI_SECCOMP_RECEIVER of our environment, not looked at; NULL: it is not set */
	const char *seccomp_receiver;
	char text[4096];
};

enum host_wanted {
	HOST_NO_CGROUPS,
	HOST_CGROUPS,	 /* what is at /sys/fs/cgroup, and where we are in it if that may matter */
	HOST_OWN_CGROUP, /* the same, and v2_self in any case */
};

/*
 * host_probe() - ask the running system
 *
 * What cannot be found out counts as absent. With HOST_CGROUPS v2_self is "" for root on a
 * v2 host, who makes the cgroups of containers at the top, wherever he is himself.
 */
void host_probe(struct host *h, enum host_wanted wanted);

/* Without power over the host: no devices can be made, and perhaps no cgroups. */
static inline bool host_is_rootless(const struct host *h)
{
	return h->euid != 0 || h->in_user_ns;
}

/* Fill v1 and v2_self from the text of /proc/self/cgroup, which is cut up and kept. */
void host_parse_cgroups(struct host *h, char *text);

/* Facts that few need: asked when they are. */
bool host_in_user_ns(void); /* not in the initial one, as its inode tells; asked once */

#endif
