/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unit_properties - linux.resources and annotations as properties of a unit; pure
 *
 * systemd.resource-control(5), org.freedesktop.systemd1(5). What has a property is given
 * as one, or systemd would undo it at the next reload; the files are written all the same
 * afterwards, with the exact values. Properties that came after version 239 are optional, and
 * those with values that it may not take, but the kernel does.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cgroup/ctl.h"
#include "cgroup/unit.h"

#define ANNOTATION     "org.systemd.property."
#define US_PER_S       UINT64_C(1000000)
#define QUOTA_STEP_US  10000 /* systemd rounds up to 10 ms a second */
#define PERIOD_DEFAULT 100000
#define CPUS_MAX       8192
#define TASKS_MIN      1 /* systemd takes no 0, which lets init alone live as well */

/* The later word counts, as it does in the files: memory.limit and "memory.max" of unified. */
static struct unit_property *slot(struct arena *a, struct unit_properties *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (str_eq(p->v[i].name, name))
			return &p->v[i];
	return vec_push(a, p);
}

static struct unit_property *add(struct arena *a, struct unit_properties *p, const char *name,
				 const char *signature, size_t n)
{
	struct unit_property *x = slot(a, p, name);

	*x = (struct unit_property){ .name = name };

	x->signature = signature;
	x->tokens = arena_new_n(a, n, const char *);
	x->n = n;
	return x;
}

static struct unit_property *put(struct arena *a, struct unit_properties *p, const char *name,
				 char type, const char *text)
{
	struct unit_property *x = add(a, p, name, arena_printf(a, "%c", type), 1);

	x->tokens[0] = text;
	return x;
}

struct unit_property *unit_put(struct arena *a, struct unit_properties *p, const char *name,
			       char type, const char *fmt, ...)
{
	struct unit_property *x;
	va_list ap;

	va_start(ap, fmt);
	x = put(a, p, name, type, arena_vprintf(a, fmt, ap));
	va_end(ap);
	return x;
}

/* A limit of type t, where UINT64_MAX stands for none and 0 sets nothing. */
static void put_limit(struct arena *a, struct unit_properties *p, const char *name, int64_t v)
{
	if (v)
		unit_put(a, p, name, 't', "%" PRIu64, v < 0 ? UINT64_MAX : (uint64_t)v);
}

/* --- cpu -------------------------------------------------------------------------------------- */

static uint64_t per_second(int64_t quota, uint64_t period)
{
	uint64_t us = (uint64_t)quota * US_PER_S / period;

	return (us + QUOTA_STEP_US - 1) / QUOTA_STEP_US * QUOTA_STEP_US;
}

static void put_quota(struct arena *a, struct unit_properties *p, int64_t quota, uint64_t period)
{
	if (period)
		unit_put(a, p, "CPUQuotaPeriodUSec", 't', "%" PRIu64, period)->optional = true;
	if (quota < 0)
		put_limit(a, p, "CPUQuotaPerSecUSec", -1);
	else if (quota > 0)
		unit_put(a, p, "CPUQuotaPerSecUSec", 't', "%" PRIu64,
			 per_second(quota, period ? period : PERIOD_DEFAULT));
}

bool unit_parse_cpu_max(const char *text, int64_t *ret_quota, uint64_t *ret_period)
{
	char word[32];
	size_t n = strcspn(text, " ");

	*ret_quota = -1;
	*ret_period = 0;
	if (n >= sizeof(word))
		return false;
	memcpy(word, text, n);
	word[n] = '\0';
	if (!str_eq(word, "max") && (str_to_i64(word, ret_quota) < 0 || *ret_quota <= 0))
		return false;
	return !text[n] || str_to_u64(text + n + 1, ret_period) == 0;
}

/* "0-2,7" as bytes of a bit mask, lowest first. */
static int put_mask(struct arena *a, struct unit_properties *p, const char *name, const char *list,
		    struct err *e)
{
	unsigned char mask[CPUS_MAX / 8] = { 0 };
	struct unit_property *x;
	size_t used = 0;
	char *end;

