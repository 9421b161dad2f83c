/* SPDX-License-Identifier: Apache-2.0 */
/*
 * env - what execve gets as environment
 *
 * process.env and nothing of our own but HOME, when it is missing, and LISTEN_*. Of equal
 * names the last counts and the place of the first is kept, as shells have it.
 *
 * HOME comes from the container's passwd. That file is the image's: it is read only when
 * it is a regular file, without waiting, up to a size and to a length of line; whatever
 * is wrong with it, HOME is "/".
 */
#include <fcntl.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "proc/parts.h"
#include "sys/sys.h"

#define PASSWD_MAX	(1 << 20)
#define PASSWD_LINE_MAX 4096
#define EXTRA_VARS	3 /* HOME, LISTEN_FDS, LISTEN_PID */

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

struct passwd_reader {
	int fd;
	size_t total;
	char buf[PASSWD_LINE_MAX];
	size_t start, end;
	bool skipping; /* in a line that is too long */
};

/* The next line that fits, terminated, or NULL at the end. */
static char *next_line(struct passwd_reader *r)
{
	for (;;) {
		char *line = r->buf + r->start;
		char *nl = memchr(line, '\n', r->end - r->start);
		ssize_t n;

		if (nl) {
			bool skip = r->skipping;

			*nl = '\0';
			r->start = (size_t)(nl + 1 - r->buf);
			r->skipping = false;
			if (skip)
				continue;
			return line;
		}
		memmove(r->buf, line, r->end - r->start);
		r->end -= r->start;
		r->start = 0;
		if (r->end == sizeof(r->buf) - 1) {
			r->skipping = true;
			r->end = 0;
		}
		n = r->total >= PASSWD_MAX
			    ? 0
			    : sys_read(r->fd, r->buf + r->end, sizeof(r->buf) - 1 - r->end);
		if (n <= 0) {
			bool rest = r->end && !r->skipping;

			r->buf[r->end] = '\0';
			r->end = 0;
			return rest ? r->buf : NULL;
		}
		r->total += (size_t)n;
		r->end += (size_t)n;
	}
}

/* name:password:uid:gid:gecos:home:shell; the home of @uid, or NULL. */
static const char *home_of_line(char *line, uid_t uid)
{
	char *fields[6];
	uint32_t id;

	for (size_t i = 0; i < COUNT(fields); i++) {
		fields[i] = strsep(&line, ":");
		if (!fields[i])
			return NULL;
	}
	if (str_to_u32(fields[2], &id) < 0 || id != uid)
		return NULL;
	return fields[5];
}

static const char *find_home(struct arena *a, uid_t uid)
{
	auto_fd fd = sys_openat2(AT_FDCWD, "/etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY, 0,
				 RESOLVE_NO_MAGICLINKS);
	struct passwd_reader reader = { .fd = fd };
	const char *home = NULL;
	struct stat st;
	char *line;

	if (fd < 0 || sys_fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return "/";
	while (!home && (line = next_line(&reader)))
		home = home_of_line(line, uid);
	if (!home)
		log_debug("user %u is not in the container's passwd: HOME=/", uid);
	return home && home[0] == '/' ? arena_strdup(a, home) : "/";
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
	     const char *const **ret_env, struct err *e)
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
	}
	*ret_env = env;
	return 0;
}
