/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schemata - lines such as "    L3:0=7ff;1=00f"
 *
 * A resource, then domains with a value each. The kernel prints values in its own way:
 * masks with leading zeros, bandwidth rounded up to what the hardware has.
 */
#include "rdt/schemata.h"

#include "base/str.h"

struct text { /* a part of a line */
	const char *at;
	size_t n;
};

static struct text trim(const char *at, size_t n)
{
	while (n && (*at == ' ' || *at == '\t')) {
		at++;
		n--;
	}
	while (n && (at[n - 1] == ' ' || at[n - 1] == '\t'))
		n--;
	return (struct text){ at, n };
}

/* Cut at the first @by; *@rest is what follows it. */
static struct text cut(struct text *rest, char by)
{
	const char *end = memchr(rest->at, by, rest->n);
	size_t n = end ? (size_t)(end - rest->at) : rest->n;
	struct text first = trim(rest->at, n);

	rest->at += n + (end != NULL);
	rest->n -= n + (end != NULL);
	return first;
}

static bool same(struct text a, struct text b)
{
	return a.n == b.n && memcmp(a.at, b.at, a.n) == 0;
}

static struct text without_zeros(struct text t)
{
	while (t.n > 1 && *t.at == '0') {
		t.at++;
		t.n--;
	}
	return t;
}

static bool same_mask(struct arena *a, struct text wanted, struct text present)
{
	wanted = without_zeros(wanted);
	present = without_zeros(present);
	return str_casecmp(arena_strndup(a, wanted.at, wanted.n),
			   arena_strndup(a, present.at, present.n)) == 0;
}

static bool same_bandwidth(struct arena *a, struct text wanted, struct text present,
			   const struct rdt_bandwidth *mb)
{
	uint64_t w, p;

	if (str_to_u64(arena_strndup(a, wanted.at, wanted.n), &w) < 0 ||
	    str_to_u64(arena_strndup(a, present.at, present.n), &p) < 0)
		return false;
	if (w < mb->min)
		w = mb->min;
	if (mb->step)
		w = (w + mb->step - 1) / mb->step * mb->step;
	return w == p;
}

/* The value of @domain among "0=7ff;1=00f". */
static bool find_domain(struct text domains, struct text domain, struct text *ret)
{
	while (domains.n) {
		struct text value = cut(&domains, ';');
		struct text name = cut(&value, '=');

		if (same(without_zeros(name), without_zeros(domain))) {
			*ret = trim(value.at, value.n);
			return true;
		}
	}
	return false;
}

static bool find_resource(const char *present, struct text resource, struct text *ret)
{
	struct text rest = { present, strlen(present) };

	while (rest.n) {
		struct text line = cut(&rest, '\n');

		if (same(cut(&line, ':'), resource)) {
			*ret = line;
			return true;
		}
	}
	return false;
}

static bool has_line(struct arena *a, struct text line, const char *present,
		     const struct rdt_bandwidth *mb)
{
	struct text resource = cut(&line, ':'), domains, there;
	bool bandwidth = resource.n == 2 && memcmp(resource.at, "MB", 2) == 0;

	if (!find_resource(present, resource, &domains))
		return false;
	while (line.n) {
		struct text value = cut(&line, ';');
		struct text domain = cut(&value, '=');

		if (!domain.n)
			continue;
		value = trim(value.at, value.n);
		if (!find_domain(domains, domain, &there))
			return false;
		if (!(bandwidth ? same_bandwidth(a, value, there, mb) : same_mask(a, value, there)))
			return false;
	}
	return true;
}

const char *schemata_missing(struct arena *a, const char *wanted, const char *present,
			     const struct rdt_bandwidth *mb)
{
	struct text rest = { wanted, strlen(wanted) };

	while (rest.n) {
		struct text line = cut(&rest, '\n');

		if (line.n && !has_line(a, line, present, mb))
			return arena_strndup(a, line.at, line.n);
	}
	return NULL;
}
