/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/plan_doubt.h"

static void add(struct arena *a, struct spec_report *r, enum spec_severity severity,
		const char *path, const char *text)
{
	text = arena_printf(a, "%s: %s", path, text);
	spec_report_add(a, r, spec_finding_make(a, severity, text));
}

static void doubt_options(struct arena *a, struct spec_report *r, const struct oci_mount *m,
			  size_t at)
{
	for (size_t i = 0; i < m->n_options; i++) {
		bool refused;
		const char *text = mount_option_doubt(a, m, i, &refused);

		if (text)
			add(a, r, refused ? SPEC_ERROR : SPEC_REMARK,
			    arena_printf(a, "mounts[%zu].options[%zu]", at, i), text);
	}
}

static void doubt_calls(struct arena *a, struct spec_report *r, const struct oci_linux_syscall *s,
			size_t at)
{
	for (size_t i = 0; i < s->n_names; i++) {
		const char *near = seccomp_name_doubt(a, s->names[i]);

		if (near)
			add(a, r, SPEC_REMARK,
			    arena_printf(a, "linux.seccomp.syscalls[%zu].names[%zu]", at, i),
			    arena_printf(a, "no system call '%s' is known, perhaps '%s' is meant",
					 s->names[i], near));
	}
}

void plan_doubt(struct arena *a, struct spec_report *report)
{
	const struct oci_config *config = report->spec->config;
	const struct oci_linux_seccomp *s = config->linux ? config->linux->seccomp : NULL;

	for (size_t i = 0; i < config->n_mounts; i++)
		doubt_options(a, report, config->mounts[i], i);
	for (size_t i = 0; s && i < s->n_syscalls; i++)
		doubt_calls(a, report, s->syscalls[i], i);
}
