/* SPDX-License-Identifier: Apache-2.0 */
/* resources - two objects of linux.resources become one */
#include "base/str.h"
#include "container/resources.h"

#define SHARES_DEFAULT 1024 /* the kernel's; for systemd, which knows idle as a weight only */

/* --- values ----------------------------------------------------------------------------------- */

/* Zero is "as it is". */
#define TAKE(field)                            \
	do {                                   \
		if (now->field) {              \
			m->field = now->field; \
			m->has_##field = true; \
		}                              \
	} while (0)

/* Zero is a value. */
#define TAKE_GIVEN(field)                      \
	do {                                   \
		if (now->has_##field) {        \
			m->field = now->field; \
			m->has_##field = true; \
		}                              \
	} while (0)

static struct oci_linux_memory *merge_memory(struct arena *a, const struct oci_linux_memory *old,
					     const struct oci_linux_memory *now)
{
	struct oci_linux_memory *m = arena_new(a, struct oci_linux_memory);

	if (old)
		*m = *old;
	if (!now)
		return old ? m : NULL;
	TAKE(limit);
	TAKE(reservation);
	TAKE(swap);
	/* memory without a limit takes the one of swap away as well: ctl_memory.c */
	if (now->limit == -1 && !now->swap) {
		m->swap = -1;
		m->has_swap = true;
	}
	TAKE(kernel);
	TAKE(kernel_tcp);
	TAKE_GIVEN(swappiness);
	TAKE_GIVEN(disable_oom_killer);
	TAKE_GIVEN(use_hierarchy);
	TAKE_GIVEN(check_before_update);
	return m;
}

static struct oci_linux_cpu *merge_cpu(struct arena *a, const struct oci_linux_cpu *old,
				       const struct oci_linux_cpu *now)
{
	struct oci_linux_cpu *m = arena_new(a, struct oci_linux_cpu);

	if (old)
		*m = *old;
	if (!now)
		return old ? m : NULL;
	TAKE(shares);
	TAKE(quota);
	TAKE_GIVEN(burst);
	TAKE(period);
	TAKE(realtime_runtime);
	TAKE(realtime_period);
	TAKE_GIVEN(idle);
	if (now->cpus && *now->cpus)
		m->cpus = now->cpus;
	if (now->mems && *now->mems)
		m->mems = now->mems;
	return m;
}

/* --- lists ------------------------------------------------------------------------------------ */

struct list {
	void *const *v;
	size_t n;
};

/* Old ones that no new one stands for, then the new ones. */
static void *merge_list(struct arena *a, struct list old, struct list now,
			bool (*same)(const void *, const void *), size_t *ret_n)
{
	void **all = arena_new_n(a, old.n + now.n, void *);
	size_t n = 0;

	for (size_t i = 0; i < old.n; i++) {
		bool again = false;

		for (size_t k = 0; k < now.n; k++)
			again |= same(old.v[i], now.v[k]);
		if (!again)
			all[n++] = old.v[i];
	}
	for (size_t k = 0; k < now.n; k++)
		all[n++] = now.v[k];
	*ret_n = n;
	return n ? all : NULL;
}

