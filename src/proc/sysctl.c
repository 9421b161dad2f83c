/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sysctl - linux.sysctl
 *
 * A key is only taken when the kernel keeps it apart for each namespace of a kind and the
 * container owns its namespace of that kind; any other key would set the host's. One key
 * is one file, opened below a procfs of our own that nothing can be mounted over, written
 * by one write and read again.
 *
 * As in sysctl(8) the first separator decides: "net.ipv4.conf.eth0/100.forwarding" and
 * "net/ipv4/conf/eth0.100/forwarding" are the same file.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "proc/parts.h"
#include "sys/sys.h"

static const struct {
	const char *path; /* one that ends with '/' stands for everything below */
	int ns;
} owners[] = {
	{ "net/", CLONE_NEWNET },
	{ "fs/mqueue/", CLONE_NEWIPC },
	{ "kernel/msgmax", CLONE_NEWIPC },
	{ "kernel/msgmnb", CLONE_NEWIPC },
	{ "kernel/msgmni", CLONE_NEWIPC },
	{ "kernel/sem", CLONE_NEWIPC },
	{ "kernel/shmall", CLONE_NEWIPC },
	{ "kernel/shmmax", CLONE_NEWIPC },
	{ "kernel/shmmni", CLONE_NEWIPC },
	{ "kernel/shm_rmid_forced", CLONE_NEWIPC },
	{ "kernel/domainname", CLONE_NEWUTS },
	{ "user/", CLONE_NEWUSER },
};

/* --- the plan -------------------------------------------------------------------------------- */

/* The path of a key, or NULL when it is not the name of a file below /proc/sys. */
static const char *key_path(struct arena *a, const char *key)
{
	char *path = arena_strdup(a, key), *part;
	size_t first = strcspn(key, "./");

	if (key[first] == '.')
		for (char *s = path; *s; s++)
			*s = (char)(*s == '.' ? '/' : *s == '/' ? '.' : *s);
	for (part = path;; part++) {
		size_t n = strcspn(part, "/");

		if (n == 0 || (n == 1 && part[0] == '.') || (n == 2 && !strncmp(part, "..", 2)))
			return NULL;
		part += n;
		if (!*part)
			return path;
	}
}

static int key_owner(const char *path)
{
	for (size_t i = 0; i < COUNT(owners); i++)
		if (str_ends(owners[i].path, "/") ? str_starts(path, owners[i].path)
						  : str_eq(path, owners[i].path))
			return owners[i].ns;
	return 0;
}

static int plan_one(struct arena *a, const struct spec *spec, const char *key, const char *value,
		    struct proc_plan *p, struct proc_sysctl *ret, struct err *e)
{
	const char *path = key_path(a, key);
	int ns = path ? key_owner(path) : 0;

	if (!path)
		return err_user(e, key, "linux.sysctl: '%s' is not a key", key);
	if (str_eq(path, "kernel/hostname"))
		return err_user(e, key, "linux.sysctl: '%s' is set by hostname", key);
	if (!ns)
		return err_user(e, key, "linux.sysctl: '%s' is not kept apart for a namespace",
				key);
	if (str_eq(path, "kernel/domainname") && spec->domainname &&
	    !str_eq(spec->domainname, value))
		return err_user(e, key, "linux.sysctl: '%s' and domainname disagree", key);
	if (!owns_namespace(spec, ns, p))
		return err_user(e, key, "linux.sysctl: '%s' needs a %s namespace of the container",
				key, spec_ns_name(ns));
	*ret = (struct proc_sysctl){ .path = path, .value = value, .key = key, .ns = ns };
	return 0;
}

int plan_sysctls(struct arena *a, const struct spec *spec, struct proc_plan *p, struct err *e)
{
	const struct oci_string_map *map = spec->config->linux->sysctl;
	size_t n = map ? map->n : 0;
	struct proc_sysctl *list = arena_new_n(a, n, struct proc_sysctl);

	for (size_t i = 0; i < n; i++) {
		int r = plan_one(a, spec, map->entries[i].key, map->entries[i].value, p, &list[i],
				 e);

		if (r < 0)
			return r;
	}
	p->sysctls = list;
	p->n_sysctls = n;
	return 0;
}

