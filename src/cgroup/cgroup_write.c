/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_write - values to files, and one line about the one that is refused
 *
 * A value is one open, one write, one close. The line names file, value and cgroup,
 * and it never says "no such file or directory": callers take these words for a
 * command that was not found.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/trace.h"
#include "cgroup/internal.h"
#include "sys/sys.h"

#define GROUP_MAX 32

/* --- messages --------------------------------------------------------------------------------- */

/* The controller of a v2 file: what stands before its first dot. */
static bool is_enabled(const struct cgroup *cg, const struct cgroup_dir *d, const char *file)
{
	size_t n = strcspn(file, ".");
	char words[256];

	if (cgroup_read_file(cg, d, "cgroup.controllers", words, sizeof(words)) < 0)
		return false;
	for (const char *at = words; *at; at += strspn(at, " ")) {
		size_t len = strcspn(at, " ");

		if (len == n && memcmp(at, file, n) == 0)
			return true;
		at += len;
	}
	return false;
}

static int missing_file(const struct cgroup *cg, const struct cgroup_dir *d,
			const struct cgroup_value *v, struct err *e)
{
	char name[DIR_TEXT_SIZE];
	int controller = (int)strcspn(v->file, ".");

	cgroup_dir_name(d, name);
	if (d->hierarchy || is_enabled(cg, d, v->file) || str_starts(v->file, "cgroup."))
		return err_code(e, ENOTSUP, v->file,
				"write '%s' to %s of cgroup '%s': this kernel has no such file",
				v->value, v->file, name);
	return err_code(
		e, ENOTSUP, v->file,
		"write '%s' to %s of cgroup '%s': the controller '%.*s' is not available%s%s",
		v->value, v->file, name, controller, v->file, cg->enabling.code ? ": " : "",
		cg->enabling.text);
}

/* EBUSY of a v1 memory limit: more is in use than the limit allows. */
static int limit_below_usage(const struct cgroup *cg, const struct cgroup_dir *d,
			     const struct cgroup_value *v, struct err *e)
{
	char name[DIR_TEXT_SIZE], usage[32], peak[32];

	cgroup_read_file(cg, d, "memory.usage_in_bytes", usage, sizeof(usage));
	cgroup_read_file(cg, d, "memory.max_usage_in_bytes", peak, sizeof(peak));
	return err_code(
		e, EBUSY, v->file,
		"unable to set memory limit to %s (current usage: %s, peak usage: %s): %s of "
		"cgroup '%s'",
		v->value, usage, peak, v->file, cgroup_dir_name(d, name));
}

static int refused(const struct cgroup *cg, const struct cgroup_dir *d,
		   const struct cgroup_value *v, int r, struct err *e)
{
	char name[DIR_TEXT_SIZE], what[sizeof(e->text)];
	bool memory_limit = d->hierarchy && str_starts(v->file, "memory.") &&
			    str_ends(v->file, "limit_in_bytes");

	if (r == -ENOENT)
		return missing_file(cg, d, v, e);
	if (r == -EBUSY && memory_limit)
		return limit_below_usage(cg, d, v, e);
	str_shorten(what, 128, v->value);
	return err_code(e, -r, v->file, "write '%s' to %s of cgroup '%s': %s", what, v->file,
			cgroup_dir_name(d, name), errno_text(-r));
}

/* --- writing ---------------------------------------------------------------------------------- */

static int check_usage(const struct cgroup *cg, const struct cgroup_dir *d,
		       const struct cgroup_value *v, struct err *e)
{
	char name[DIR_TEXT_SIZE], text[32];
	uint64_t usage, limit;
	ssize_t n = cgroup_read_file(cg, d, v->file, text, sizeof(text));

	if (n < 0)
		return cgroup_is_gone((int)n) ? 0 : refused(cg, d, v, (int)n, e);
	if (str_to_u64(text, &usage) < 0 || str_to_u64(v->value, &limit) < 0 || usage <= limit)
		return 0;
	return err_code(e, EBUSY, v->file,
			"linux.resources.%s: rejecting memory%s limit %s: %s of cgroup '%s' is %s",
			v->field, str_eq(v->field, "memory.swap") ? "+swap" : "", v->value, v->file,
			cgroup_dir_name(d, name), text);
}

/* -ENOENT only when neither the file nor what may stand for it exists. */
static int write_value(const struct cgroup *cg, const struct cgroup_dir *d,
		       const struct cgroup_value **v)
{
	int r = cgroup_write_file(cg, d, (*v)->file, (*v)->value);

	if (r == -ENOENT && (*v)->otherwise) {
		r = cgroup_write_file(cg, d, (*v)->otherwise->file, (*v)->otherwise->value);
		if (r != -ENOENT)
			*v = (*v)->otherwise;
	}
	trace(CGROUP, "%s:%s %s = %s: %s", d->hierarchy ? d->hierarchy : "", d->path, (*v)->file,
	      (*v)->value, errno_name(-r));
	return r == -ENOENT && (*v)->optional ? 0 : r;
}

static int write_one(const struct cgroup *cg, const struct cgroup_dir *d,
		     const struct cgroup_value *v, struct err *e)
{
	int r = write_value(cg, d, &v);

	return r < 0 ? refused(cg, d, v, r, e) : 0;
}

/* Refused because of another value of the group, perhaps. */
static bool may_pass_later(int r)
{
	return r == -EINVAL || r == -EBUSY || r == -ERANGE;
}

/* Round after round, as long as one of those that wait gets through. */
static int write_group(const struct cgroup *cg, const struct cgroup_dir *d,
		       const struct cgroup_value *v, size_t n, struct err *e)
{
	uint32_t waiting = n < GROUP_MAX ? (1U << n) - 1 : UINT32_MAX, before;

	do {
		before = waiting;
		for (size_t i = 0; i < n; i++) {
			const struct cgroup_value *one = &v[i];
			int r = waiting & 1U << i ? write_value(cg, d, &one) : -EAGAIN;

			if (r == 0)
				waiting &= ~(1U << i);
			else if (r != -EAGAIN && !may_pass_later(r))
				return refused(cg, d, one, r, e);
		}
	} while (waiting && waiting != before);
	for (size_t i = 0; i < n; i++)
		if ((waiting & 1U << i) && write_one(cg, d, &v[i], e) < 0)
			return -e->code;
	return 0;
}

int cgroup_write_values(const struct cgroup *cg, const struct cgroup_dir *d,
			const struct cgroup_value *v, size_t n, struct err *e)
{
	size_t len;

	for (size_t i = 0; i < n; i += len) {
		const struct cgroup_value *one = &v[i];
		int r;

		for (len = 1; one->group && i + len < n && len < GROUP_MAX; len++)
			if (v[i + len].group != one->group)
				break;
		if (one->op == CGROUP_USAGE_BELOW)
			r = check_usage(cg, d, one, e);
		else if (len > 1)
			r = write_group(cg, d, one, len, e);
		else
			r = write_one(cg, d, one, e);
		if (r < 0)
			return r;
	}
	return 0;
}
