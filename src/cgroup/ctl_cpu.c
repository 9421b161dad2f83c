/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_cpu - shares, quota, realtime, idle; config-linux.md "CPU", sched(7)
 *
 * Callers send 0 for "not set" (docker fills every field), so 0 is left alone where
 * it is no value anyway; burst and idle are told by their presence.
 */
#include <inttypes.h>

#include "cgroup/ctl.h"

#define GROUP_QUOTA    1
#define GROUP_REALTIME 2

#define SHARES_MIN     2
#define SHARES_MAX     262144
#define WEIGHT_MAX     10000
#define PERIOD_DEFAULT 100000 /* us; kernel/sched: default_cfs_period() */

/* log2(x) of 1 <= x < 2^63: squaring doubles the logarithm, so each round gives a bit. */
static double log2_of(uint64_t x)
{
	int whole = 63 - __builtin_clzll(x);
	double m = (double)x / (double)(1ULL << whole), l = whole;

	double bit = 1;

	for (int i = 0; i < 40; i++) {
		bit /= 2;
		m *= m;
		if (m >= 2) {
			m /= 2;
			l += bit;
		}
	}
	return l;
}

/* 10^x of 0 <= x <= 4, by the series of e^x, which is short for a small part of x */
static double power_of_10(double x)
{
	double t = x * 2.302585092994046 / 64, term = 1, sum = 1;

	for (int i = 1; i < 16; i++) {
		term *= t / i;
		sum += term;
	}
	for (int i = 0; i < 6; i++)
		sum *= sum;
	return sum;
}

/*
 * The curve that keeps the ends and the middle (2 -> 1, 1024 -> 100, 262144 -> 10000),
 * which the older linear formula did not: 10^((l^2 + 125 l) / 612 - 7/34), l = log2(shares),
 * rounded up. Without libm, which would add 20 kB to the program for this one number.
 */
uint64_t ctl_weight_of_shares(uint64_t shares)
{
	double l, weight;
	uint64_t down;

	if (shares == 0)
		return 0;
	if (shares <= SHARES_MIN)
		return 1;
	if (shares >= SHARES_MAX)
		return WEIGHT_MAX;
	l = log2_of(shares);
	weight = power_of_10((l * l + 125 * l - 126) / 612);
	down = (uint64_t)(weight + 1e-6); /* whole weights are exact but for the last digits */
	return weight - (double)down > 1e-6 ? down + 1 : down;
}

static int check_burst(struct ctl_out *o, const struct oci_linux_cpu *c)
{
	if (c->has_burst && c->has_quota && c->quota > 0 && c->burst > (uint64_t)c->quota)
		return err_user(o->err, "linux.resources.cpu.burst",
				"linux.resources.cpu.burst: %" PRIu64
				" is above the quota %" PRId64,
				c->burst, c->quota);
	return 0;
}

static void put_group(struct cgroup_value *v, unsigned group)
{
	v->group = group;
}

/* Before shares: the kernel takes none for an idle group, and one that becomes idle loses them. */
static void put_idle(struct ctl_out *o, const struct oci_linux_cpu *c)
{
	if (c->has_idle)
		ctl_put(o, "cpu.idle", "cpu.idle", "%" PRId64, c->idle)->optional = c->idle == 0;
}

/* The realtime values come first: a realtime process may only join a group that has some. */
static int cpu_v1(struct ctl_out *o, const struct oci_linux_resources *r)
{
	const struct oci_linux_cpu *c = r->cpu;

	if (!c)
		return 0;
	if (check_burst(o, c) < 0)
		return -o->err->code;
	if (c->realtime_period)
		put_group(ctl_put(o, "cpu.realtimePeriod", "cpu.rt_period_us", "%" PRIu64,
				  c->realtime_period),
			  GROUP_REALTIME);
	if (c->realtime_runtime)
		put_group(ctl_put(o, "cpu.realtimeRuntime", "cpu.rt_runtime_us", "%" PRId64,
				  c->realtime_runtime),
			  GROUP_REALTIME);
	put_idle(o, c);
	if (c->shares && c->idle != 1)
		ctl_put(o, "cpu.shares", "cpu.shares", "%" PRIu64, c->shares);
	if (c->period)
		put_group(ctl_put(o, "cpu.period", "cpu.cfs_period_us", "%" PRIu64, c->period),
			  GROUP_QUOTA);
	if (c->quota)
		put_group(ctl_put_limit(o, "cpu.quota", "cpu.cfs_quota_us", "-1", c->quota),
			  GROUP_QUOTA);
	if (c->has_burst)
		put_group(ctl_put(o, "cpu.burst", "cpu.cfs_burst_us", "%" PRIu64, c->burst),
			  GROUP_QUOTA);
	return 0;
}

static void put_max(struct ctl_out *o, const struct oci_linux_cpu *c)
{
	const char *field = c->quota ? "cpu.quota" : "cpu.period";
	uint64_t period = c->period ? c->period : PERIOD_DEFAULT;
	struct cgroup_value *v;

	if (!c->quota && !c->period)
		return;
	if (c->quota > 0)
		v = ctl_put(o, field, "cpu.max", "%" PRId64 " %" PRIu64, c->quota, period);
	else
		v = ctl_put(o, field, "cpu.max", "max %" PRIu64, period);
	v->group = GROUP_QUOTA;
	v->optional = c->quota <= 0; /* no limit */
}

static int cpu_v2(struct ctl_out *o, const struct oci_linux_resources *r)
{
	const struct oci_linux_cpu *c = r->cpu;

	if (!c)
		return 0;
	if (check_burst(o, c) < 0)
		return -o->err->code;
	if (c->realtime_period)
		ctl_ignored(o, "cpu.realtimePeriod", NO_EQUIVALENT);
	if (c->realtime_runtime)
		ctl_ignored(o, "cpu.realtimeRuntime", NO_EQUIVALENT);
	put_idle(o, c);
	if (c->shares && c->idle != 1)
		ctl_put(o, "cpu.shares", "cpu.weight", "%" PRIu64, ctl_weight_of_shares(c->shares));
	put_max(o, c);
	if (c->has_burst)
		put_group(ctl_put(o, "cpu.burst", "cpu.max.burst", "%" PRIu64, c->burst),
			  GROUP_QUOTA);
	return 0;
}

const struct ctl ctl_cpu = { .name = "cpu", .v1_name = "cpu", .v1 = cpu_v1, .v2 = cpu_v2 };
