/* SPDX-License-Identifier: Apache-2.0 */
/* rlimit - process.rlimits; prlimit(2) with all 64 bits */
#include "proc/proc.h"

int proc_rlimits_of(const struct proc_plan *p, pid_t pid, struct err *e)
{
	for (size_t i = 0; i < p->process->n_rlimits; i++) {
		const struct spec_rlimit *l = &p->process->rlimits[i];
		const struct sys_rlimit value = { l->soft, l->hard };
		int r = sys_prlimit(pid, l->resource, &value, NULL);

		if (r < 0)
			return err_sys(e, -r, "process.rlimits", "set %s to %llu:%llu",
				       spec_rlimit_name(l->resource), (unsigned long long)l->soft,
				       (unsigned long long)l->hard);
	}
	return 0;
}

int proc_rlimits(const struct proc_plan *p, struct err *e)
{
	return proc_rlimits_of(p, 0, e);
}
