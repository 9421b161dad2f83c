/* SPDX-License-Identifier: Apache-2.0 */
/* stats - each controller where it is; pressure, which only the v2 tree has */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cgroup/stats_read.h"
#include "sys/sys.h"

/* The directory of a controller: its v1 hierarchy if there is one. */
static bool use_v1(struct stats_reader *r, const char *controller)
{
	r->dir = cgroup_dir_v1(r->cg, controller);
	return r->dir != NULL;
}

static bool use_v2(struct stats_reader *r)
{
	r->dir = cgroup_dir_v2(r->cg);
	return r->dir != NULL;
}

static void read_cpu(struct stats_reader *r, struct cgroup_cpu_stats *ret)
{
	bool v1 = use_v1(r, "cpuacct");

	if (v1)
		stats_cpu_v1(r, ret);
	else if (use_v2(r))
		stats_cpu_v2(r, ret);
	if (v1 && use_v1(r, "cpu"))
		stats_throttling(r, ret);
}

static void read_memory(struct stats_reader *r, struct cgroup_memory_stats *ret)
{
	if (use_v1(r, "memory"))
		stats_memory_v1(r, ret);
	else if (use_v2(r))
		stats_memory_v2(r, ret);
}

static void read_io(struct stats_reader *r, struct cgroup_io_stats *ret)
{
	if (use_v1(r, "blkio"))
		stats_io_v1(r, ret);
	else if (use_v2(r))
		stats_io_v2(r, ret);
}

static void read_pids(struct stats_reader *r, struct cgroup_stats *ret)
{
	ret->pids_limit = CGROUP_UNLIMITED;
	if (!use_v1(r, "pids") && !use_v2(r))
		return;
	ret->pids = stats_number(r, "pids.current", 0);
	ret->pids_limit = stats_number(r, "pids.max", CGROUP_UNLIMITED);
}

/* --- cpuset ----------------------------------------------------------------------------------- */

static const char *read_list(struct stats_reader *r, const char *file, const char *otherwise)
{
	if (!stats_text(r, file) && !stats_text(r, otherwise))
		return "";
	return arena_strdup(r->arena, r->text);
}

static void read_cpuset(struct stats_reader *r, struct cgroup_cpuset_stats *s)
{
	if (!use_v1(r, "cpuset")) {
		if (!use_v2(r))
			return;
		s->cpus = read_list(r, "cpuset.cpus.effective", "cpuset.cpus");
		s->mems = read_list(r, "cpuset.mems.effective", "cpuset.mems");
		return;
	}
	s->cpus = read_list(r, "cpuset.effective_cpus", "cpuset.cpus");
	s->mems = read_list(r, "cpuset.effective_mems", "cpuset.mems");
	s->cpu_exclusive = stats_number(r, "cpuset.cpu_exclusive", 0);
	s->mem_hardwall = stats_number(r, "cpuset.mem_hardwall", 0);
	s->mem_exclusive = stats_number(r, "cpuset.mem_exclusive", 0);
	s->memory_migrate = stats_number(r, "cpuset.memory_migrate", 0);
	s->memory_spread_page = stats_number(r, "cpuset.memory_spread_page", 0);
	s->memory_spread_slab = stats_number(r, "cpuset.memory_spread_slab", 0);
	s->memory_pressure = stats_number(r, "cpuset.memory_pressure", 0);
	s->sched_load_balance = stats_number(r, "cpuset.sched_load_balance", 0);
	s->sched_relax_domain_level =
		stats_text(r, "cpuset.sched_relax_domain_level") ? strtol(r->text, NULL, 10) : 0;
}

/* --- huge pages ------------------------------------------------------------------------------- */

struct page_sizes {
	struct stats_reader *r;
	struct cgroup_stats *stats;
	const char *end; /* of the names of files: ".current" */
};

