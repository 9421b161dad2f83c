/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_effects - what is legal and does nothing
 *
 * Only for people who ask: create takes all of it without a word. It may be given what is
 * left of a configuration with errors, so it takes nothing for granted.
 */
#include <sched.h>

#include "base/str.h"
#include "spec/check.h"

/* Every one is compared with all before it: of longer lists only the beginning is. */
#define COMPARED_MAX 4096

static size_t compared(size_t n)
{
	return n < COMPARED_MAX ? n : COMPARED_MAX;
}

/* --- said twice -------------------------------------------------------------------------------- */

static void check_twice(const char *const *words, size_t n, const char *where, struct check *c)
{
	for (size_t i = 1; i < compared(n); i++)
		for (size_t k = 0; k < i; k++)
			if (str_eq(words[i], words[k])) {
				check_remark(c, "%s[%zu]: '%s' is there already", where, i,
					     words[i]);
				break;
			}
}

/* Every bind may cover another on purpose; the same place twice rarely is one. */
static void check_same_mounts(const struct oci_config *config, struct check *c)
{
	for (size_t i = 1; i < compared(config->n_mounts); i++) {
		const struct oci_mount *m = config->mounts[i];

		for (size_t k = 0; m->destination && k < i; k++) {
			const struct oci_mount *other = config->mounts[k];

			if (!other->destination || !str_eq(other->destination, m->destination))
				continue;
			for (size_t o = 0; o < m->n_options; o++)
				if (str_eq(m->options[o], "remount"))
					return;
			check_remark(c, "mounts[%zu].destination: '%s' is mounted by mounts[%zu]",
				     i, m->destination, k);
			break;
		}
	}
}

static bool has_option(const struct oci_mount *m, const char *word)
{
	for (size_t i = 0; i < m->n_options; i++)
		if (str_eq(m->options[i], word))
			return true;
	return false;
}

static void check_opposites(const struct oci_config *config, struct check *c)
{
	static const char *const opposites[][2] = {
		{ "ro", "rw" },		{ "nosuid", "suid" },	 { "nodev", "dev" },
		{ "noexec", "exec" },	{ "async", "sync" },	 { "bind", "rbind" },
		{ "noatime", "atime" }, { "private", "shared" },
	};

	for (size_t i = 0; i < config->n_mounts; i++)
		for (size_t k = 0; k < COUNT(opposites); k++)
			if (has_option(config->mounts[i], opposites[k][0]) &&
			    has_option(config->mounts[i], opposites[k][1]))
				check_remark(c, "mounts[%zu].options: both '%s' and '%s'", i,
					     opposites[k][0], opposites[k][1]);
}

/* --- the process -------------------------------------------------------------------------------- */

static void check_same_variables(const struct oci_process *p, struct check *c)
{
	for (size_t i = 1; i < compared(p->n_env); i++) {
		size_t len = strcspn(p->env[i], "=");

		/* names are shown, values never are */
		for (size_t k = 0; k < i; k++)
			if (!strncmp(p->env[k], p->env[i], len) && p->env[k][len] == '=') {
				check_remark(c, "process.env[%zu]: '%.*s' is set already", i,
					     (int)len, p->env[i]);
				break;
			}
	}
}

static bool is_in(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(names[i], name))
			return true;
	return false;
}

/* capabilities(7): ambient ones must be permitted and inheritable. */
static void check_ambient(const struct oci_capabilities *caps, struct check *c)
{
	for (size_t i = 0; caps && i < caps->n_ambient; i++) {
		const char *name = caps->ambient[i];
		const char *lacks = NULL;

		if (!is_in(caps->inheritable, caps->n_inheritable, name))
			lacks = "inheritable";
		if (!is_in(caps->permitted, caps->n_permitted, name))
			lacks = "permitted";
		if (lacks)
			check_remark(c, "process.capabilities.ambient[%zu]: %s is not %s", i, name,
				     lacks);
	}
}

static void check_process_effects(const struct oci_process *p, struct check *c)
{
	if (p->console_size && !p->terminal)
		check_remark(c, "process.consoleSize: there is no terminal");
	if (p->command_line)
		check_remark(c, "process.commandLine: is for Windows");
	if (p->user && p->user->username)
		check_remark(c, "process.user.username: is for Windows");
	check_same_variables(p, c);
	check_ambient(p->capabilities, c);
}

