/* SPDX-License-Identifier: Apache-2.0 */
/* parts - inside the room: the pure half of each attribute, called by proc_plan_make() */
#ifndef CLEAT_PROC_PARTS_H
#define CLEAT_PROC_PARTS_H

#include "proc/proc.h"

#define WORD_BITS (8 * sizeof(unsigned long))

int plan_sched(const struct oci_scheduler *s, struct proc_plan *p, struct err *e);
int plan_ioprio(const struct oci_io_priority *io, struct proc_plan *p, struct err *e);
int plan_personality(const struct oci_linux *l, struct proc_plan *p, struct err *e);
int plan_mempolicy(struct arena *a, const struct oci_linux *l, struct proc_plan *p, struct err *e);
int plan_affinity(struct arena *a, const struct oci_process *oci, struct proc_plan *p,
		  struct err *e);
int plan_sysctls(struct arena *a, const struct spec *spec, struct proc_plan *p, struct err *e);
int plan_names(const struct spec *spec, struct proc_plan *p, struct err *e);
int plan_env(struct arena *a, struct proc_plan *p);
int plan_groups(const struct spec *spec, const struct host *host, struct proc_plan *p,
		struct err *e);

/* "0-3,7" as bits; what is it for messages. An empty text gives an empty set. */
int parse_bits(struct arena *a, const char *text, const char *what, struct proc_bits *ret,
	       struct err *e);

/*
 * Does the container own its namespace of @type? A joined one that is ours is not; ours is
 * remembered in @p, so that what acts on the namespace can look again.
 */
bool owns_namespace(const struct spec *spec, int type, struct proc_plan *p);
struct proc_ns_id *own_namespace(struct proc_plan *p, int type);

void plan_cores(const struct spec *spec, struct proc_plan *p);

#endif
