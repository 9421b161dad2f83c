/* SPDX-License-Identifier: Apache-2.0 */
/*
 * device_rules - the list, checked and reduced; config-linux.md "Allowed Device list"
 *
 * Reducing keeps the program short, whose load time grows with its length: docker's and
 * our own lists begin with "deny everything", which makes all before it void and is
 * itself the default.
 */
#include <inttypes.h>

#include "base/str.h"
#include "cgroup/devices.h"
#include "dev/dev.h"

#define FIELD	  "linux.resources.devices"
#define RULES_MAX 4096 /* more than any caller sends; reducing compares each with each */

static int parse_access(const char *text, unsigned *ret)
{
	unsigned access = 0;

	for (const char *s = text; *s; s++) {
		if (*s == 'r')
			access |= DEVICE_READ;
		else if (*s == 'w')
			access |= DEVICE_WRITE;
		else if (*s == 'm')
			access |= DEVICE_MKNOD;
		else
			return -EINVAL;
	}
	*ret = access;
	return 0;
}

static int parse_type(const char *text, char *ret)
{
	if (str_eq(text, "a") || str_eq(text, "b") || str_eq(text, "c")) {
		*ret = text[0];
		return 0;
	}
	return -EINVAL;
}

static bool is_number(int64_t n)
{
	return n >= DEVICE_ANY && n <= UINT32_MAX;
}

/* Absent properties mean "all". */
static int add_rule(struct arena *a, struct device_rules *d,
		    const struct oci_linux_device_cgroup *rule, size_t i, struct err *e)
{
	struct device_rule new = {
		.allow = rule->allow,
		.major = rule->has_major ? rule->major : DEVICE_ANY,
		.minor = rule->has_minor ? rule->minor : DEVICE_ANY,
	};
	const char *type = rule->type ? rule->type : "a";
	const char *access = rule->access ? rule->access : "rwm";

	if (parse_type(type, &new.type) < 0)
		return err_user(e, FIELD, FIELD "[%zu].type: '%s' is not one of a, b, c", i, type);
	if (parse_access(access, &new.access) < 0)
		return err_user(e, FIELD, FIELD "[%zu].access: '%s' is not made of r, w, m", i,
				access);
	if (!is_number(new.major) || !is_number(new.minor))
		return err_user(e, FIELD, FIELD "[%zu]: %" PRId64 ":%" PRId64 " is no device", i,
				new.major, new.minor);
	*vec_push(a, d) = new;
	return 0;
}

static int add_defaults(struct arena *a, struct device_rules *d, struct err *e)
{
	const struct dev_rule *defaults;
	size_t n;

	defaults = dev_default_rules(&n);
	for (size_t i = 0; i < n; i++) {
		struct device_rule *rule = vec_push(a, d);

		*rule = (struct device_rule){
			.allow = defaults[i].allow,
			.type = defaults[i].type,
			.major = defaults[i].major,
			.minor = defaults[i].minor,
		};
		if (parse_access(defaults[i].access, &rule->access) < 0)
			return err_user(e, FIELD, "default device rule %zu: access '%s'", i,
					defaults[i].access);
	}
	return 0;
}

int device_rules_make(struct arena *a, const struct oci_linux_resources *r,
		      struct device_rules *ret, struct err *e)
{
	struct device_rules d = { 0 };

	if (r && r->n_devices > RULES_MAX)
		return err_code(e, E2BIG, FIELD, FIELD ": more than %d rules", RULES_MAX);
	for (size_t i = 0; r && i < r->n_devices; i++)
		if (add_rule(a, &d, r->devices[i], i, e) < 0)
			return -e->code;
	/* allow-all stays allow-all: the defaults can only add to it */
	if (add_defaults(a, &d, e) < 0)
		return -e->code;
	device_rules_reduce(&d);
	*ret = d;
	return 0;
}

/* --- reducing -------------------------------------------------------------------------------- */

static bool is_everything(const struct device_rule *r)
{
	return r->type == 'a' && r->major == DEVICE_ANY && r->minor == DEVICE_ANY &&
	       r->access == DEVICE_ALL;
}

static bool covers(const struct device_rule *big, const struct device_rule *small)
{
	return (big->type == 'a' || big->type == small->type) &&
	       (big->major == DEVICE_ANY || big->major == small->major) &&
	       (big->minor == DEVICE_ANY || big->minor == small->minor) &&
	       (small->access & ~big->access) == 0;
}

static bool is_overridden(const struct device_rules *d, size_t i)
{
	for (size_t later = i + 1; later < d->n; later++)
		if (covers(&d->v[later], &d->v[i]))
			return true;
	return !d->v[i].access;
}

/* Between a rule and a wider one of the same mind before it, no other may intervene. */
static bool is_repeated(const struct device_rules *d, size_t i)
{
	for (size_t k = i; k-- > 0;) {
		if (d->v[k].allow != d->v[i].allow)
			return false;
		if (covers(&d->v[k], &d->v[i]))
			return true;
	}
	/* nothing but rules of its own mind before it, and the default is of that mind too */
	return d->allow == d->v[i].allow;
}

static void drop(struct device_rules *d, size_t i)
{
	d->n--;
	for (; i < d->n; i++)
		d->v[i] = d->v[i + 1];
}

void device_rules_reduce(struct device_rules *d)
{
	for (size_t i = d->n; i-- > 0;)
		if (is_overridden(d, i))
			drop(d, i);
	/* only the first can be left over as one that speaks of everything */
	if (d->n && is_everything(&d->v[0])) {
		d->allow = d->v[0].allow;
		drop(d, 0);
	}
	for (size_t i = 0; i < d->n;)
		if (is_repeated(d, i))
			drop(d, i);
		else
			i++;
}

bool device_rules_allow_all(const struct device_rules *d)
{
	return d->allow && !d->n;
}

/* --- v1 --------------------------------------------------------------------------------------- */

static const char *number(struct arena *a, int64_t n)
{
	return n == DEVICE_ANY ? "*" : arena_printf(a, "%" PRId64, n);
}

static void put_v1(struct ctl_out *o, const struct device_rule *r, char type)
{
	ctl_put(o, "devices", r->allow ? "devices.allow" : "devices.deny", "%c %s:%s %s%s%s", type,
		number(o->arena, r->major), number(o->arena, r->minor),
		r->access & DEVICE_READ ? "r" : "", r->access & DEVICE_WRITE ? "w" : "",
		r->access & DEVICE_MKNOD ? "m" : "");
}

int device_v1_make(struct ctl_out *o, const struct device_rules *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].allow == d->allow)
			return err_user(o->err, FIELD,
					FIELD ": a rule that takes back part of another cannot be "
					      "expressed on a host with cgroup v1 alone");
	ctl_put(o, "devices", d->allow ? "devices.allow" : "devices.deny", "a");
	for (size_t i = 0; i < d->n; i++) {
		/* in the kernel's lists 'a' means everything, whatever follows it */
		if (d->v[i].type != 'c')
			put_v1(o, &d->v[i], 'b');
		if (d->v[i].type != 'b')
			put_v1(o, &d->v[i], 'c');
	}
	return 0;
}
