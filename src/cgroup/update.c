/* SPDX-License-Identifier: Apache-2.0 */
/*
 * update - other values for a living container
 *
 * The values come from the plan of a container that has nothing but the resources given,
 * so update and create cannot differ in how they read them. Before the first write all
 * former values are read; when one is refused, they are written back.
 */
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "base/trace.h"
#include "cgroup/internal.h"

#define FILE_MAX    4096
#define UNDO_ROUNDS 3 /* values that bound each other may need the others first */

struct former {
	const struct cgroup_dir *dir;
	const char *file, *text;
	bool waiting;
};

struct cgroup_change {
	struct former *v;
	size_t n, cap;
};

struct update {
	struct arena *arena;
	struct cgroup *cg;
	struct oci_linux_resources resources; /* completed */
	struct oci_linux_cpu cpu;
	struct cgroup_plan plan;
	struct cgroup_change *change;
	struct err *err;
};

/* --- what to write ---------------------------------------------------------------------------- */

static bool read_quota(const struct cgroup *cg, int64_t *quota, uint64_t *period)
{
	const struct cgroup_dir *v1 = cgroup_dir_v1(cg, "cpu"), *v2 = cgroup_dir_v2(cg);
	char text[64], more[64];

	if (v1)
		return cgroup_read_file(cg, v1, "cpu.cfs_quota_us", text, sizeof(text)) > 0 &&
		       cgroup_read_file(cg, v1, "cpu.cfs_period_us", more, sizeof(more)) > 0 &&
		       str_to_i64(text, quota) == 0 && str_to_u64(more, period) == 0;
	return v2 && cgroup_read_file(cg, v2, "cpu.max", text, sizeof(text)) > 0 &&
	       unit_parse_cpu_max(text, quota, period);
}

/*
 * cpu.max is one file for two numbers, and systemd has one property for what they make
 * together: where one of them is given the other stays what it is.
 */
static void complete_quota(const struct cgroup *cg, struct oci_linux_cpu *cpu)
{
	uint64_t period;
	int64_t quota;

	if (!cpu->quota == !cpu->period || !read_quota(cg, &quota, &period))
		return;
	if (!cpu->period)
		cpu->period = period;
	else
		cpu->quota = quota;
}

/* What is to hold: @r, with what one of its values cannot be told without. */
static void complete(struct update *u, const struct oci_linux_resources *r)
{
	u->resources = *r;
	if (r->cpu) {
		u->cpu = *r->cpu;
		complete_quota(u->cg, &u->cpu);
		u->resources.cpu = &u->cpu;
	}
	/* 0 is a limit at create; here callers mean by it that nothing changes */
	if (r->pids && !r->pids->limit)
		u->resources.pids = NULL;
}

static int make_plan(struct update *u, const struct host *host)
{
	const struct cgroup_dir *first = cgroup_dir_main(u->cg);
	struct oci_linux l = { .resources = &u->resources, .cgroups_path = first->path };
	struct oci_config config = { .linux = &l };
	const struct spec spec = { .config = &config };
	const struct cgroup_plan_options opt = { .manager = CGROUP_FS, .id = "", .update = true };

	return cgroup_plan_make(u->arena, &spec, host, &opt, &u->plan, u->err);
}

static struct cgroup_dir *find_dir(const struct update *u, const struct cgroup_dir_plan *p)
{
	for (size_t i = 0; i < u->cg->n_dirs; i++) {
		struct cgroup_dir *d = &u->cg->dirs[i];

		if (!d->hierarchy == !p->hierarchy &&
		    (!d->hierarchy || str_eq(d->hierarchy, p->hierarchy)))
			return d;
	}
	return NULL;
}

/* --- what was there --------------------------------------------------------------------------- */

/* False: not there, or not readable, so there is nothing that could be put back. */
static bool add_text(struct update *u, const struct cgroup_dir *d, const char *file,
		     const char *value)
{
	char *old = arena_alloc(u->arena, FILE_MAX);
	const char *text;
	struct former *f;

	if (cgroup_read_file(u->cg, d, file, old, FILE_MAX) < 0)
		return false;
	text = cgroup_undo_text(u->arena, file, value, old);
	if (!text)
		return true;
	f = vec_push(u->arena, u->change);
	f->dir = d;
	f->file = file;
	f->text = text;
	return true;
}

static bool is_idle(const struct update *u, const struct cgroup_dir *d)
{
	char text[16];

	return cgroup_read_file(u->cg, d, "cpu.idle", text, sizeof(text)) > 0 && str_eq(text, "1");
}

