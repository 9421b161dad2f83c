/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paths - where a container's cgroup is
 *
 * An absolute cgroupsPath is honoured as it is: callers look into that very directory.
 * A relative one, also one in the slice:prefix:name form that came without
 * --systemd-cgroup, gets a '/' in front.
 */
#include "cgroup/paths.h"

#include <limits.h>
#include <string.h>

#include "base/str.h"
#include "cgroup/cgroup.h"

#define FIELD	       "linux.cgroupsPath"
#define SLICE_SUFFIX   ".slice"
#define PREFIX_DEFAULT "cleat"
/* What stands around a path in a system call: hierarchy in front, the longest file behind. */
#define PATH_LENGTH_MAX (PATH_MAX - 256)

static int check_name(const char *field, const char *path, const char *name, size_t n,
		      struct err *e)
{
	if (n == 2 && name[0] == '.' && name[1] == '.')
		return err_user(e, field, "%s: '%s' leads upwards by '..'", field, path);
	if (n > NAME_MAX)
		return err_user(e, field, "%s: '%s' has a name of more than %d bytes", field, path,
				NAME_MAX);
	return 0;
}

static int clean(struct arena *a, const char *field, const char *path, const char **ret,
		 struct err *e)
{
	size_t len = strlen(path);
	char *out = arena_alloc(a, len + 2), *end = out;
	size_t n;

	if (len > PATH_LENGTH_MAX)
		return err_user(e, field, "%s is longer than %d bytes", field, PATH_LENGTH_MAX);
	/* the kernel keeps line ends out of names, because /proc/PID/cgroup could not show them */
	if (strchr(path, '\n'))
		return err_user(e, field, "%s: '%s' holds a line end", field, path);
	for (const char *at = path; *at; at += n) {
		at += strspn(at, "/");
		n = strcspn(at, "/");
		if (check_name(field, path, at, n, e) < 0)
			return -e->code;
		if (n == 0 || (n == 1 && at[0] == '.'))
			continue;
		*end++ = '/';
		memcpy(end, at, n);
		end += n;
	}
	*ret = out;
	return 0;
}

int cgroup_path_clean(struct arena *a, const char *path, const char **ret, struct err *e)
{
	const char *out = "";

	if (clean(a, FIELD, path, &out, e) < 0)
		return -e->code;
	if (!*out)
		return err_user(e, FIELD, FIELD ": '%s' is the root of the hierarchy", path);
	*ret = out;
	return 0;
}

int cgroup_path_below(struct arena *a, const char *field, const char *path, const char **ret,
		      struct err *e)
{
	const char *out = "";

	if (clean(a, field, path, &out, e) < 0)
		return -e->code;
	if (!*out)
		return err_user(e, field, "%s: '%s' names no cgroup", field, path);
	*ret = out + 1;
	return 0;
}

/* How much of the path of our own cgroup is that of the one above it. */
static int above(const char *self)
{
	const char *slash = strrchr(self, '/');

	return slash ? (int)(slash - self) : 0;
}

const char *cgroup_path_default(struct arena *a, const char *id, bool rootless, const char *self)
{
	/* the neighbours are somebody else's units and services: no bare id among them */
	if (rootless && above(self) > 0)
		return arena_printf(a, "%.*s/cleat-%s", above(self), self, id);
	return arena_printf(a, "/%s", id);
}

const char *cgroup_path_beside(struct arena *a, const char *path, const char *self)
{
	return arena_printf(a, "%.*s/%s", above(self), self, path);
}

static int slice_error(struct err *e, const char *slice)
{
	return err_user(e, FIELD, FIELD ": '%s' is not the name of a slice", slice);
}

int cgroup_slice_expand(struct arena *a, const char *slice, const char **ret, struct err *e)
{
	size_t len = strlen(slice), suffix = strlen(SLICE_SUFFIX);
	const char *path = "";

	if (!str_ends(slice, SLICE_SUFFIX) || len == suffix || strchr(slice, '/'))
		return slice_error(e, slice);
	len -= suffix;
	if (len == 1 && slice[0] == '-') {
		*ret = path;
		return 0;
	}
	for (size_t i = 0; i <= len; i++) {
		if (i < len && slice[i] != '-')
			continue;
		/* a dash that stands first, last or behind another names an empty level */
		if (i == 0 || slice[i - 1] == '-')
			return slice_error(e, slice);
		path = arena_printf(a, "%s/%.*s" SLICE_SUFFIX, path, (int)i, slice);
	}
	*ret = path;
	return 0;
}

int cgroup_unit(struct arena *a, const char *cgroups_path, const char *id, bool rootless,
		struct cgroup_unit *ret, struct err *e)
{
	const char *path = cgroups_path && *cgroups_path
				   ? cgroups_path
				   : arena_printf(a, ":" PREFIX_DEFAULT ":%s", id);
	const char *prefix = strchr(path, ':');
	const char *name = prefix ? strchr(prefix + 1, ':') : NULL;
	struct cgroup_unit unit = { 0 };

	if (!name || strchr(name + 1, ':') || strchr(path, '/') || strchr(path, '\n') || !name[1])
		return err_user(e, FIELD,
				FIELD ": '%s' is not of the form slice:prefix:name, as the systemd "
				      "cgroup manager needs it",
				path);
	unit.slice = arena_strndup(a, path, (size_t)(prefix - path));
	if (!*unit.slice)
		unit.slice = rootless ? "user.slice" : "system.slice";
	prefix++;
	if (str_ends(name + 1, SLICE_SUFFIX))
		unit.unit = name + 1;
	else
		unit.unit =
			arena_printf(a, "%.*s-%s.scope", (int)(name - prefix), prefix, name + 1);
	if (cgroup_slice_expand(a, unit.slice, &unit.path, e) < 0)
		return -e->code;
	unit.path = arena_printf(a, "%s/%s", unit.path, unit.unit);
	*ret = unit;
	return 0;
}
