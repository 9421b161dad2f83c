/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_memory - limits of memory and swap; config-linux.md "Memory"
 *
 * In the configuration swap means memory and swap together, as v1 counts; v2 counts
 * swap alone. -1 is "no limit", 0 is "not set", as callers send it.
 */
#include <inttypes.h>

#include "cgroup/ctl.h"

#define GROUP_LIMIT 1

static int swap_error(struct ctl_out *o, const char *why)
{
	return err_user(o->err, "linux.resources.memory.swap", "linux.resources.memory.swap: %s",
			why);
}

/*
 * Memory without limit and no word about swap means both without limit, as it did on
 * v1, where memory could not be set above memory and swap.
 */
static int64_t wanted_swap(const struct oci_linux_memory *m)
{
	return m->limit == -1 && !m->swap ? -1 : m->swap;
}

static void put_deprecated(struct ctl_out *o, const struct oci_linux_memory *m)
{
	/* since Linux 5.16 a write to kmem.limit_in_bytes is refused; 0 has no meaning */
	if (m->kernel)
		ctl_ignored(o, "memory.kernel", "kernels have refused it since 5.16");
}

static int memory_v1(struct ctl_out *o, const struct oci_linux_resources *r)
{
	const struct oci_linux_memory *m = r->memory;
	int64_t swap;

	if (!m)
		return 0;
	swap = wanted_swap(m);
	if (m->limit > 0 && swap > 0 && swap < m->limit)
		return swap_error(o, "memory and swap together are less than memory alone");
	put_deprecated(o, m);
	if (m->limit)
		ctl_put_limit(o, "memory.limit", "memory.limit_in_bytes", "-1", m->limit)->group =
			GROUP_LIMIT;
	if (swap) {
		ctl_put_limit(o, "memory.swap", "memory.memsw.limit_in_bytes", "-1", swap)->group =
			GROUP_LIMIT;
	}
	if (m->reservation)
		ctl_put_limit(o, "memory.reservation", "memory.soft_limit_in_bytes", "-1",
			      m->reservation);
	if (m->kernel_tcp)
		ctl_put_limit(o, "memory.kernelTCP", "memory.kmem.tcp.limit_in_bytes", "-1",
			      m->kernel_tcp);
	/* docker says "not set" by -1, which arrives as the largest number */
	if (m->has_swappiness && m->swappiness != UINT64_MAX)
		ctl_put(o, "memory.swappiness", "memory.swappiness", "%" PRIu64, m->swappiness);
	if (m->disable_oom_killer)
		ctl_put(o, "memory.disableOOMKiller", "memory.oom_control", "1");
	if (m->use_hierarchy)
		ctl_put(o, "memory.useHierarchy", "memory.use_hierarchy", "1");
	return 0;
}

/* Swap alone: what is left of memory and swap when memory is taken away. */
static int swap_alone(struct ctl_out *o, const struct oci_linux_memory *m, int64_t *ret)
{
	int64_t swap = wanted_swap(m);

	if (swap > 0 && m->limit != -1) {
		if (m->limit <= 0)
			return swap_error(o, "needs a limit of memory, because cgroup v2 counts "
					     "swap alone");
		if (swap < m->limit)
			return swap_error(o, "memory and swap together are less than memory "
					     "alone");
		swap -= m->limit;
	}
	*ret = swap;
	return 0;
}

static int put_swap_v2(struct ctl_out *o, const struct oci_linux_memory *m)
{
	struct cgroup_value *v;
	int64_t swap = 0;

	if (!m->swap && m->limit != -1)
		return 0;
	if (swap_alone(o, m, &swap) < 0)
		return -o->err->code;
	v = ctl_put_limit(o, "memory.swap", "memory.swap.max", "max", swap);
	v->group = GROUP_LIMIT;
	v->optional = swap <= 0; /* a kernel without swap gives none, and cannot run out of it */
	return 0;
}

/* v2 itself would rather kill than refuse. */
static void put_check(struct ctl_out *o, const char *field, int64_t limit)
{
	if (limit > 0)
		ctl_put(o, field, "memory.current", "%" PRId64, limit)->op = CGROUP_USAGE_BELOW;
}

static int memory_v2(struct ctl_out *o, const struct oci_linux_resources *r)
{
	const struct oci_linux_memory *m = r->memory;

	if (!m)
		return 0;
	put_deprecated(o, m);
	if (m->kernel_tcp)
		ctl_ignored(o, "memory.kernelTCP", NO_EQUIVALENT);
	if (m->has_swappiness && m->swappiness != UINT64_MAX)
		ctl_ignored(o, "memory.swappiness", NO_EQUIVALENT);
	if (m->disable_oom_killer)
		ctl_ignored(o, "memory.disableOOMKiller", NO_EQUIVALENT);
	/* useHierarchy: v2 knows nothing else */
	if (m->check_before_update) {
		put_check(o, "memory.swap", m->swap);
		put_check(o, "memory.limit", m->limit);
	}
	if (put_swap_v2(o, m) < 0)
		return -o->err->code;
	if (m->limit)
		ctl_put_limit(o, "memory.limit", "memory.max", "max", m->limit)->group =
			GROUP_LIMIT;
	if (m->reservation)
		ctl_put_limit(o, "memory.reservation", "memory.low", "max", m->reservation);
	return 0;
}

const struct ctl ctl_memory = {
	.name = "memory", .v1_name = "memory", .v1 = memory_v1, .v2 = memory_v2
};