/* --- linux -------------------------------------------------------------------------------------- */

static bool uses_notify(const struct oci_linux_seccomp *s)
{
	for (size_t i = 0; i < s->n_syscalls; i++)
		if (s->syscalls[i]->action && str_eq(s->syscalls[i]->action, "SCMP_ACT_NOTIFY"))
			return true;
	return false;
}

/* Whose instructions name an agent is not known here. */
static void check_listener(const struct spec *s, const struct oci_linux_seccomp *filter,
			   struct check *c)
{
	bool asks = filter && uses_notify(filter);
	bool named = filter && filter->listener_path && *filter->listener_path;

	if (named && !asks)
		check_remark(c, "linux.seccomp.listenerPath: no rule has SCMP_ACT_NOTIFY");
	if (!spec_annotation(s->config, SPEC_ANNOTATION_SECCOMP_RECEIVER))
		return;
	if (named)
		check_remark(c, "annotations[\"%s\"]: linux.seccomp.listenerPath is set",
			     SPEC_ANNOTATION_SECCOMP_RECEIVER);
	else if (!asks)
		check_remark(c, "annotations[\"%s\"]: no rule has SCMP_ACT_NOTIFY",
			     SPEC_ANNOTATION_SECCOMP_RECEIVER);
}

static void check_seccomp(const struct spec *spec, const struct oci_linux_seccomp *s,
			  struct check *c)
{
	if (spec_annotation(spec->config, SPEC_ANNOTATION_SECCOMP_BPF)) {
		if (s && s->n_syscalls)
			check_remark(c, "linux.seccomp.syscalls: the filter is that of "
					"annotations[\"" SPEC_ANNOTATION_SECCOMP_BPF "\"]");
		return;
	}
	check_listener(spec, s, c);
	if (!s)
		return;
	for (size_t i = 0; i < s->n_syscalls; i++)
		if (s->syscalls[i]->action && s->default_action &&
		    str_eq(s->syscalls[i]->action, s->default_action) &&
		    !s->syscalls[i]->has_errno_ret && !s->has_default_errno_ret)
			check_remark(c, "linux.seccomp.syscalls[%zu].action: is the default", i);
	check_twice(s->architectures, s->n_architectures, "linux.seccomp.architectures", c);
}

static void check_linux_effects(const struct spec *s, const struct oci_linux *l, struct check *c)
{
	if (s->ns_joined & CLONE_NEWUSER) {
		if (l->n_uid_mappings)
			check_remark(c,
				     "linux.uidMappings: the namespace that is joined has its own");
		if (l->n_gid_mappings)
			check_remark(c,
				     "linux.gidMappings: the namespace that is joined has its own");
	}
	if (l->personality && l->personality->n_flags)
		check_remark(c, "linux.personality.flags: none is defined");
	check_seccomp(s, l->seccomp, c);
	check_twice(l->masked_paths, l->n_masked_paths, "linux.maskedPaths", c);
	check_twice(l->readonly_paths, l->n_readonly_paths, "linux.readonlyPaths", c);
}

/* --- the whole ----------------------------------------------------------------------------------- */

static void check_platforms(const struct spec *s, struct check *c)
{
	static const char *const others[] = { "solaris", "windows", "vm", "zos", "freebsd" };
	struct ocispec_place place;

	for (size_t i = 0; i < COUNT(others); i++)
		if (spec_locate(s->text, s->text_len, others[i], &place))
			check_remark(c, "%s: is for another platform", others[i]);
}

void check_effects(const struct spec *s, struct check *c)
{
	const struct oci_config *config = s->config;

	check_platforms(s, c);
	if (config->hooks && config->hooks->n_prestart)
		check_remark(c,
			     "hooks.prestart: is deprecated, createRuntime comes at the same time");
	check_same_mounts(config, c);
	check_opposites(config, c);
	if (config->process)
		check_process_effects(config->process, c);
	if (config->linux)
		check_linux_effects(s, config->linux, c);
}
