/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unit - what systemd is told of a container; pure
 *
 * A property is a name, a D-Bus signature and the values in the order of the signature,
 * as text: a number in decimal, a boolean as 0 or 1, a list as its length and its items.
 * So nothing on this side needs to know D-Bus, and the program that does (systemd/)
 * needs to know no property.
 */
#ifndef CLEAT_CGROUP_UNIT_H
#define CLEAT_CGROUP_UNIT_H

#include "cgroup/cgroup.h"

struct unit_property {
	const char *name, *signature;
	const char **tokens;
	size_t n;
	bool optional; /* a systemd that does not know it, or not the value, goes without */
};

struct unit_properties {
	struct unit_property *v;
	size_t n, cap;
};

/*
 * The two words of cpu.max: "max 100000", "5000 10000", "5000". Quota -1: none; the period
 * is 0 where it is not said. False: it is something else.
 */
bool unit_parse_cpu_max(const char *text, int64_t *ret_quota, uint64_t *ret_period);

/*
 * Add one whose signature is a single letter, or give another value to the one of that
 * name. The pointer is good until the next one is added.
 */
struct unit_property *unit_put(struct arena *a, struct unit_properties *p, const char *name,
			       char type, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* linux.resources; @v2: the names that systemd has on hosts whose controllers are in v2. */
int unit_put_resources(struct arena *a, struct unit_properties *p,
		       const struct oci_linux_resources *r, bool v2, struct err *e);

/* The annotations org.systemd.property.<Name>, whose values are GVariant text. */
int unit_put_annotations(struct arena *a, struct unit_properties *p,
			 const struct oci_string_map *annotations, struct err *e);

/* All of StartTransientUnit but PIDs. */
int unit_properties_make(struct arena *a, const struct oci_config *config, const char *id,
			 const struct cgroup_unit *unit, bool v2, struct unit_properties **ret,
			 struct err *e);

/*
 * unit_variant() - GVariant text format, as far as properties of units need it
 *
 * Booleans, numbers, strings, lists and tuples of them, each with a type in front if
 * wanted ("uint64 5", "@as []"). Dictionaries, maybes and variants are refused. Fills
 * signature and tokens of *ret. Returns 0 or -EINVAL; the error says what is wrong.
 */
int unit_variant(struct arena *a, const char *text, struct unit_property *ret, struct err *e);

#endif
