/* SPDX-License-Identifier: Apache-2.0 */
/* ioprio - process.ioPriority; ioprio_set(2) */
#include "base/str.h"
#include "base/table.h"
#include "proc/apply.h"
#include "proc/parts.h"

#define IOPRIO_WHO_PROCESS 1
#define IOPRIO_CLASS_SHIFT 13
#define IOPRIO_LEVELS	   8

static const struct name_row classes[] = {
	{ "IOPRIO_CLASS_RT", 1 },
	{ "IOPRIO_CLASS_BE", 2 },
	{ "IOPRIO_CLASS_IDLE", 3 },
};

int plan_ioprio(const struct oci_io_priority *io, struct proc_plan *p, struct err *e)
{
	int64_t class;

	if (!io)
		return 0;
	if (!io->class || name_lookup(classes, COUNT(classes), io->class, &class) < 0)
		return err_user(e, "process.ioPriority.class",
				"process.ioPriority.class: unknown '%s'",
				io->class ? io->class : "");
	if (io->priority < 0 || io->priority >= IOPRIO_LEVELS)
		return err_user(e, "process.ioPriority.priority",
				"process.ioPriority.priority: %d is not in 0..7",
				(int)io->priority);
	p->ioprio = (int)class << IOPRIO_CLASS_SHIFT | (int)io->priority;
	return 0;
}

int apply_ioprio(const struct proc_plan *p, pid_t pid, struct err *e)
{
	int r = p->ioprio < 0 ? 0 : sys_ioprio_set(IOPRIO_WHO_PROCESS, pid, p->ioprio);

	return r < 0 ? err_sys(e, -r, "process.ioPriority", "set the io priority") : 0;
}