	for (const char *at = list; *at; at = *end == ',' ? end + 1 : end) {
		unsigned long first = strtoul(at, &end, 10), last = first;

		if (end != at && *end == '-')
			last = strtoul(end + 1, &end, 10);
		if (end == at || (*end && *end != ',') || last < first || last >= CPUS_MAX)
			return err_user(e, list, "linux.resources.cpu: '%s' is no list", list);
		for (; first <= last; first++)
			mask[first / 8] |= (unsigned char)(1U << first % 8);
		used = last / 8 + 1 > used ? last / 8 + 1 : used;
	}
	x = add(a, p, name, "ay", used + 1);
	x->optional = true;
	x->tokens[0] = arena_printf(a, "%zu", used);
	for (size_t i = 0; i < used; i++)
		x->tokens[i + 1] = arena_printf(a, "%u", mask[i]);
	return 0;
}

static int put_cpu(struct arena *a, struct unit_properties *p, const struct oci_linux_cpu *c,
		   bool v2, struct err *e)
{
	if (!c)
		return 0;
	/* weight 0 is the word for idle, since version 252 */
	if (c->has_idle && c->idle == 1 && v2) {
		put(a, p, "CPUWeight", 't', "0")->optional = true;
	} else if (c->shares && v2) {
		unit_put(a, p, "CPUWeight", 't', "%" PRIu64, ctl_weight_of_shares(c->shares));
	} else if (c->shares) {
		unit_put(a, p, "CPUShares", 't', "%" PRIu64, c->shares)->optional = true;
	}
	put_quota(a, p, c->quota, c->period);
	if (v2 && c->cpus && *c->cpus && put_mask(a, p, "AllowedCPUs", c->cpus, e) < 0)
		return -e->code;
	if (v2 && c->mems && *c->mems && put_mask(a, p, "AllowedMemoryNodes", c->mems, e) < 0)
		return -e->code;
	return 0;
}

/* --- memory ----------------------------------------------------------------------------------- */

static void put_memory(struct arena *a, struct unit_properties *p, const struct oci_linux_memory *m,
		       bool v2)
{
	if (!m)
		return;
	put_limit(a, p, v2 ? "MemoryMax" : "MemoryLimit", m->limit);
	if (!v2)
		return;
	put_limit(a, p, "MemoryLow", m->reservation);
	/* swap is memory and swap together here, and swap alone there; ctl_memory.c checks it */
	if (m->swap < 0 || (m->limit < 0 && !m->swap))
		put_limit(a, p, "MemorySwapMax", -1);
	else if (m->swap > 0 && m->limit > 0 && m->swap >= m->limit)
		unit_put(a, p, "MemorySwapMax", 't', "%" PRId64, m->swap - m->limit);
}

/* --- io --------------------------------------------------------------------------------------- */

static void put_device(struct arena *a, struct unit_properties *p, const char *name, int64_t major,
		       int64_t minor, uint64_t v)
{
	struct unit_property *x = NULL;
	const char **longer;

	/* one property for all devices */
	for (size_t i = 0; i < p->n && !x; i++)
		if (str_eq(p->v[i].name, name))
			x = &p->v[i];
	if (!x) {
		x = add(a, p, name, "a(st)", 1);
		x->tokens[0] = "0";
		x->optional = true;
	}
	longer = arena_new_n(a, x->n + 2, const char *);
	memcpy(longer, x->tokens, x->n * sizeof(*longer));
	longer[0] = arena_printf(a, "%zu", (x->n + 1) / 2);
	longer[x->n] = arena_printf(a, "/dev/block/%" PRId64 ":%" PRId64, major, minor);
	longer[x->n + 1] = arena_printf(a, "%" PRIu64, v);
	x->tokens = longer;
	x->n += 2;
}

static void put_throttles(struct arena *a, struct unit_properties *p, const char *name,
			  struct oci_linux_throttle_device *const *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put_device(a, p, name, rows[i]->major, rows[i]->minor,
			   rows[i]->rate ? rows[i]->rate : UINT64_MAX);
}

