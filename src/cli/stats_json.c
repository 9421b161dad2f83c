/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stats_json - one JSON object a line
 *
 * The names are an interface: docs/contract.md, row 59. A limit that is none is
 * the largest number, as v1 has it; for pids it is 0.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "cli/stats_json.h"

static void add_field(struct output *o, const char *before, const char *name, uint64_t value)
{
	output_printf(o, "%s\"%s\":%" PRIu64, before, name, value);
}

static void add_array(struct output *o, const char *name, const uint64_t *v, size_t n)
{
	if (!n)
		return;
	output_printf(o, ",\"%s\":", name);
	for (size_t i = 0; i < n; i++)
		output_printf(o, "%s%" PRIu64, i ? "," : "[", v[i]);
	output_add(o, "]");
}

static void add_pressure_line(struct output *o, const struct cgroup_pressure_line *p)
{
	output_printf(
		o, "{\"avg10\":%u.%02u,\"avg60\":%u.%02u,\"avg300\":%u.%02u,\"total\":%" PRIu64 "}",
		p->avg10 / 100, p->avg10 % 100, p->avg60 / 100, p->avg60 % 100, p->avg300 / 100,
		p->avg300 % 100, p->total);
}

static void add_pressure(struct output *o, const struct cgroup_pressure *p)
{
	if (!p->has)
		return;
	output_add(o, ",\"psi\":{\"some\":");
	add_pressure_line(o, &p->some);
	output_add(o, ",\"full\":");
	add_pressure_line(o, &p->full);
	output_add(o, "}");
}

static void add_cpu(struct output *o, const struct cgroup_cpu_stats *c)
{
	output_add(o, "\"cpu\":{\"usage\":{");
	add_field(o, "", "total", c->total);
	add_array(o, "percpu", c->percpu, c->n_percpu);
	add_array(o, "percpu_kernel", c->percpu_kernel, c->n_percpu_kernel);
	add_array(o, "percpu_user", c->percpu_user, c->n_percpu_user);
	add_field(o, ",", "kernel", c->kernel);
	add_field(o, ",", "user", c->user);
	output_add(o, "},\"throttling\":{");
	add_field(o, "", "periods", c->periods);
	add_field(o, ",", "throttledPeriods", c->throttled_periods);
	add_field(o, ",", "throttledTime", c->throttled_time);
	output_add(o, "}");
	add_pressure(o, &c->pressure);
	output_add(o, "}");
}

/* "0-2,7" as the numbers 0,1,2,7 */
static void add_list(struct output *o, const char *name, const char *text)
{
	const char *comma = "";
	char *end;

	if (!*text)
		return;
	output_printf(o, "\"%s\":[", name);
	for (const char *at = text; *at; at = *end == ',' ? end + 1 : end) {
		unsigned long first = strtoul(at, &end, 10), last = first;

		if (end == at)
			break;
		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		for (; first <= last; first++) {
			output_printf(o, "%s%lu", comma, first);
			comma = ",";
		}
	}
	output_add(o, "],");
}

static void add_cpuset(struct output *o, const struct cgroup_cpuset_stats *c)
{
	output_add(o, ",\"cpuset\":{");
	add_list(o, "cpus", c->cpus);
	add_field(o, "", "cpu_exclusive", c->cpu_exclusive);
	output_add(o, ",");
	add_list(o, "mems", c->mems);
	add_field(o, "", "mem_hardwall", c->mem_hardwall);
	add_field(o, ",", "mem_exclusive", c->mem_exclusive);
	add_field(o, ",", "memory_migrate", c->memory_migrate);
	add_field(o, ",", "memory_spread_page", c->memory_spread_page);
	add_field(o, ",", "memory_spread_slab", c->memory_spread_slab);
	add_field(o, ",", "memory_pressure", c->memory_pressure);
	add_field(o, ",", "sched_load_balance", c->sched_load_balance);
	output_printf(o, ",\"sched_relax_domain_level\":%" PRId64 "}", c->sched_relax_domain_level);
}