#define LIST(object, field) ((struct list){ (void *const *)(object)->field, (object)->n_##field })
#define MERGE(field, same) \
	m->field = merge_list(a, LIST(old, field), LIST(now, field), (same), &m->n_##field)

static bool same_weight(const void *a, const void *b)
{
	const struct oci_linux_weight_device *x = a, *y = b;

	return x->major == y->major && x->minor == y->minor;
}

static bool same_throttle(const void *a, const void *b)
{
	const struct oci_linux_throttle_device *x = a, *y = b;

	return x->major == y->major && x->minor == y->minor;
}

static bool same_page_size(const void *a, const void *b)
{
	const struct oci_linux_hugepage_limit *x = a, *y = b;

	return str_eq(x->page_size, y->page_size);
}

static struct oci_linux_block_io *merge_io(struct arena *a, const struct oci_linux_block_io *old,
					   const struct oci_linux_block_io *now)
{
	static const struct oci_linux_block_io nothing;
	struct oci_linux_block_io *m = arena_new(a, struct oci_linux_block_io);

	if (!old && !now)
		return NULL;
	old = old ? old : &nothing;
	now = now ? now : &nothing;
	*m = *old;
	TAKE(weight);
	TAKE(leaf_weight);
	MERGE(weight_device, same_weight);
	MERGE(throttle_read_bps_device, same_throttle);
	MERGE(throttle_write_bps_device, same_throttle);
	MERGE(throttle_read_iops_device, same_throttle);
	MERGE(throttle_write_iops_device, same_throttle);
	return m;
}

/* Maps of either kind: what @now names takes the place of what @old has by that name. */
#define MERGE_MAP(member, type, entry)                                                          \
	static struct type *merge_##member(struct arena *a, struct type *old, struct type *now) \
	{                                                                                       \
		struct type *m = arena_new(a, struct type);                                     \
                                                                                                \
		if (!old || !now)                                                               \
			return now ? now : old;                                                 \
		m->entries = arena_new_n(a, old->n + now->n, struct entry);                     \
		for (size_t i = 0; i < old->n; i++) {                                           \
			size_t k = 0;                                                           \
                                                                                                \
			while (k < now->n && !str_eq(old->entries[i].key, now->entries[k].key)) \
				k++;                                                            \
			if (k == now->n)                                                        \
				m->entries[m->n++] = old->entries[i];                           \
		}                                                                               \
		for (size_t k = 0; k < now->n; k++)                                             \
			m->entries[m->n++] = now->entries[k];                                   \
		return m;                                                                       \
	}

MERGE_MAP(unified, oci_string_map, oci_string_entry)
MERGE_MAP(rdma, oci_linux_rdma_map, oci_linux_rdma_entry)

/* --- the whole -------------------------------------------------------------------------------- */

struct oci_linux_resources *resources_merge(struct arena *a, const struct oci_linux_resources *old,
					    const struct oci_linux_resources *now)
{
	static const struct oci_linux_resources nothing;
	struct oci_linux_resources *m = arena_new(a, struct oci_linux_resources);

	old = old ? old : &nothing;
	*m = *old;
	m->memory = merge_memory(a, old->memory, now->memory);
	m->cpu = merge_cpu(a, old->cpu, now->cpu);
	m->block_io = merge_io(a, old->block_io, now->block_io);
	if (now->pids && now->pids->limit)
		m->pids = now->pids;
	MERGE(hugepage_limits, same_page_size);
	if (now->network)
		m->network = now->network;
	m->rdma = merge_rdma(a, old->rdma, now->rdma);
	m->unified = merge_unified(a, old->unified, now->unified);
	return m;
}

static struct oci_linux_memory *complete_memory(struct arena *a,
						const struct oci_linux_memory *before,
						struct oci_linux_memory *now)
{
	struct oci_linux_memory *m = arena_new(a, struct oci_linux_memory);

	if (!now || !before)
		return now;
	*m = *now;
	/* not where memory without a limit takes it away: see merge_memory() */
	if (m->limit && m->limit != -1 && !m->swap)
		m->swap = before->swap;
	if (m->swap && !m->limit)
		m->limit = before->limit;
	return m;
}

/* The kernel gives an idle group no shares, and the default to one that is idle no longer. */
static struct oci_linux_cpu *complete_cpu(struct arena *a, const struct oci_linux_cpu *before,
					  struct oci_linux_cpu *now)
{
	struct oci_linux_cpu *c = arena_new(a, struct oci_linux_cpu);

	if (!now || !before || before->idle != 1)
		return now;
	*c = *now;
	if (c->shares && !c->has_idle) {
		c->idle = before->idle;
		c->has_idle = true;
	}
	if (c->has_idle && c->idle == 0 && !c->shares)
		c->shares = before->shares ? before->shares : SHARES_DEFAULT;
	return c;
}

struct oci_linux_resources *resources_complete(struct arena *a,
					       const struct oci_linux_resources *old,
					       const struct oci_linux_resources *now)
{
	struct oci_linux_resources *r = arena_new(a, struct oci_linux_resources);

	*r = *now;
	if (old) {
		r->memory = complete_memory(a, old->memory, now->memory);
		r->cpu = complete_cpu(a, old->cpu, now->cpu);
	}
	return r;
}
