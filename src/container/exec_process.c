/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec_process - the process object of an exec
 *
 * Given as a file, it is taken as it is, but that what confines the container's own process
 * holds where the file is silent, as in runc and crun. Given as options, it is the
 * container's own with these changes, as runc has it: the terminal only with --tty,
 * capabilities added to the bounding, effective and permitted sets, no_new_privs never
 * taken away.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "container/internal.h"
#include "ocispec/decode.h"
#include "sys/sys.h"

static int load_process(struct arena *a, const char *path, struct oci_process **ret, struct err *e)
{
	const struct ocispec_allocator alloc = { arena_ocispec_alloc, a };
	struct ocispec_error why = { 0 };
	void *process;
	char *text;
	ssize_t len = file_read_named(AT_FDCWD, path, a, OCISPEC_MAX_SIZE, &text, e);

	if (len < 0)
		return (int)len;
	if (ocispec_decode(&oci_process_type, text, (size_t)len, &alloc, NULL, &process, &why) < 0)
		return err_code(e, why.code, why.path, "%s:%u:%u: %s%s%s", path, why.line,
				why.column, why.path, *why.path ? ": " : "", why.text);
	*ret = process;
	return 0;
}

static const char *either(const char *given, const char *own)
{
	return given && *given ? given : own;
}

/*
 * What the process does not have of its own would be the caller's: profile and label,
 * limits, processors, priorities, and an oom_score_adj that for an engine says "never".
 */
static void confine(struct oci_process *p, const struct oci_process *own)
{
	p->apparmor_profile = either(p->apparmor_profile, own->apparmor_profile);
	p->selinux_label = either(p->selinux_label, own->selinux_label);
	if (!p->capabilities)
		p->capabilities = own->capabilities;
	if (!p->scheduler)
		p->scheduler = own->scheduler;
	if (!p->io_priority)
		p->io_priority = own->io_priority;
	if (!p->exec_cpu_affinity)
		p->exec_cpu_affinity = own->exec_cpu_affinity;
	if (!p->n_rlimits) {
		p->rlimits = own->rlimits;
		p->n_rlimits = own->n_rlimits;
	}
	if (!p->has_oom_score_adj) {
		p->has_oom_score_adj = own->has_oom_score_adj;
		p->oom_score_adj = own->oom_score_adj;
	}
}

/*
 * A name is looked up where it counts: in the container's files, below its root as init
 * has it. The number was init's if that lives when the root is open.
 */
static int set_user_name(struct arena *a, struct oci_user *user, const char *text,
			 const struct container *c, struct err *e)
{
	const char *path = arena_printf(a, "/proc/%d/root", c->state->pid);
	auto_fd root = sys_open(path, O_PATH | O_DIRECTORY, 0);
	struct proc_account who;
	int r;

	if (root < 0)
		return err_sys(e, -root, path, "open the container's root");
	r = sys_pidfd_send_signal(c->pidfd, 0);
	if (r < 0)
		return err_sys(e, -r, c->id, "look into container");
	if (proc_account_find(a, root, text, &who, e) < 0)
		return -e->code;
	user->uid = who.uid;
	user->gid = who.gid;
	user->additional_gids = who.groups;
	user->n_additional_gids = who.n_groups;
	return 0;
}

/* A copy of @list with @more behind it. */
static const char **append(struct arena *a, const char *const *list, size_t n,
			   const struct string_list *more, size_t *ret_n)
{
	const char **all = arena_new_n(a, n + more->n, const char *);

	memcpy(all, list, n * sizeof(*all));
	memcpy(all + n, more->v, more->n * sizeof(*all));
	*ret_n = n + more->n;
	return all;
}

