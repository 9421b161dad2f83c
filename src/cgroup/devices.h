/* SPDX-License-Identifier: Apache-2.0 */
/*
 * devices - from a list of rules to what a kernel enforces; pure
 *
 * The rules are those of the configuration in their order, then the defaults. The last
 * rule that speaks of an access decides it, for reading, writing and mknod each on its
 * own; what no rule speaks of is denied.
 */
#ifndef CLEAT_CGROUP_DEVICES_H
#define CLEAT_CGROUP_DEVICES_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgroup/ctl.h"

#define DEVICE_ANY (-1)

/* By which the kernel, and we, tell our programs from those of others. */
#define DEVICE_PROG_NAME "cleat_devices"

enum device_access { /* as the kernel's BPF_DEVCG_ACC_* */
		     DEVICE_MKNOD = 1,
		     DEVICE_READ = 2,
		     DEVICE_WRITE = 4,
		     DEVICE_ALL = 7,
};

struct device_rule {
	bool allow;
	char type;	      /* 'a', 'b', 'c' */
	int64_t major, minor; /* DEVICE_ANY: all */
	unsigned access;      /* of enum device_access */
};

/* Reduced rules: what decides where no rule matches, and the rest in their order. */
struct device_rules {
	bool allow;
	struct device_rule *v;
	size_t n, cap;
};

/* The rules of @r (may be NULL) and the defaults, reduced. Returns 0 or -errno. */
int device_rules_make(struct arena *a, const struct oci_linux_resources *r,
		      struct device_rules *ret, struct err *e);

/* Drop what a later rule overrides or what says no more than the default does. */
void device_rules_reduce(struct device_rules *d);

/* Everything is allowed: nothing need be enforced. */
bool device_rules_allow_all(const struct device_rules *d);

/*
 * device_prog_make() - a BPF_PROG_TYPE_CGROUP_DEVICE program
 *
 * Returns 0, or -E2BIG when there are more rules than jumps can span.
 */
int device_prog_make(struct arena *a, const struct device_rules *d, const struct bpf_insn **ret,
		     size_t *ret_n, struct err *e);

/*
 * device_share_get() - a program with these instructions, loaded now or by an earlier call
 * @hints: directory in which we note which programs there are; -1: none
 * @ret_id: the kernel's id of it; 0: not known
 *
 * A descriptor, which the caller closes, or -errno of the load.
 */
int device_share_get(struct arena *a, int hints, const struct bpf_insn *insns, size_t n,
		     uint32_t *ret_id);

/*
 * device_v1_make() - writes to devices.allow and devices.deny
 *
 * v1 keeps a default and exceptions from it without order, so lists that need an order
 * cannot be expressed: -EINVAL.
 */
int device_v1_make(struct ctl_out *o, const struct device_rules *d);

#endif