/* One that becomes idle loses its shares; the kernel's for an idle one are not to be written. */
static void add_former(struct update *u, const struct cgroup_dir *d, const struct cgroup_value *v)
{
	const char *shares = d->hierarchy ? "cpu.shares" : "cpu.weight";
	bool idle = str_eq(v->file, "cpu.idle");

	if (v->op != CGROUP_WRITE || (str_eq(v->file, shares) && is_idle(u, d)))
		return;
	if (idle && !is_idle(u, d))
		add_text(u, d, shares, "");
	if (!add_text(u, d, v->file, v->value) && v->otherwise)
		add_former(u, d, v->otherwise);
}

static void add_formers(struct update *u, const struct cgroup_dir *d,
			const struct cgroup_dir_plan *p)
{
	for (size_t i = 0; i < p->n_early; i++)
		add_former(u, d, &p->early[i]);
	for (size_t i = 0; i < p->n_late; i++)
		add_former(u, d, &p->late[i]);
}

void cgroup_update_undo(const struct cgroup *cg, const struct cgroup_change *change)
{
	size_t waiting = change->n;
	int r = 0;

	for (size_t i = 0; i < change->n; i++)
		change->v[i].waiting = true;
	for (int round = 0; waiting && round < UNDO_ROUNDS; round++)
		for (size_t i = change->n; i-- > 0;) {
			struct former *f = &change->v[i];

			if (!f->waiting)
				continue;
			r = cgroup_write_file(cg, f->dir, f->file, f->text);
			trace(CGROUP, "put back %s = %s: %s", f->file, f->text, errno_name(-r));
			f->waiting = r < 0;
			waiting -= r >= 0;
		}
	for (size_t i = 0; i < change->n; i++)
		if (change->v[i].waiting)
			log_warning("%s cannot be set back to '%s'", change->v[i].file,
				    change->v[i].text);
}

/* --- the whole -------------------------------------------------------------------------------- */

static bool has_values(const struct cgroup_dir_plan *p)
{
	return p->n_early || p->n_late;
}

/* In the order that create has. */
static int write_all(struct update *u)
{
	for (size_t i = 0; i < u->plan.n_dirs; i++) {
		const struct cgroup_dir_plan *p = &u->plan.dirs[i];
		const struct cgroup_dir *d = find_dir(u, p);

		if (!has_values(p))
			continue;
		if (cgroup_write_values(u->cg, d, p->early, p->n_early, u->err) < 0 ||
		    cgroup_write_values(u->cg, d, p->late, p->n_late, u->err) < 0)
			return -u->err->code;
	}
	return 0;
}

static int prepare(struct update *u)
{
	for (size_t i = 0; i < u->plan.n_dirs; i++) {
		const struct cgroup_dir_plan *p = &u->plan.dirs[i];
		const struct cgroup_dir *d = find_dir(u, p);

		if (!has_values(p))
			continue;
		if (!d || d->absent)
			return err_code(u->err, ENOTSUP, p->path,
					"the container has no cgroup%s%s to change limits of",
					p->hierarchy ? " in the hierarchy " : "",
					p->hierarchy ? p->hierarchy : "");
		if (!d->hierarchy && cgroup_enable(u->cg, p->controllers, u->err) < 0)
			return -u->err->code;
		add_formers(u, d, p);
	}
	return 0;
}

/*
 * systemd would write its own values again at the next change, so it has to know the new
 * ones. It rounds them, and writes them at once; so ours are written after its own, and
 * before it is asked at all, since the kernel may refuse them.
 */
static int write_with_systemd(struct update *u, const struct host *host)
{
	bool v2 = host->cgroups == HOST_CGROUP_V2;

	if (write_all(u) < 0)
		return -u->err->code;
	if (u->cg->ops != &cgroup_systemd_ops || !u->cg->scope)
		return 0;
	if (cgroup_systemd_set(u->cg, &u->resources, v2, u->err) < 0)
		return -u->err->code;
	return write_all(u);
}

int cgroup_update(struct arena *a, struct cgroup *cg, const struct host *host,
		  const struct oci_linux_resources *r, struct cgroup_change **ret, struct err *e)
{
	struct update u = {
		.arena = a, .cg = cg, .change = arena_new(a, struct cgroup_change), .err = e
	};

	if (cgroup_is_none(cg) || !cgroup_matches(cg))
		return err_code(e, ENOTSUP, NULL, "the container has no cgroup of its own");
	complete(&u, r);
	if (make_plan(&u, host) < 0)
		return -e->code;
	for (size_t i = 0; i < u.plan.n_warnings; i++)
		log_warning("%s", u.plan.warnings[i]);
	if (prepare(&u) < 0)
		return -e->code;
	if (write_with_systemd(&u, host) < 0) {
		cgroup_update_undo(cg, u.change);
		return -e->code;
	}
	*ret = u.change;
	return 0;
}