static void add_use(struct output *o, const char *name, const struct cgroup_memory_use *u)
{
	output_printf(o, ",\"%s\":{", name);
	add_field(o, "", "limit", u->limit);
	add_field(o, ",", "usage", u->usage);
	add_field(o, ",", "max", u->max);
	add_field(o, ",", "failcnt", u->failures);
	output_add(o, "}");
}

static void add_memory(struct output *o, const struct cgroup_memory_stats *m)
{
	output_add(o, ",\"memory\":{");
	add_field(o, "", "cache", m->cache);
	add_use(o, "usage", &m->memory);
	add_use(o, "swap", &m->swap);
	add_use(o, "kernel", &m->kernel);
	add_use(o, "kernelTCP", &m->tcp);
	output_add(o, ",\"raw\":{");
	for (size_t i = 0; i < m->all.n; i++)
		add_field(o, i ? "," : "", m->all.v[i].name, m->all.v[i].value);
	output_add(o, "}");
	add_pressure(o, &m->pressure);
	output_add(o, "}");
}

static void add_io_list(struct output *o, const char *before, const char *name,
			const struct cgroup_io_list *l)
{
	output_printf(o, "%s\"%s\":[", before, name);
	for (size_t i = 0; i < l->n; i++) {
		const struct cgroup_io_entry *x = &l->v[i];

		add_field(o, i ? ",{" : "{", "major", x->major);
		add_field(o, ",", "minor", x->minor);
		output_add(o, ",\"op\":");
		output_json_string(o, x->op);
		add_field(o, ",", "value", x->value);
		output_add(o, "}");
	}
	output_add(o, "]");
}

static void add_io(struct output *o, const struct cgroup_io_stats *io)
{
	output_add(o, ",\"blkio\":{");
	add_io_list(o, "", "ioServiceBytesRecursive", &io->bytes);
	add_io_list(o, ",", "ioServicedRecursive", &io->operations);
	add_io_list(o, ",", "ioQueueRecursive", &io->queued);
	add_io_list(o, ",", "ioServiceTimeRecursive", &io->service_time);
	add_io_list(o, ",", "ioWaitTimeRecursive", &io->wait_time);
	add_io_list(o, ",", "ioMergedRecursive", &io->merged);
	add_io_list(o, ",", "ioTimeRecursive", &io->time);
	add_io_list(o, ",", "sectorsRecursive", &io->sectors);
	add_pressure(o, &io->pressure);
	output_add(o, "}");
}

static void add_huge_pages(struct output *o, const struct cgroup_stats *s)
{
	output_add(o, ",\"hugetlb\":{");
	for (size_t i = 0; i < s->huge_pages.n; i++) {
		const struct cgroup_huge_pages *h = &s->huge_pages.v[i];

		output_add(o, i ? "," : "");
		output_json_string(o, h->size);
		add_field(o, ":{", "usage", h->usage);
		add_field(o, ",", "max", h->max);
		add_field(o, ",", "failcnt", h->failures);
		output_add(o, "}");
	}
	output_add(o, "}");
}

void stats_json(struct output *o, const char *id, const struct cgroup_stats *s)
{
	output_add(o, "{\"type\":\"stats\",\"id\":");
	output_json_string(o, id);
	output_add(o, ",\"data\":{");
	add_cpu(o, &s->cpu);
	add_cpuset(o, &s->cpuset);
	add_memory(o, &s->memory);
	add_field(o, ",\"pids\":{", "current", s->pids);
	add_field(o, ",", "limit", s->pids_limit == CGROUP_UNLIMITED ? 0 : s->pids_limit);
	output_add(o, "}");
	add_io(o, &s->io);
	add_huge_pages(o, s);
	output_add(o, ",\"intel_rdt\":{},\"network_interfaces\":null}}\n");
}
