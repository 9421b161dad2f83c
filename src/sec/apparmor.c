/* SPDX-License-Identifier: Apache-2.0 */
/*
 * apparmor - the profile that the container's program starts under
 *
 * The kernel is told by self/attr/apparmor/exec (there since Linux 5.8, so the older
 * place that modules share is not used). Whoever is confined already, and has
 * no_new_privs, may only add to its confinement; so there the profile is stacked
 * upon what is there. See apparmor(7) and aa_change_onexec(2).
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "sec/labels.h"
#include "sys/sys.h"

#define ENABLED	 "/sys/module/apparmor/parameters/enabled"
#define PROFILES "/sys/kernel/security/apparmor/profiles"

/* The list of loaded profiles; hosts have a few hundred. */
#define PROFILES_MAX (4 << 20)

#define STACKED "//&"

/* The name alone: the kernel adds " (enforce)" and the like. */
static size_t name_length(const char *label)
{
	size_t n = strlen(label);
	const char *mode = NULL;

	if (n > 0 && label[n - 1] == ')')
		mode = strrchr(label, '(');
	return mode && mode > label + 1 && mode[-1] == ' ' ? (size_t)(mode - 1 - label) : n;
}

/*
 * "unconfined_foo (enforce)" is confined; "foo (unconfined)" is a profile in a mode that
 * confines nothing. Whatever else does not look like no confinement is taken for one.
 */
bool apparmor_is_unconfined(const char *label)
{
	return str_eq(label, "unconfined") || str_eq(label + name_length(label), " (unconfined)");
}

static bool has_component(const char *list, size_t list_len, const char *name, size_t n)
{
	const char *end = list + list_len;

	while (list <= end) {
		const char *next = memmem(list, (size_t)(end - list), STACKED, strlen(STACKED));
		size_t len = (size_t)((next ? next : end) - list);

		if (len == n && memcmp(list, name, n) == 0)
			return true;
		if (!next)
			break;
		list = next + strlen(STACKED);
	}
	return false;
}

/* A stack is printed in the kernel's own order. */
bool apparmor_matches(const char *is, const char *profile)
{
	size_t is_len = name_length(is), rest = strlen(profile);

	if (is_len != rest)
		return false;
	for (;;) {
		const char *next = memmem(profile, rest, STACKED, strlen(STACKED));
		size_t len = next ? (size_t)(next - profile) : rest;

		if (!has_component(is, is_len, profile, len))
			return false;
		if (!next)
			return true;
		rest -= len + strlen(STACKED);
		profile = next + strlen(STACKED);
	}
}

static int is_enabled(struct err *e)
{
	char word[8];
	ssize_t n = file_read_small(AT_FDCWD, ENABLED, word, sizeof(word));

	if (n == -ENOENT || n == -ENOTDIR)
		return 0;
	if (n < 0)
		return err_sys(e, (int)-n, ENABLED, "learn whether AppArmor is on from");
	return word[0] == 'Y';
}

/*
 * A missing profile is found here, before anything exists, where the list can be read;
 * else the kernel says so at the start.
 */
static int check_loaded(const char *profile, struct err *e)
{
	auto_arena a = arena_make();
	size_t n = strlen(profile);
	char *list;

	if (profile[0] == ':' || strstr(profile, STACKED))
		return 0; /* of another namespace, or several */
	if (file_read_at(AT_FDCWD, PROFILES, &a, PROFILES_MAX, &list, NULL) < 0)
		return 0;
	for (const char *line = list; *line;) {
		const char *end = strchrnul(line, '\n');

		if (strncmp(line, profile, n) == 0 && line[n] == ' ' && line[n + 1] == '(')
			return 0;
		line = *end ? end + 1 : end;
	}
	return err_code(e, ENOENT, profile, "the AppArmor profile '%s' is not loaded", profile);
}

int apparmor_check(const char *profile, struct err *e)
{
	int on = is_enabled(e);

	if (on < 0)
		return on;
	if (on)
		return str_eq(profile, "unconfined") ? 0 : check_loaded(profile, e);
	if (str_eq(profile, "unconfined"))
		return 0; /* as asked */
	return err_code(e, ENOTSUP, profile,
			"process.apparmorProfile is '%s', but AppArmor is off on this host",
			profile);
}

/* Returns 1 when we are confined, 0 when not, -EOPNOTSUPP when there is no AppArmor. */
static int is_confined(int proc, struct err *e)
{
	auto_fd fd = label_attr_open(proc, "apparmor/current", O_RDONLY);
	char label[SEC_LABEL_MAX];
	int r = fd < 0 ? fd : label_attr_read(fd, label, sizeof(label));

	/* not built in, or off since boot */
	if (r == -ENOENT || (fd >= 0 && r == -EINVAL))
		return -EOPNOTSUPP;
	if (r < 0)
		return err_sys(e, -r, "apparmor/current", "read our own label from");
	return !apparmor_is_unconfined(label);
}

static int write_exec(int proc, const char *verb, const char *profile, struct err *e)
{
	auto_fd fd = label_attr_open(proc, "apparmor/exec", O_RDWR);
	char text[SEC_LABEL_MAX], is[SEC_LABEL_MAX];
	int n = snprintf(text, sizeof(text), "%s %s", verb, profile);
	int r;

	if (n < 0 || (size_t)n >= sizeof(text))
		return err_user(e, profile, "the name of the AppArmor profile is too long");
	if (fd < 0)
		return err_sys(e, -fd, NULL, "open `/proc/self/attr/apparmor/exec`");
	r = (int)sys_write(fd, text, (size_t)n);
	if (r != n)
		return err_sys(e, r < 0 ? -r : EIO, profile,
			       "write to `/proc/self/attr/apparmor/exec` the AppArmor profile");
	r = label_attr_read(fd, is, sizeof(is));
	if (r < 0)
		return err_sys(e, -r, NULL, "read back `/proc/self/attr/apparmor/exec`");
	if (!apparmor_matches(is, profile))
		return err_code(e, EPERM, profile,
				"`/proc/self/attr/apparmor/exec` holds '%s' after '%s' was written",
				is, profile);
	return 0;
}

/* Ours by now: the configuration's, or given to us. */
static bool has_no_new_privs(void)
{
	return sys_prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

int apparmor_exec(int proc, const char *profile, struct err *e)
{
	bool none = str_eq(profile, "unconfined");
	int confined = is_confined(proc, e);

	if (confined == -EOPNOTSUPP)
		return none ? 0
			    : err_code(e, EOPNOTSUPP, profile,
				       "the AppArmor profile '%s' cannot be applied: AppArmor "
				       "is off",
				       profile);
	if (confined < 0)
		return confined;
	if (none && !confined)
		return 0;
	return write_exec(proc, !none && confined && has_no_new_privs() ? "stack" : "exec", profile,
			  e);
}
