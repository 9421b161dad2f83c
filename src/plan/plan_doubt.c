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

/* @known_only: create refuses one that libseccomp does not know, with or without a near one */
static void doubt_calls(struct arena *a, struct spec_report *r, const struct oci_linux_syscall *s,
			size_t at, bool known_only)
{
	for (size_t i = 0; i < s->n_names; i++) {
		const char *path = arena_printf(a, "linux.seccomp.syscalls[%zu].names[%zu]", at, i);
		const char *near = seccomp_name_doubt(a, s->names[i]);
		bool refused = known_only && !seccomp_name_is_known(s->names[i]);

		if (near)
			add(a, r, refused ? SPEC_ERROR : SPEC_REMARK, path,
			    arena_printf(a, "no system call '%s' is known, perhaps '%s' is meant",
					 s->names[i], near));
		else if (refused)
			add(a, r, SPEC_ERROR, path,
			    arena_printf(a, "libseccomp knows no system call '%s'", s->names[i]));
	}
}

void plan_doubt(struct arena *a, struct spec_report *report)
{
	const struct oci_config *config = report->spec->config;
	const struct oci_linux_seccomp *s = config->linux ? config->linux->seccomp : NULL;
	bool known_only = spec_annotation_is_set(config, SPEC_ANNOTATION_SECCOMP_UNKNOWN) &&
			  !spec_annotation(config, SPEC_ANNOTATION_SECCOMP_BPF);

	for (size_t i = 0; i < config->n_mounts; i++)
		doubt_options(a, report, config->mounts[i], i);
	for (size_t i = 0; s && i < s->n_syscalls; i++)
		doubt_calls(a, report, s->syscalls[i], i, known_only);
}
