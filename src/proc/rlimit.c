/* SPDX-License-Identifier: Apache-2.0 */
/* rlimit - process.rlimits; prlimit(2) with all 64 bits */
#include <sys/resource.h>

#include "proc/proc.h"

/* Without CAP_SYS_RESOURCE over the host a limit can only go down; getrlimit(2). */
static int limit_error(const struct spec_rlimit *l, pid_t pid, int r, struct err *e)
{
	const char *name = spec_rlimit_name(l->resource);
	struct sys_rlimit now;

	err_sys(e, -r, "process.rlimits", "set %s to %llu:%llu", name, (unsigned long long)l->soft,
		(unsigned long long)l->hard);
	if (r == -EPERM && sys_prlimit(pid, l->resource, NULL, &now) == 0 && l->hard > now.hard)
		err_note(e, "the hard limit is %llu, which only the host's root can raise%s",
			 (unsigned long long)now.hard,
			 l->resource == RLIMIT_NOFILE ? ", up to fs.nr_open" : "");
	return -e->code;
}

int proc_rlimits_of(const struct proc_plan *p, pid_t pid, struct err *e)
{
	for (size_t i = 0; i < p->process->n_rlimits; i++) {
		const struct spec_rlimit *l = &p->process->rlimits[i];
		const struct sys_rlimit value = { l->soft, l->hard };
		int r = sys_prlimit(pid, l->resource, &value, NULL);

		if (r < 0)
			return limit_error(l, pid, r, e);
	}
	return 0;
}

int proc_rlimits(const struct proc_plan *p, struct err *e)
{
	return proc_rlimits_of(p, 0, e);
}