/* "hugetlb.2MB.current" names a size; not "hugetlb.2MB.rsvd.current". */
static int add_size(const char *name, unsigned char type, void *arg)
{
	struct page_sizes *p = arg;
	const char *prefix = "hugetlb.";
	const char *size = name + strlen(prefix);
	const char *end = str_starts(name, prefix) ? strchr(size, '.') : NULL;

	(void)type;
	if (end && str_eq(end, p->end))
		vec_push(p->r->arena, &p->stats->huge_pages)->size =
			arena_strndup(p->r->arena, size, (size_t)(end - size));
	return 0;
}

static int by_size(const void *a, const void *b)
{
	const struct cgroup_huge_pages *x = a, *y = b;

	return strcmp(x->size, y->size);
}

static void read_page_size(struct stats_reader *r, bool v1, struct cgroup_huge_pages *h)
{
	char file[64], *text = r->text, *key, *value;

	snprintf(file, sizeof(file), "hugetlb.%s.%s", h->size, v1 ? "usage_in_bytes" : "current");
	h->usage = stats_number(r, file, 0);
	if (v1) {
		snprintf(file, sizeof(file), "hugetlb.%s.max_usage_in_bytes", h->size);
		h->max = stats_number(r, file, 0);
		snprintf(file, sizeof(file), "hugetlb.%s.failcnt", h->size);
		h->failures = stats_number(r, file, 0);
		return;
	}
	snprintf(file, sizeof(file), "hugetlb.%s.events", h->size);
	stats_text(r, file);
	while (stats_pair(&text, &key, &value))
		if (str_eq(key, "max"))
			h->failures = strtoull(value, NULL, 10);
}

static void read_huge_pages(struct stats_reader *r, struct cgroup_stats *ret)
{
	bool v1 = use_v1(r, "hugetlb");
	struct page_sizes p = { r, ret, v1 ? ".usage_in_bytes" : ".current" };
	auto_dir d = DIR_NONE;

	if (!v1 && !use_v2(r))
		return;
	d.fd = sys_openat(r->cg->root.fd, r->dir->at, O_RDONLY | O_DIRECTORY, 0);
	d.name = r->dir->at;
	if (d.fd < 0 || dir_each(&d, add_size, &p, NULL) < 0 || !ret->huge_pages.n)
		return;
	qsort(ret->huge_pages.v, ret->huge_pages.n, sizeof(*ret->huge_pages.v), by_size);
	for (size_t i = 0; i < ret->huge_pages.n; i++)
		read_page_size(r, v1, &ret->huge_pages.v[i]);
}

/* --- the whole -------------------------------------------------------------------------------- */

/* Also one that went after it was opened, as `events` may see it. */
static bool is_gone(const struct cgroup *cg)
{
	const struct cgroup_dir *d = cgroup_dir_main(cg);
	struct cgroup_events now;

	if (!d || !cgroup_matches(cg))
		return true;
	if (!d->hierarchy && cg->v2 >= 0)
		return cgroup_events_read(cg->v2, &now) == -ENODEV;
	return cgroup_dir_inode(cg, d) != cg->inode;
}

int cgroup_stats_read(struct arena *a, struct cgroup *cg, struct cgroup_stats *ret, struct err *e)
{
	auto_arena buffer = arena_make();
	struct stats_reader r = { .arena = a,
				  .cg = cg,
				  .text = arena_alloc(&buffer, STATS_TEXT_MAX) };

	*ret = (struct cgroup_stats){ .cpuset = { .cpus = "", .mems = "" } };
	if (is_gone(cg))
		return err_code(e, ENODEV, NULL, "the container's cgroup is gone");
	read_cpu(&r, &ret->cpu);
	read_cpuset(&r, &ret->cpuset);
	read_memory(&r, &ret->memory);
	read_pids(&r, ret);
	read_io(&r, &ret->io);
	read_huge_pages(&r, ret);
	if (use_v2(&r)) {
		stats_pressure(&r, "cpu.pressure", &ret->cpu.pressure);
		stats_pressure(&r, "memory.pressure", &ret->memory.pressure);
		stats_pressure(&r, "io.pressure", &ret->io.pressure);
	}
	return 0;
}
