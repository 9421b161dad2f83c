/* SPDX-License-Identifier: Apache-2.0 */
/* apply - inside the room: the acting half of attributes that one step sets together */
#ifndef CLEAT_PROC_APPLY_H
#define CLEAT_PROC_APPLY_H

#include "proc/proc.h"

/* Each does nothing when the plan says nothing. */
int apply_ioprio(const struct proc_plan *p, pid_t pid, struct err *e);
int apply_mempolicy(const struct proc_plan *p, struct err *e);
int apply_personality(const struct proc_plan *p, struct err *e);

/* To all CPUs, or those that execCPUAffinity.final names. */
int apply_affinity(const struct proc_plan *p, struct err *e);

#endif
