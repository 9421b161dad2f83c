/* SPDX-License-Identifier: Apache-2.0 */
/*
 * coresched - who may run beside the container on the threads of one core
 *
 * Documentation/admin-guide/hw-vuln/core-scheduling.rst of the kernel. Tasks with one
 * cookie share a core, others never at the same moment. The middle process takes the cookie
 * on while it still sees the host's pids; init is born with it, and the middle ends, so
 * nothing of ours keeps it.
 */
#include <errno.h>

#include "proc/parts.h"
#include "sys/sys.h"

/* prctl(2): PR_SCHED_CORE and its commands, which old headers lack */
enum { CORE = 62, CREATE = 1, SHARE_TO = 2, SHARE_FROM = 3 };
/* scopes */
enum { THREAD = 0, THREAD_GROUP = 1 };

static int call(const struct proc_cores *c, int command, pid_t pid, int scope, const char *what,
		struct err *e)
{
	int r = c->prctl(CORE, (unsigned long)command, (unsigned long)pid, (unsigned long)scope, 0);

	if (r >= 0)
		return 0;
	if (r == -EINVAL)
		return err_code(e, ENOTSUP, "core scheduling",
				"core scheduling: this kernel was built without it");
	if (r == -ENODEV)
		return err_code(e, ENOTSUP, "core scheduling",
				"core scheduling: no core of this machine has threads that are on");
	return err_sys(e, -r, NULL, "core scheduling: %s %d", what, (int)pid);
}

void plan_cores(const struct spec *spec, struct proc_plan *p)
{
	const struct oci_core_scheduling *oci = spec->core_scheduling;

	p->cores = (struct proc_cores){ .prctl = sys_prctl };
	if (!oci)
		return;
	p->cores.create = oci->create;
	p->cores.share_from = oci->share_from;
	p->cores.share_to = oci->share_to;
}

bool proc_wants_cores(const struct proc_plan *p)
{
	return p->cores.create || p->cores.share_from || p->cores.share_to;
}

int proc_core_scheduling(const struct proc_plan *p, pid_t init, struct err *e)
{
	const struct proc_cores *c = &p->cores;
	int r = 0;

	if (init)
		return call(c, SHARE_FROM, init, THREAD, "take over the cookie of process", e);
	if (c->create)
		r = call(c, CREATE, 0, THREAD_GROUP, "make a cookie for process", e);
	if (r == 0 && c->share_from)
		r = call(c, SHARE_FROM, c->share_from, THREAD, "take over the cookie of process",
			 e);
	if (r == 0 && c->share_to)
		r = call(c, SHARE_TO, c->share_to, THREAD_GROUP, "give our cookie to process", e);
	return r;
}
