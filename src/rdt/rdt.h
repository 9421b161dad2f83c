/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rdt - linux.intelRdt: cache, memory bandwidth and their monitoring by resctrl
 *
 * config-linux.md, "IntelRdt", and Documentation/filesystems/resctrl of the kernel. A
 * group is a directory of the resctrl file system; its name is closID or the
 * container's id. The parent makes it when init is born and puts init into it before GO, and
 * every process of exec. What the container's own id names goes with the container; a class
 * that closID names stays, for others may be in it.
 *
 * The file system is handed in as a directory, so a tree of fixtures can stand in for it.
 */
#ifndef CLEAT_RDT_RDT_H
#define CLEAT_RDT_RDT_H

#include "base/dir.h"
#include "spec/spec.h"

struct rdt_plan {
	bool wanted;	      /* linux.intelRdt is there; else nothing below counts */
	const char *group;    /* below the root of resctrl; "." is the default class */
	const char *monitor;  /* "<group>/mon_groups/<id>"; NULL: no monitoring */
	bool own;	      /* the group has the container's id and goes with it */
	bool must_exist;      /* closID without a schema: it has to be there */
	const char *schema;   /* l3CacheSchema and memBwSchema as lines; NULL: none */
	const char *schemata; /* the lines of schemata, written after those; NULL: none */
};

/* Pure. */
int rdt_plan_make(struct arena *a, const struct spec *spec, const char *id, struct rdt_plan *ret,
		  struct err *e);

struct rdt_fs {
	struct dir dir;
	/* mkdirat(2) and unlinkat(2): in a test they do the kernel's part as well, since the
	   files of a group come and go with its directory */
	int (*make)(int dirfd, const char *name, mode_t mode);
	int (*remove)(int dirfd, const char *name, int flags);
};
#define RDT_NONE ((struct rdt_fs){ .dir = DIR_NONE })

/* The mounted resctrl of this host. -ENODEV, with words, when there is none. */
int rdt_open(struct rdt_fs *ret, struct err *e);

/* What of a plan exists because of us. */
struct rdt_made {
	bool group, monitor;
};

/*
 * rdt_make() - the group with its schemata, and the monitoring group
 *
 * A class that exists already has to have the schemata that the configuration asks for.
 * On failure what was made is removed.
 */
int rdt_make(struct arena *a, const struct rdt_fs *fs, const struct rdt_plan *p,
	     struct rdt_made *ret, struct err *e);
/* Put a process and all that it will start into it. */
int rdt_join(const struct rdt_fs *fs, const struct rdt_plan *p, pid_t pid, struct err *e);
void rdt_unmake(const struct rdt_fs *fs, const struct rdt_plan *p, const struct rdt_made *made);

/*
 * Other lines for the container's group, as `update` gives them (NULL: leave). Returns 0 or
 * -errno.
 */
int rdt_update(struct arena *a, const struct rdt_fs *fs, const char *group, const char *l3,
	       const char *bandwidth, struct err *e);

/* Fill the part of a record: names at first, and what delete has to remove. */
struct cleat_state_file;
void rdt_record(struct arena *a, const struct rdt_plan *p, struct cleat_state_file *state);
/*
 * rdt_remove() - delete: what the record says that the container had; missing is fine
 * @only_empty: a name is all we know, so a group that holds processes stays
 */
int rdt_remove(const struct rdt_fs *fs, const struct cleat_state_file *state, bool only_empty,
	       struct err *e);

#endif
