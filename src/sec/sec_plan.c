/* SPDX-License-Identifier: Apache-2.0 */
/* sec_plan - which of the room's work a container needs */
#include <sched.h>

#include "sec/caps.h"
#include "sec/sec.h"

static const char *word(const char *s)
{
	return s && *s ? s : NULL;
}

int sec_plan_make(struct arena *a, const struct spec *spec, const struct spec_process *process,
		  const struct host *host, const char *id, bool new_keyring, struct sec_plan *ret,
		  struct err *e)
{
	struct sec_plan p = {
		.caps = caps_possible(&process->caps, host->last_cap),
		.last_cap = host->last_cap,
		.no_new_privileges = process->no_new_privileges,
		.user_ns = (spec->ns_new | spec->ns_joined) & CLONE_NEWUSER,
		.apparmor = word(process->oci->apparmor_profile),
		.selinux = word(process->oci->selinux_label),
		.new_keyring = new_keyring,
		.keyring_name = arena_printf(a, "_ses.%s", id),
	};

	if (seccomp_source_make(a, spec->config, host->seccomp_receiver, &p.seccomp, e) < 0)
		return -e->code;
	landlock_plan_make(a, spec->landlock, &p.landlock);
	p.granted = arena_new(a, struct spec_caps);
	*p.granted = p.caps;
	if (p.selinux)
		p.selinux_canonical = arena_alloc(a, SEC_LABEL_MAX);
	*ret = p;
	return 0;
}