/* --- in init --------------------------------------------------------------------------------- */

/* The same words, with numbers compared as numbers: the kernel prints tabs for blanks. */
static bool same_value(const char *a, const char *b)
{
	static const char blank[] = " \t\n";

	for (;;) {
		size_t n, m;
		char *end_a, *end_b;

		a += strspn(a, blank);
		b += strspn(b, blank);
		n = strcspn(a, blank);
		m = strcspn(b, blank);
		if (!n || !m)
			return !n && !m;
		if ((n != m || strncmp(a, b, n)) &&
		    (strtoll(a, &end_a, 0) != strtoll(b, &end_b, 0) || end_a != a + n ||
		     end_b != b + m))
			return false;
		a += n;
		b += m;
	}
}

/*
 * What the kernel took it may keep in a form of its own: times in ticks, a list of ports as
 * ranges, and what was there where fewer fields were given. So no value is a failure.
 */
static void compare_value(int fd, const struct proc_sysctl *s)
{
	char is[1024];
	ssize_t n = pread(fd, is, sizeof(is) - 1, 0);

	is[n < 0 ? 0 : n] = '\0';
	if (n >= 0 && !same_value(is, s->value))
		log_debug("sysctl '%s' reads '%.*s' after '%s' was written", s->key,
			  (int)strcspn(is, "\n"), is, s->value);
}

static int write_value(int fd, const struct proc_sysctl *s, struct err *e)
{
	size_t len = strlen(s->value);
	ssize_t r = pwrite(fd, s->value, len, 0);

	if (r < 0)
		return err_sys(e, errno, s->key, "set sysctl to '%s'", s->value);
	if ((size_t)r != len)
		return err_code(e, EIO, s->key, "sysctl '%s' took %zd of %zu bytes", s->key, r,
				len);
	compare_value(fd, s);
	return 0;
}

static int check_namespace(const struct proc_plan *p, int ns, int proc_full, struct err *e)
{
	const struct proc_ns_id *own = own_namespace((struct proc_plan *)p, ns);
	struct stat st;
	char name[48];
	int r;

	if (!own->ino)
		return 0;
	snprintf(name, sizeof(name), "self/ns/%s", spec_ns_proc_name(ns));
	r = sys_fstatat(proc_full, name, &st, 0);
	if (r < 0)
		return err_sys(e, -r, name, "look at");
	if (st.st_dev == own->dev && st.st_ino == own->ino)
		return err_user(e, "linux.sysctl",
				"linux.sysctl: the %s namespace is not the container's",
				spec_ns_name(ns));
	return 0;
}

static int set_one(const struct proc_plan *p, const struct proc_sysctl *s, int proc_full,
		   struct err *e)
{
	const uint64_t resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS;
	char name[512];
	auto_fd fd = -1;
	int r = check_namespace(p, s->ns, proc_full, e);

	if (r < 0)
		return r;
	if (snprintf(name, sizeof(name), "sys/%s", s->path) >= (int)sizeof(name))
		return err_code(e, ENAMETOOLONG, s->key, "sysctl '%s' is too long", s->key);
	fd = sys_openat2(proc_full, name, O_RDWR, 0, resolve);
	if (fd == -EACCES) /* some can only be written */
		fd = sys_openat2(proc_full, name, O_WRONLY, 0, resolve);
	if (fd < 0)
		return err_sys(e, -fd, s->key, "open sysctl");
	return write_value(fd, s, e);
}

int proc_sysctls(const struct proc_plan *p, int proc_full, struct err *e)
{
	for (size_t i = 0; i < p->n_sysctls; i++) {
		int r = set_one(p, &p->sysctls[i], proc_full, e);

		if (r < 0)
			return r;
	}
	return 0;
}
