/* SPDX-License-Identifier: Apache-2.0 */
/*
 * update - other limits for a living container
 *
 * All or nothing: the cgroup puts back what it wrote when a value is refused, and so do
 * we when a later step fails. What holds now is recorded, for a later update needs to
 * know it: memory and swap are given as one number.
 */
#include "base/log.h"
#include "container/internal.h"
#include "container/resources.h"

struct update {
	struct arena *arena;
	struct container *c;
	struct cgroup *cg;
	const struct update_options *options;
	const struct oci_linux_resources *before; /* or NULL */
	struct cgroup_change *change;		  /* what was written; NULL: nothing */
};

static bool is_empty(const struct oci_linux_resources *r)
{
	return !r->memory && !r->cpu && !r->pids && !r->block_io && !r->n_hugepage_limits &&
	       !r->network && !r->rdma && !r->unified;
}

/* What the last update recorded, else what create was given. */
static int find_before(struct update *u, struct err *e)
{
	const struct cleat_state_file *s = u->c->state;
	struct spec *spec;

	u->before = s->resources;
	if (s->resources)
		return 0;
	if (spec_load_copy(u->arena, u->c->dir.fd, s->bundle, &spec, e) < 0)
		return -e->code;
	u->before = spec->config->linux ? spec->config->linux->resources : NULL;
	return 0;
}

static int write_limits(struct update *u, struct err *e)
{
	const struct oci_linux_resources *r = u->options->resources;
	struct host host;

	if (is_empty(r))
		return 0;
	u->cg = container_cgroup(u->arena, u->c);
	if (!u->cg)
		return err_code(e, ENOTSUP, u->c->id,
				"container '%s' has no cgroup of its own to limit", u->c->id);
	host_probe(&host, HOST_CGROUPS);
	r = resources_complete(u->arena, u->before, r);
	if (cgroup_update(u->arena, u->cg, &host, r, &u->change, e) < 0)
		return err_note(e, "container '%s'", u->c->id);
	return 0;
}

static int write_rdt(struct update *u, struct err *e)
{
	const struct cleat_state_intel_rdt *rdt = u->c->state->intel_rdt;
	const struct update_options *o = u->options;
	struct rdt_fs fs = RDT_NONE;
	int r;

	if (!o->l3_cache_schema && !o->mem_bw_schema)
		return 0;
	if (!rdt || !rdt->group)
		return err_user(e, u->c->id,
				"container '%s' was made without linux.intelRdt: it has no group "
				"whose schema could be changed",
				u->c->id);
	if (rdt_open(&fs, e) < 0)
		return -e->code;
	r = rdt_update(u->arena, &fs, rdt->group, o->l3_cache_schema, o->mem_bw_schema, e);
	dir_close(&fs.dir);
	return r;
}

static int write_record(struct update *u, struct err *e)
{
	struct cleat_state_file *s = u->c->state;

	if (is_empty(u->options->resources))
		return 0;
	s->resources = resources_merge(u->arena, u->before, u->options->resources);
	return record_write(u->arena, &u->c->dir, s, RECORD_CREATED, e);
}

static int update(struct update *u, struct err *e)
{
	int r = container_allows(u->c, VERB_UPDATE, e);

	if (r == 0)
		r = find_before(u, e);
	if (r == 0)
		r = write_limits(u, e);
	if (r == 0)
		r = write_rdt(u, e);
	if (r == 0)
		r = write_record(u, e);
	if (r < 0 && u->change)
		cgroup_update_undo(u->cg, u->change);
	return r;
}

int container_update(const struct context *ctx, const char *id, const struct update_options *o,
		     struct err *e)
{
	auto_arena a = arena_make();
	struct container c;
	struct update u = { .arena = &a, .c = &c, .options = o };
	int r = container_open_locked(&a, ctx, id, "update", &c, e);

	if (r < 0)
		return r;
	r = update(&u, e);
	cgroup_close(u.cg);
	container_close(&c);
	return r;
}
