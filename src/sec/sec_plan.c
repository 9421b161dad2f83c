/* SPDX-License-Identifier: Apache-2.0 */
/* sec_plan - which of the room's work a container needs; pure but for warnings */
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "sec/caps.h"
#include "sec/sec.h"

#include <sched.h>

static uint64_t warn_and_keep(const char *set, uint64_t want, uint64_t possible, const char *why)
{
	char names[512];

	if (want & ~possible) {
		caps_print(want & ~possible, names, sizeof(names));
		log_warning("process.capabilities.%s: left out, %s: %s", set, why, names);
	}
	return want & possible;
}

/* What no kernel could grant is left out with a warning (config.md, "capabilities"). */
static struct spec_caps possible_caps(const struct spec_caps *c, int last_cap)
{
	uint64_t known = last_cap > 0 && last_cap < 63 ? (2ULL << last_cap) - 1 : ~0ULL;
	const char *old = "this kernel does not know them";
	struct spec_caps r;

	r.bounding = warn_and_keep("bounding", c->bounding, known, old);
	r.permitted = warn_and_keep("permitted", c->permitted, known, old);
	r.inheritable = warn_and_keep("inheritable", c->inheritable, known, old);
	r.effective = warn_and_keep("effective", c->effective, r.permitted, "not permitted");
	r.ambient = warn_and_keep("ambient", c->ambient, r.permitted & r.inheritable,
				  "not both permitted and inheritable");
	return r;
}

static const char *word(const char *s)
{
	return s && *s ? s : NULL;
}

int sec_plan_make(struct arena *a, const struct spec *spec, const struct spec_process *process,
		  const struct host *host, const char *id, bool new_keyring, struct sec_plan *ret,
		  struct err *e)
{
	const struct oci_linux *lx = spec->config->linux;
	struct sec_plan p = {
		.caps = possible_caps(&process->caps, host->last_cap),
		.last_cap = host->last_cap,
		.no_new_privileges = process->no_new_privileges,
		.user_ns = (spec->ns_new | spec->ns_joined) & CLONE_NEWUSER,
		.apparmor = word(process->oci->apparmor_profile),
		.selinux = word(process->oci->selinux_label),
		.seccomp = lx ? lx->seccomp : NULL,
		.new_keyring = new_keyring,
		.keyring_name = arena_printf(a, "_ses.%s", id),
	};

	(void)e;
	p.granted = arena_new(a, struct spec_caps);
	*p.granted = p.caps;
	if (p.selinux)
		p.selinux_canonical = arena_alloc(a, SEC_LABEL_MAX);
	*ret = p;
	return 0;
}
