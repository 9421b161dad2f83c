/* SPDX-License-Identifier: Apache-2.0 */
/* sched - process.scheduler, and applying all that schedules; sched_setattr(2) */
#include "base/str.h"
#include "base/table.h"
#include "proc/apply.h"
#include "proc/parts.h"

/* The kernel's numbers: headers of libc differ in which of these they have. */
enum { OTHER = 0, FIFO = 1, RR = 2, BATCH = 3, ISO = 4, IDLE = 5, DEADLINE = 6 };

static const struct name_row policies[] = {
	{ "SCHED_OTHER", OTHER },	{ "SCHED_FIFO", FIFO }, { "SCHED_RR", RR },
	{ "SCHED_BATCH", BATCH },	{ "SCHED_ISO", ISO },	{ "SCHED_IDLE", IDLE },
	{ "SCHED_DEADLINE", DEADLINE },
};

static const struct name_row flags[] = {
	{ "SCHED_FLAG_RESET_ON_FORK", 0x01 },  { "SCHED_FLAG_RECLAIM", 0x02 },
	{ "SCHED_FLAG_DL_OVERRUN", 0x04 },     { "SCHED_FLAG_KEEP_POLICY", 0x08 },
	{ "SCHED_FLAG_KEEP_PARAMS", 0x10 },    { "SCHED_FLAG_UTIL_CLAMP_MIN", 0x20 },
	{ "SCHED_FLAG_UTIL_CLAMP_MAX", 0x40 },
};

static int check_values(const struct sys_sched_attr *s, struct err *e)
{
	if (s->nice < -20 || s->nice > 19)
		return err_user(e, "process.scheduler.nice",
				"process.scheduler.nice: %d is not in -20..19", s->nice);
	if (s->priority && s->policy != FIFO && s->policy != RR)
		return err_user(e, "process.scheduler.priority",
				"process.scheduler.priority is for SCHED_FIFO and SCHED_RR");
	if ((s->runtime || s->deadline || s->period) && s->policy != DEADLINE)
		return err_user(e, "process.scheduler",
				"process.scheduler: runtime, deadline and period are for "
				"SCHED_DEADLINE");
	return 0;
}

int plan_sched(const struct oci_scheduler *s, struct proc_plan *p, struct err *e)
{
	struct sys_sched_attr attr = { .size = sizeof(attr) };
	int64_t value;

	if (!s)
		return 0;
	if (!s->policy || name_lookup(policies, COUNT(policies), s->policy, &value) < 0)
		return err_user(e, "process.scheduler.policy",
				"process.scheduler.policy: unknown '%s'",
				s->policy ? s->policy : "");
	if (s->priority < 0)
		return err_user(e, "process.scheduler.priority",
				"process.scheduler.priority: %d is below 0", (int)s->priority);
	attr.policy = (uint32_t)value;
	for (size_t i = 0; i < s->n_flags; i++) {
		if (name_lookup(flags, COUNT(flags), s->flags[i], &value) < 0)
			return err_user(e, "process.scheduler.flags",
					"process.scheduler.flags[%zu]: unknown '%s'", i,
					s->flags[i]);
		attr.flags |= (uint64_t)value;
	}
	attr.nice = (int32_t)s->nice;
	attr.priority = (uint32_t)s->priority;
	attr.runtime = s->runtime;
	attr.deadline = s->deadline;
	attr.period = s->period;
	p->has_sched = true;
	p->sched = attr;
	return check_values(&attr, e);
}

int proc_priorities(const struct proc_plan *p, pid_t pid, struct err *e)
{
	int r = 0;

	if (p->has_sched)
		r = sys_sched_setattr(pid, &p->sched);
	if (r < 0)
		return err_sys(e, -r, "process.scheduler", "set %s",
			       name_of(policies, COUNT(policies), p->sched.policy));
	return apply_ioprio(p, pid, e);
}

int proc_policies(const struct proc_plan *p, struct err *e)
{
	int r = apply_mempolicy(p, e);

	return r < 0 ? r : apply_personality(p, e);
}
