/* SPDX-License-Identifier: Apache-2.0 */
/*
 * affinity - on which CPUs; sched_setaffinity(2)
 *
 * A container does not inherit the CPUs that its maker was pinned to: after it was put
 * into its cgroup every CPU is asked for, and the kernel gives those of the cpuset. A further
 * process with CPUs of its own at first keeps what the kernel leaves of them.
 */
#include "base/log.h"
#include "base/str.h"
#include "proc/apply.h"
#include "proc/parts.h"

#define CPUS_MAX 8192 /* NR_CPUS at most; a longer mask is cut by the kernel */

int plan_affinity(struct arena *a, const struct oci_process *oci, struct proc_plan *p,
		  struct err *e)
{
	const struct oci_exec_cpu_affinity *c = oci->exec_cpu_affinity;
	int r = 0;

	if (c && c->initial && *c->initial)
		r = parse_bits(a, c->initial, "process.execCPUAffinity.initial", &p->exec_initial,
			       e);
	if (r == 0 && c && c->final && *c->final)
		r = parse_bits(a, c->final, "process.execCPUAffinity.final", &p->exec_final, e);
	return r;
}

static int set_affinity(const struct proc_bits *cpus, pid_t pid, const char *property,
			struct err *e)
{
	int r = sys_sched_setaffinity(pid, cpus->n_words * sizeof(long), cpus->words);

	return r < 0 ? err_sys(e, -r, property, "set the cpu affinity") : 0;
}

int proc_affinity_initial(const struct proc_plan *p, pid_t pid, struct err *e)
{
	if (!p->exec_initial.n_words)
		return 0;
	return set_affinity(&p->exec_initial, pid, "process.execCPUAffinity.initial", e);
}

int apply_affinity(const struct proc_plan *p, struct err *e)
{
	unsigned char all[CPUS_MAX / 8];
	int r;

	if (p->exec && p->exec_final.n_words)
		return set_affinity(&p->exec_final, 0, "process.execCPUAffinity.final", e);
	/* config.md: without "final" nothing is changed once the process is in the cgroup */
	if (p->exec && p->exec_initial.n_words)
		return 0;
	memset(all, 0xff, sizeof(all));
	r = sys_sched_setaffinity(0, sizeof(all), all);
	/* Sandboxes refuse it, and a cpuset may be empty for a moment. */
	if (r < 0)
		log_debug("cpu affinity stays as it was: %s", errno_text(-r));
	return 0;
}
