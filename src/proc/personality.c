/* SPDX-License-Identifier: Apache-2.0 */
/* personality - linux.personality; personality(2) */
#include <sys/personality.h>

#include "base/log.h"
#include "base/str.h"
#include "base/table.h"
#include "proc/apply.h"
#include "proc/parts.h"

static const struct name_row domains[] = {
	{ "LINUX", PER_LINUX },
	{ "LINUX32", PER_LINUX32 },
};

int plan_personality(const struct oci_linux *l, struct proc_plan *p, struct err *e)
{
	const struct oci_linux_personality *persona = l->personality;
	int64_t domain;

	if (!persona)
		return 0;
	if (!persona->domain || name_lookup(domains, COUNT(domains), persona->domain, &domain) < 0)
		return err_user(e, "linux.personality.domain",
				"linux.personality.domain: unknown '%s'",
				persona->domain ? persona->domain : "");
	/* The specification has the array and no value for it. */
	if (persona->n_flags)
		log_warning("linux.personality.flags: there are none, ignored");
	p->personality = (unsigned long)domain;
	return 0;
}

/* Also when nothing was asked for: the one that we were given is not the container's. */
int apply_personality(const struct proc_plan *p, struct err *e)
{
	int r = sys_personality(p->personality);

	return r < 0 ? err_sys(e, -r, "linux.personality", "set the personality") : 0;
}
