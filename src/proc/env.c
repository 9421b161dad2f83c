/* SPDX-License-Identifier: Apache-2.0 */
/*
 * env - what execve gets as environment
 *
 * process.env and nothing of our own but HOME, when it is missing, and LISTEN_*. Of equal
 * names the last counts and the place of the first is kept, as shells have it.
 *
 * HOME comes from the container's passwd; whatever is wrong with that, HOME is "/".
 */
#include <fcntl.h>

#include "base/log.h"
#include "base/str.h"
#include "proc/accounts.h"
#include "proc/parts.h"
#include "sys/sys.h"

#define EXTRA_VARS 4 /* HOME, LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES */

/* --- equal names ----------------------------------------------------------------------------- */

static size_t name_length(const char *entry)
{
	return strcspn(entry, "=");
}

static uint32_t name_hash(const char *entry, size_t len)
{
	uint32_t h = 2166136261U; /* FNV-1a */

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)entry[i]) * 16777619U;
	return h;
}

static bool same_name(const char *a, const char *b)
{
	size_t n = name_length(a);

	return n == name_length(b) && memcmp(a, b, n) == 0;
}

int plan_env(struct arena *a, struct proc_plan *p)
{
	const struct oci_process *oci = p->process->oci;
	const char **env = arena_new_n(a, oci->n_env + 1, const char *);
	size_t slots = 8, n = 0, *table;

	while (slots < oci->n_env * 2)
		slots *= 2;
	table = arena_new_n(a, slots, size_t); /* index into env, plus one */
	for (size_t i = 0; i < oci->n_env; i++) {
		const char *entry = oci->env[i];
		size_t at = name_hash(entry, name_length(entry)) & (slots - 1);

		while (table[at] && !same_name(env[table[at] - 1], entry))
			at = (at + 1) & (slots - 1);
		if (!table[at])
			table[at] = ++n;
		env[table[at] - 1] = entry;
	}
	p->env = env;
	p->n_env = n;
	return 0;
}

/* --- HOME ------------------------------------------------------------------------------------ */

static const char *find_home(struct arena *a, uid_t uid)
{
	struct accounts_reader reader;
	char *fields[ACCOUNTS_FIELDS];
	const char *home = NULL;
	uint32_t id;

	accounts_open(&reader, AT_FDCWD, "/etc/passwd");
	while (!home && accounts_next(&reader, fields, PASSWD_FIELDS))
		if (str_to_u32(fields[PASSWD_UID], &id) == 0 && id == uid)
			home = arena_strdup(a, fields[PASSWD_HOME]);
	accounts_close(&reader);
	if (!home)
		log_debug("user %u is not in the container's passwd: HOME=/", uid);
	return home && home[0] == '/' ? home : "/";
}

/* --- the result ------------------------------------------------------------------------------ */

static const char **find_var(const char **env, size_t n, const char *assignment)
{
	for (size_t i = 0; i < n; i++)
		if (same_name(env[i], assignment))
			return &env[i];
	return NULL;
}

static void set_var(const char **env, size_t *n, const char *assignment)
{
	const char **at = find_var(env, *n, assignment);

	if (at)
		*at = assignment;
	else
		env[(*n)++] = assignment;
}

int proc_env(struct arena *a, const struct proc_plan *p, unsigned listen_fds,
	     const char *listen_names, const char *const **ret_env, struct err *e)
{
	const char **env = arena_new_n(a, p->n_env + EXTRA_VARS + 1, const char *);
	const char **home;
	size_t n = p->n_env;

	(void)e;
	if (n)
		memcpy(env, p->env, n * sizeof(*env));
	home = find_var(env, n, "HOME=");
	if (!home || str_eq(*home, "HOME="))
		set_var(env, &n, arena_printf(a, "HOME=%s", find_home(a, p->process->uid)));
	if (listen_fds) {
		set_var(env, &n, arena_printf(a, "LISTEN_FDS=%u", listen_fds));
		set_var(env, &n, arena_printf(a, "LISTEN_PID=%d", getpid()));
		/* without names of ours the configuration's would be for other descriptors */
		if (listen_names)
			set_var(env, &n, arena_printf(a, "LISTEN_FDNAMES=%s", listen_names));
	}
	*ret_env = env;
	return 0;
}