static void put_io(struct arena *a, struct unit_properties *p, const struct oci_linux_block_io *b,
		   bool v2)
{
	if (!b)
		return;
	if (b->weight && v2)
		unit_put(a, p, "IOWeight", 't', "%u", ctl_weight_of_blkio(b->weight));
	else if (b->weight)
		unit_put(a, p, "BlockIOWeight", 't', "%u", (unsigned)b->weight)->optional = true;
	if (!v2)
		return;
	for (size_t i = 0; i < b->n_weight_device; i++)
		if (b->weight_device[i]->weight)
			put_device(a, p, "IODeviceWeight", b->weight_device[i]->major,
				   b->weight_device[i]->minor,
				   ctl_weight_of_blkio(b->weight_device[i]->weight));
	put_throttles(a, p, "IOReadBandwidthMax", b->throttle_read_bps_device,
		      b->n_throttle_read_bps_device);
	put_throttles(a, p, "IOWriteBandwidthMax", b->throttle_write_bps_device,
		      b->n_throttle_write_bps_device);
	put_throttles(a, p, "IOReadIOPSMax", b->throttle_read_iops_device,
		      b->n_throttle_read_iops_device);
	put_throttles(a, p, "IOWriteIOPSMax", b->throttle_write_iops_device,
		      b->n_throttle_write_iops_device);
}

/* --- unified ---------------------------------------------------------------------------------- */

static const struct {
	const char *file, *property;
} numbers[] = {
	{ "memory.max", "MemoryMax" },
	{ "memory.high", "MemoryHigh" },
	{ "memory.low", "MemoryLow" },
	{ "memory.min", "MemoryMin" },
	{ "memory.swap.max", "MemorySwapMax" },
	{ "cpu.weight", "CPUWeight" },
	{ "pids.max", "TasksMax" },
};

/* What has no property, or a value that is none, is left to the file. */
static int put_unified(struct arena *a, struct unit_properties *p, const char *file,
		       const char *text, struct err *e)
{
	uint64_t n, period;
	int64_t quota;

	for (size_t i = 0; i < COUNT(numbers); i++)
		if (str_eq(numbers[i].file, file)) {
			n = UINT64_MAX;
			if (!str_eq(text, "max") && str_to_u64(text, &n) < 0)
				return 0;
			if (str_eq(file, "pids.max"))
				n = n ? n : TASKS_MIN;
			unit_put(a, p, numbers[i].property, 't', "%" PRIu64, n)->optional = true;
			return 0;
		}
	if (str_eq(file, "cpu.max") && unit_parse_cpu_max(text, &quota, &period))
		put_quota(a, p, quota, period);
	else if (str_eq(file, "cpuset.cpus"))
		return put_mask(a, p, "AllowedCPUs", text, e);
	else if (str_eq(file, "cpuset.mems"))
		return put_mask(a, p, "AllowedMemoryNodes", text, e);
	else if (str_eq(file, "memory.oom.group"))
		put(a, p, "OOMPolicy", 's', str_eq(text, "1") ? "kill" : "continue")->optional =
			true;
	return 0;
}

int unit_put_resources(struct arena *a, struct unit_properties *p,
		       const struct oci_linux_resources *r, bool v2, struct err *e)
{
	if (put_cpu(a, p, r->cpu, v2, e) < 0)
		return -e->code;
	put_memory(a, p, r->memory, v2);
	put_io(a, p, r->block_io, v2);
	if (r->pids && r->pids->has_limit)
		put_limit(a, p, "TasksMax", r->pids->limit ? r->pids->limit : TASKS_MIN);
	for (size_t i = 0; v2 && r->unified && i < r->unified->n; i++)
		if (put_unified(a, p, r->unified->entries[i].key, r->unified->entries[i].value, e) <
		    0)
			return -e->code;
	return 0;
}

/* --- annotations ------------------------------------------------------------------------------ */

