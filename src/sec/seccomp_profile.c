/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp_profile - see the header; here words are checked and turned into numbers */
#include "sec/seccomp_profile.h"

#include <linux/seccomp.h>
#include <stdio.h>

#include "base/log.h"
#include "base/str.h"
#include "ocispec/runtime.h"
#include "sec/sec.h"
#include "sys/missing.h"

/* What an action without errnoRet gives, as in the field: EPERM. */
#define DEFAULT_ERRNO EPERM

static bool action_takes_errno(uint32_t action)
{
	return action == SECCOMP_RET_ERRNO || action == SECCOMP_RET_TRACE;
}

/* @where names the property that holds the action, for messages: "syscalls[3]." or "default". */
static int read_action(const char *where, const char *word, bool has_errno, uint32_t number,
		       uint32_t *ret, struct err *e)
{
	int64_t action;

	if (name_lookup(seccomp_actions, SECCOMP_N_ACTIONS, word, &action) < 0)
		return err_user(e, word, "linux.seccomp.%s: unknown action '%s'", where, word);
	if (has_errno && !action_takes_errno((uint32_t)action))
		return err_user(e, word, "linux.seccomp.%s: %s takes no errno", where, word);
	if (has_errno && number > SECCOMP_RET_DATA)
		return err_user(e, word, "linux.seccomp.%s: errno %u is larger than %u", where,
				number, SECCOMP_RET_DATA);
	*ret = (uint32_t)action;
	if (action_takes_errno((uint32_t)action))
		*ret |= has_errno ? number : DEFAULT_ERRNO;
	return 0;
}

static int read_archs(struct arena *a, const struct oci_linux_seccomp *oci,
		      struct seccomp_profile *p, struct err *e)
{
	p->archs = arena_new_n(a, oci->n_architectures, const struct seccomp_arch *);
	for (size_t i = 0; i < oci->n_architectures; i++) {
		const char *name = oci->architectures[i];
		const struct seccomp_arch *arch = NULL;
		bool again = false;

		for (size_t k = 0; k < SECCOMP_N_ARCHS && !arch; k++)
			if (str_eq(seccomp_archs[k].name, name))
				arch = &seccomp_archs[k];
		if (!arch)
			return err_user(e, name, "linux.seccomp.architectures[%zu]: unknown '%s'",
					i, name);
		for (size_t k = 0; k < p->n_archs; k++)
			again |= p->archs[k] == arch;
		if (!again)
			p->archs[p->n_archs++] = arch;
	}
	return 0;
}

static int read_flags(const struct oci_linux_seccomp *oci, struct seccomp_profile *p, struct err *e)
{
	/*
	 * Without the property the field sets SPEC_ALLOW: the mitigation that it turns
	 * off costs every call of the container, and since 5.16 is off anyway.
	 */
	if (!oci->flags) {
		p->flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW;
		return 0;
	}
	for (size_t i = 0; i < oci->n_flags; i++) {
		int64_t flag;

		if (name_lookup(seccomp_flags, SECCOMP_N_FLAGS, oci->flags[i], &flag) < 0)
			return err_user(e, oci->flags[i], "linux.seccomp.flags[%zu]: unknown '%s'",
					i, oci->flags[i]);
		p->flags |= (unsigned)flag;
	}
	return 0;
}

static int read_conds(struct arena *a, const struct oci_linux_syscall *oci, size_t at,
		      struct seccomp_rule *rule, struct err *e)
{
	struct seccomp_cond *conds = arena_new_n(a, oci->n_args, struct seccomp_cond);
	unsigned seen = 0;

	for (size_t i = 0; i < oci->n_args; i++) {
		const struct oci_linux_syscall_arg *arg = oci->args[i];
		int64_t op;

		if (name_lookup(seccomp_operators, SECCOMP_N_OPERATORS, arg->op, &op) < 0)
			return err_user(e, arg->op,
					"linux.seccomp.syscalls[%zu].args[%zu].op: unknown '%s'",
					at, i, arg->op);
		if (arg->index > 5)
			return err_user(e, arg->op,
					"linux.seccomp.syscalls[%zu].args[%zu].index: %u is not "
					"from 0 to 5",
					at, i, arg->index);
		if (seen & 1u << arg->index)
			rule->each_cond = true;
		seen |= 1u << arg->index;
		conds[i].index = arg->index;
		conds[i].op = (enum seccomp_op)op;
		conds[i].value = arg->value;
		conds[i].value_two = arg->value_two;
	}
	rule->conds = conds;
	rule->n_conds = oci->n_args;
	return 0;
}

/* As the field does: whoever sets the filter up reports by write(2). */
static int check_notify(const struct seccomp_rule *rule, size_t at, struct err *e)
{
	for (size_t i = 0; i < rule->n_names; i++)
		if (str_eq(rule->names[i], "write"))
			return err_user(e, "write",
					"linux.seccomp.syscalls[%zu]: SCMP_ACT_NOTIFY cannot be "
					"used for the write syscall",
					at);
	return 0;
}

