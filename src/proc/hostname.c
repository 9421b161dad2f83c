/* SPDX-License-Identifier: Apache-2.0 */
/* hostname - hostname and domainname; sethostname(2), setdomainname(2) */
#include <sched.h>
#include <string.h>

#include "proc/parts.h"
#include "sys/sys.h"

int plan_names(const struct spec *spec, struct proc_plan *p, struct err *e)
{
	const char *property = spec->hostname ? "hostname" : "domainname";

	p->new_uts = spec->ns_new & CLONE_NEWUTS;
	p->hostname = spec->hostname;
	p->domainname = spec->domainname;
	if ((p->hostname || p->domainname) && !owns_namespace(spec, CLONE_NEWUTS, p))
		return err_user(e, property, "%s: the uts namespace is not the container's",
				property);
	return 0;
}

int proc_names(const struct proc_plan *p, struct err *e)
{
	int r = 0;

	if (p->hostname)
		r = sys_sethostname(p->hostname, strlen(p->hostname));
	if (r < 0)
		return err_sys(e, -r, p->hostname, "set the host name to");
	if (p->domainname)
		r = sys_setdomainname(p->domainname, strlen(p->domainname));
	if (r < 0)
		return err_sys(e, -r, p->domainname, "set the domain name to");
	return 0;
}
