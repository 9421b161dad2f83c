/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dev - device nodes, default links, the console
 *
 * config-linux.md, "Devices" and "Default Devices". Nodes are made with mknodat in
 * a directory descriptor below the root. A user namespace does not allow that: the
 * configured ones are made by the parent, outside of it, and bound; for the default
 * ones, and all where the parent may not make them either, the host's node, verified
 * by type and number, is bound.
 */
#ifndef CLEAT_DEV_DEV_H
#define CLEAT_DEV_DEV_H

#include "spec/spec.h"
#include "sys/host.h"

struct dev_node {
	const char *path; /* absolute, below the rootfs */
	mode_t type;	  /* S_IFCHR, S_IFBLK, S_IFIFO */
	unsigned major, minor;
	mode_t mode;
	uid_t uid;
	gid_t gid;
	bool is_default;
	unsigned outside; /* made by the parent, for these ids of the host; 0: not so */
	uid_t host_uid;
	gid_t host_gid;
};

struct dev_link {
	const char *path, *target;
};

struct dev_plan {
	const struct dev_node *nodes;
	size_t n_nodes;
	const struct dev_link *links;
	size_t n_links;
	bool bind; /* bind nodes instead of making them: the host's, or those made outside */
	unsigned n_outside; /* how many are made outside, numbered from 1 */
	bool console;	    /* a terminal: /dev/console gets its pty */
	bool skip; /* no mount namespace, or /dev is a bind of the host's: nothing is made */
};

/* Pure. */
int dev_plan_make(struct arena *a, const struct spec *spec, const struct host *host,
		  struct dev_plan *ret, struct err *e);

/*
 * dev_make_outside() - parent: the nodes for which a user namespace does not give the right
 *
 * *ret_tree: a detached mount for dev_apply(), of a file system that holds them and that no
 * namespace shows. -EPERM (mknod(2)) where we may not make them either.
 */
int dev_make_outside(const struct dev_plan *p, int *ret_tree, struct err *e);

/*
 * init, before the root switch: @root is the container's root. @outside: what
 * dev_make_outside() has made; -1: those nodes are the host's as well.
 */
int dev_apply(const struct dev_plan *p, int root, int outside, struct err *e);

/* init: bind the pty slave (checked to be a pty of the container's devpts) on /dev/console. */
int dev_console(int root, int slave, struct err *e);

/* The default rules of config-linux.md for the device cgroup, used by the cgroup room. */
struct dev_rule {
	bool allow;
	char type;	      /* 'a', 'b', 'c' */
	int64_t major, minor; /* -1: all */
	const char *access;   /* of "rwm" */
};
const struct dev_rule *dev_default_rules(size_t *ret_n);

#endif