/* What no rule can be made for is passed over, unless the annotation does not want that. */
static int check_known(const struct seccomp_rule *rule, size_t at, struct err *e)
{
	for (size_t i = 0; i < rule->n_names; i++)
		if (!seccomp_name_is_known(rule->names[i]))
			return err_user(e, rule->names[i],
					"linux.seccomp.syscalls[%zu].names[%zu]: libseccomp knows "
					"no system call '%s'",
					at, i, rule->names[i]);
	return 0;
}

static int read_rules(struct arena *a, const struct seccomp_source *source,
		      const struct oci_linux_seccomp *oci, struct seccomp_profile *p, struct err *e)
{
	char where[64];

	p->rules = arena_new_n(a, oci->n_syscalls, struct seccomp_rule);
	for (size_t i = 0; i < oci->n_syscalls; i++) {
		const struct oci_linux_syscall *call = oci->syscalls[i];
		struct seccomp_rule *rule = &p->rules[i];

		snprintf(where, sizeof(where), "syscalls[%zu].action", i);
		if (read_action(where, call->action, call->has_errno_ret, call->errno_ret,
				&rule->action, e) < 0)
			return -e->code;
		if (read_conds(a, call, i, rule, e) < 0)
			return -e->code;
		rule->names = (const char *const *)call->names;
		rule->n_names = call->n_names;
		if (rule->action == SECCOMP_RET_USER_NOTIF && check_notify(rule, i, e) < 0)
			return -e->code;
		if (source->known_only && check_known(rule, i, e) < 0)
			return -e->code;
		p->notify |= rule->action == SECCOMP_RET_USER_NOTIF;
	}
	p->n_rules = oci->n_syscalls;
	return 0;
}

static int no_receiver(const struct seccomp_source *source, struct err *e)
{
	if (source->raw)
		return err_user(e, NULL,
				"annotations[\"" SPEC_ANNOTATION_SECCOMP_BPF "\"]: the filter "
				"returns SECCOMP_RET_USER_NOTIF, and linux.seccomp.listenerPath or "
				"another receiver is missing");
	return err_user(e, NULL,
			"linux.seccomp.listenerPath: seccomp listenerPath is not set, and "
			"SCMP_ACT_NOTIFY needs it");
}

static int read_listener(const struct seccomp_source *source, const struct oci_linux_seccomp *oci,
			 struct seccomp_profile *p, struct err *e)
{
	const char *path = source->receiver;

	if (oci->listener_metadata && !oci->listener_path && !path)
		return err_user(e, NULL, "linux.seccomp.listenerMetadata without listenerPath");
	if (!p->notify)
		return 0; /* "this value is ignored" */
	if (!path)
		return no_receiver(source, e);
	if (path[0] != '/' && source->from_environment)
		return err_user(e, path,
				"linux.seccomp.listenerPath is missing, and '%s' in the variable "
				"RUN_OCI_SECCOMP_RECEIVER is not an absolute path",
				path);
	if (path[0] != '/')
		return err_user(e, path, "linux.seccomp.listenerPath: '%s' is not absolute", path);
	p->listener_path = path;
	p->listener_metadata = oci->listener_metadata;
	return 0;
}

static int read_all_rules(struct arena *a, const struct seccomp_source *source,
			  const struct oci_linux_seccomp *oci, struct seccomp_profile *p,
			  struct err *e)
{
	if (read_action("defaultAction", oci->default_action, oci->has_default_errno_ret,
			oci->default_errno_ret, &p->default_action, e) < 0)
		return -e->code;
	if (p->default_action == SECCOMP_RET_USER_NOTIF)
		return err_user(e, NULL,
				"linux.seccomp.defaultAction: SCMP_ACT_NOTIFY cannot be "
				"used as default action: the start itself would wait for it");
	if (read_archs(a, oci, p, e) < 0 || read_rules(a, source, oci, p, e) < 0)
		return -e->code;
	return 0;
}

int seccomp_profile_read(struct arena *a, const struct seccomp_source *source,
			 struct seccomp_profile *ret, struct err *e)
{
	static const struct oci_linux_seccomp none;
	const struct oci_linux_seccomp *oci = source->profile ? source->profile : &none;
	struct seccomp_profile p = { 0 };

	if (source->raw)
		p.notify = seccomp_notifies(source);
	else if (read_all_rules(a, source, oci, &p, e) < 0)
		return -e->code;
	if (read_flags(oci, &p, e) < 0 || read_listener(source, oci, &p, e) < 0)
		return -e->code;
	/* Refused by the kernel without a listener; it would have no effect. */
	if (!p.notify)
		p.flags &= ~(unsigned)SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	*ret = p;
	return 0;
}