/* TimeoutStopSec=5 of unit files is TimeoutStopUSec=5000000 on the bus. */
static int convert_seconds(struct arena *a, struct unit_property *x, struct err *e)
{
	size_t n = strlen(x->name) - strlen("Sec");
	double seconds;

	if (!str_ends(x->name, "Sec") || str_ends(x->name, "USec"))
		return 0;
	if (x->n != 1 || !strchr("iuxtdnqy", *x->signature))
		return err_user(e, x->name, "a number is expected");
	seconds = strtod(x->tokens[0], NULL);
	if (seconds < 0 || seconds > (double)(INT64_MAX / (int64_t)US_PER_S))
		return err_user(e, x->name, "'%s' is out of range", x->tokens[0]);
	x->name = arena_printf(a, "%.*sUSec", (int)n, x->name);
	x->signature = "t";
	x->tokens[0] = arena_printf(a, "%" PRIu64, (uint64_t)(seconds * (double)US_PER_S));
	return 0;
}

static bool is_property_name(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");

	return n && !name[n] && name[0] >= 'A' && name[0] <= 'Z';
}

/* What runs commands, starts other units or ends the machine is no property of a container. */
static bool acts_on_host(const char *name)
{
	static const char *const whole[] = { "OnFailure", "OnSuccess", "RebootArgument",
					     "Triggers" };
	size_t n = strlen(name), action = strlen("Action");

	for (size_t i = 0; i < COUNT(whole); i++)
		if (str_eq(name, whole[i]))
			return true;
	return str_starts(name, "Exec") || (n > action && str_eq(name + n - action, "Action"));
}

int unit_put_annotations(struct arena *a, struct unit_properties *p,
			 const struct oci_string_map *annotations, struct err *e)
{
	for (size_t i = 0; annotations && i < annotations->n; i++) {
		const char *key = annotations->entries[i].key;
		struct unit_property x = { 0 };

		if (!str_starts(key, ANNOTATION))
			continue;
		x.name = key + strlen(ANNOTATION);
		if (!is_property_name(x.name))
			return err_user(e, key, "annotations: '%s' names no property", key);
		if (acts_on_host(x.name))
			return err_user(e, key,
					"annotations: '%s' acts on the host, not on the container",
					key);
		if (unit_variant(a, annotations->entries[i].value, &x, e) < 0 ||
		    convert_seconds(a, &x, e) < 0)
			return err_note(e, "annotations: '%s'", key);
		/* it counts more than what we would set */
		*slot(a, p, x.name) = x;
	}
	return 0;
}

/* --- the whole -------------------------------------------------------------------------------- */

static void put_name(struct arena *a, struct unit_properties *p, const char *property,
		     const char *unit)
{
	struct unit_property *x = add(a, p, property, "as", 2);

	x->tokens[0] = "1";
	x->tokens[1] = unit;
}

int unit_properties_make(struct arena *a, const struct oci_config *config, const char *id,
			 const struct cgroup_unit *unit, bool v2, struct unit_properties **ret,
			 struct err *e)
{
	const struct oci_linux_resources *r = config->linux ? config->linux->resources : NULL;
	struct unit_properties *p = arena_new(a, struct unit_properties);

	unit_put(a, p, "Description", 's', "cleat container %s", id);
	if (str_ends(unit->unit, ".slice")) {
		put_name(a, p, "Wants", unit->slice);
	} else {
		unit_put(a, p, "Slice", 's', "%s", unit->slice);
		unit_put(a, p, "Delegate", 'b', "1");
	}
	unit_put(a, p, "DefaultDependencies", 'b', "0");
	unit_put(a, p, "CollectMode", 's', "inactive-or-failed")->optional = true;
	unit_put(a, p, "MemoryAccounting", 'b', "1");
	unit_put(a, p, "CPUAccounting", 'b', "1");
	unit_put(a, p, v2 ? "IOAccounting" : "BlockIOAccounting", 'b', "1");
	unit_put(a, p, "TasksAccounting", 'b', "1");
	if (r && unit_put_resources(a, p, r, v2, e) < 0)
		return -e->code;
	if (unit_put_annotations(a, p, config->annotations, e) < 0)
		return -e->code;
	*ret = p;
	return 0;
}
