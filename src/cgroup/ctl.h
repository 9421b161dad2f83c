/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl - a controller is a row: what of linux.resources becomes which value
 *
 * Each ctl_<name>.c turns its part of the configuration into files and final texts,
 * once for cgroup v1 and once for v2. All of it is pure; what the kernel makes of the
 * values is cgroup_write.c. A new controller is a new file and a line in the table of
 * cgroup_plan.c.
 */
#ifndef CLEAT_CGROUP_CTL_H
#define CLEAT_CGROUP_CTL_H

#include "cgroup/cgroup.h"

struct cgroup_value_list {
	struct cgroup_value *v;
	size_t n, cap;
};

struct cgroup_text_list {
	const char **v;
	size_t n, cap;
};

/* Where a producer puts what it makes of the configuration. */
struct ctl_out {
	struct arena *arena;
	struct err *err;
	struct cgroup_value_list early, late;
	struct cgroup_text_list warnings;
};

typedef int ctl_fn(struct ctl_out *o, const struct oci_linux_resources *r);

struct ctl {
	const char *name;    /* in cgroup.controllers; NULL: v1 only */
	const char *v1_name; /* in /proc/self/cgroup; NULL: v2 only */
	ctl_fn *v1, *v2;     /* NULL: nothing of the configuration is for it */
};

extern const struct ctl ctl_cpuset, ctl_cpu, ctl_memory, ctl_io, ctl_pids, ctl_hugetlb, ctl_rdma,
	ctl_net_cls, ctl_net_prio, ctl_misc, ctl_dmem;

/* v2 only, and not bound to one controller: reads every key. */
ctl_fn ctl_unified;
/* Names of the controllers that the keys of linux.resources.unified need. */
bool ctl_unified_needs(const struct oci_linux_resources *r, const char *controller);

/*
 * Add a value; the text is formatted into the arena. The pointer is good until the
 * next value is added, for setting what else the row needs.
 */
struct cgroup_value *ctl_put(struct ctl_out *o, const char *field, const char *file,
			     const char *fmt, ...) ERR_PRINTF(4, 5);
struct cgroup_value *ctl_put_late(struct ctl_out *o, const char *field, const char *file,
				  const char *fmt, ...) ERR_PRINTF(4, 5);
/* A limit where -1 (and all below) is the kernel's word for "none". */
struct cgroup_value *ctl_put_limit(struct ctl_out *o, const char *field, const char *file,
				   const char *unlimited, int64_t value);
/* A value to use instead where the file of @v does not exist. */
void ctl_otherwise(struct ctl_out *o, struct cgroup_value *v, const char *file, const char *value);

/* What was asked for has no equal on this kind of host: a warning, as callers expect. */
#define NO_EQUIVALENT "cgroup v2 has no equivalent"
void ctl_ignored(struct ctl_out *o, const char *field, const char *why);

/* cpu.shares (2..262144) as cpu.weight (1..10000); 0 stays 0, "leave it". */
uint64_t ctl_weight_of_shares(uint64_t shares);
/* blkio.weight (10..1000) as io.weight (1..10000). */
unsigned ctl_weight_of_blkio(unsigned weight);

#endif