static int set_user(struct oci_user *user, const char *text, struct err *e)
{
	char uid[16];
	const char *colon = strchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : strlen(text);

	if (len >= sizeof(uid))
		return err_user(e, text, "option '--user' needs UID[:GID], not '%s'", text);
	memcpy(uid, text, len);
	uid[len] = '\0';
	if (str_to_u32(uid, &user->uid) < 0 || (colon && str_to_u32(colon + 1, &user->gid) < 0))
		return err_user(e, text, "option '--user' needs UID[:GID] in numbers, not '%s'",
				text);
	return 0;
}

static int set_groups(struct arena *a, struct oci_user *user, const struct string_list *more,
		      struct err *e)
{
	size_t n = user->n_additional_gids;
	uint32_t *gids;

	if (!more->n)
		return 0;
	gids = arena_new_n(a, n + more->n, uint32_t);
	if (n)
		memcpy(gids, user->additional_gids, n * sizeof(*gids));
	for (size_t i = 0; i < more->n; i++)
		if (str_to_u32(more->v[i], &gids[n + i]) < 0)
			return err_user(e, more->v[i],
					"option '--additional-gids' needs a number, not '%s'",
					more->v[i]);
	user->additional_gids = gids;
	user->n_additional_gids = n + more->n;
	return 0;
}

static void add_capabilities(struct arena *a, struct oci_process *p, const struct string_list *more)
{
	struct oci_capabilities *c = arena_new(a, struct oci_capabilities);

	if (!more->n)
		return;
	if (p->capabilities)
		*c = *p->capabilities;
	c->bounding = append(a, c->bounding, c->n_bounding, more, &c->n_bounding);
	c->effective = append(a, c->effective, c->n_effective, more, &c->n_effective);
	c->permitted = append(a, c->permitted, c->n_permitted, more, &c->n_permitted);
	if (c->n_inheritable) /* without it they would be lost to a user who is not root */
		c->ambient = append(a, c->ambient, c->n_ambient, more, &c->n_ambient);
	p->capabilities = c;
}

static int choose_user(struct arena *a, struct oci_user *user, const struct container *c,
		       const struct exec_options *o, struct err *e)
{
	int r = 0;

	if (o->user && o->user_name)
		return err_user(e, "user", "--user and --user-name exclude each other");
	if (o->user)
		r = set_user(user, o->user, e);
	else if (o->user_name)
		r = set_user_name(a, user, o->user_name, c, e);
	return r < 0 ? r : set_groups(a, user, &o->groups, e);
}

static int from_options(struct arena *a, const struct container *c, const struct oci_process *own,
			const struct exec_options *o, struct oci_process **ret, struct err *e)
{
	struct oci_process *p = arena_new(a, struct oci_process);
	struct oci_user *user = arena_new(a, struct oci_user);

	*p = *own;
	if (own->user)
		*user = *own->user;
	user->has_uid = user->has_gid = true;
	p->user = user;
	p->args = (const char **)o->args;
	for (p->n_args = 0; o->args[p->n_args];)
		p->n_args++;
	p->terminal = p->has_terminal = o->tty;
	p->env = append(a, p->env, p->n_env, &o->env, &p->n_env);
	if (o->cwd)
		p->cwd = o->cwd;
	if (o->apparmor)
		p->apparmor_profile = o->apparmor;
	if (o->process_label)
		p->selinux_label = o->process_label;
	if (o->no_new_privs)
		p->no_new_privileges = p->has_no_new_privileges = true;
	add_capabilities(a, p, &o->caps);
	*ret = p;
	return choose_user(a, user, c, o, e);
}

int exec_process(struct arena *a, const struct container *c, const struct spec *spec,
		 const struct exec_options *o, struct spec_process *ret, struct err *e)
{
	struct oci_process *p = NULL;
	int r;

	if (o->process)
		r = load_process(a, o->process, &p, e);
	else if (!spec->config->process)
		r = err_user(e, "process", "the container has no process to take settings from");
	else
		r = from_options(a, c, spec->config->process, o, &p, e);
	if (p && o->process && spec->config->process)
		confine(p, spec->config->process);
	return r < 0 ? r : spec_check_process(a, p, ret, e);
}
