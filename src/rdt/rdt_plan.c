/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "rdt/rdt.h"

/* Directories that resctrl itself has in its root. */
static const char *const reserved[] = { "info", "mon_groups", "mon_data" };

static int check_class(const char *name, const char *what, struct err *e)
{
	bool bad = !*name || str_eq(name, ".") || str_eq(name, "..") || strchr(name, '/') ||
		   strchr(name, '\n');

	for (size_t i = 0; i < COUNT(reserved); i++)
		bad |= str_eq(name, reserved[i]);
	return bad ? err_user(e, what, "%s: '%s' is no name for a class of service", what, name)
		   : 0;
}

/* The lines of @text that do, or do not, begin with "MB:", each with its end. */
static const char *lines_of(struct arena *a, const char *text, bool bandwidth)
{
	const char *lines = "";

	while (text && *text) {
		size_t n = strcspn(text, "\n");

		if (n && str_starts(text, "MB:") == bandwidth)
			lines = arena_printf(a, "%s%.*s\n", lines, (int)n, text);
		text += n + (text[n] == '\n');
	}
	return lines;
}

static const char *or_null(const char *text)
{
	return *text ? text : NULL;
}

/* "the value written MUST be the non-MB: line(s) in l3CacheSchema and the line in memBWSchema" */
static const char *combine(struct arena *a, const char *l3, const char *bandwidth)
{
	return or_null(
		arena_printf(a, "%s%s", lines_of(a, l3, false), lines_of(a, bandwidth, true)));
}

static const char *join_lines(struct arena *a, const char **words, size_t n)
{
	const char *lines = "";

	for (size_t i = 0; i < n; i++)
		lines = arena_printf(a, "%s%s%s", lines, words[i],
				     str_ends(words[i], "\n") ? "" : "\n");
	return or_null(lines);
}

int rdt_plan_make(struct arena *a, const struct spec *spec, const char *id, struct rdt_plan *ret,
		  struct err *e)
{
	const struct oci_linux *linux = spec->config->linux;
	const struct oci_linux_intel_rdt *rdt = linux ? linux->intel_rdt : NULL;
	const char *class;

	*ret = (struct rdt_plan){ 0 };
	if (!rdt)
		return 0;
	class = rdt->clos_id && *rdt->clos_id ? rdt->clos_id : NULL;
	ret->wanted = true;
	ret->own = !class;
	ret->group = !class ? id : str_eq(class, "/") ? "." : class;
	if (!class && check_class(id, "linux.intelRdt: the container's id", e) < 0)
		return -e->code;
	if (class && !str_eq(class, "/") && check_class(class, "linux.intelRdt.closID", e) < 0)
		return -e->code;
	if (rdt->mem_bw_schema &&
	    (!str_starts(rdt->mem_bw_schema, "MB:") || strchr(rdt->mem_bw_schema, '\n')))
		return err_user(e, "linux.intelRdt.memBwSchema",
				"linux.intelRdt.memBwSchema: '%s' is not one line that begins with "
				"'MB:'",
				rdt->mem_bw_schema);
	ret->schema = combine(a, rdt->l3_cache_schema, rdt->mem_bw_schema);
	ret->schemata = join_lines(a, rdt->schemata, rdt->n_schemata);
	ret->must_exist = class && !ret->schema && !ret->schemata;
	if (rdt->enable_monitoring)
		ret->monitor = arena_printf(a, "%s/mon_groups/%s", ret->group, id);
	return 0;
}
