/* SPDX-License-Identifier: Apache-2.0 */
/* stats_rows - numbers for people and for collectors */
#include <inttypes.h>

#include "base/str.h"
#include "cli/stats_rows.h"

#define NS_PER_MS 1000000
#define NS_PER_S  1000000000

/* --- table ------------------------------------------------------------------------------------ */

/* "512B", "1.5MiB" */
static const char *size_text(struct arena *a, uint64_t n)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	uint64_t rest = 0;
	size_t unit = 0;

	if (n == CGROUP_UNLIMITED)
		return "-";
	if (n < 1024)
		return arena_printf(a, "%" PRIu64 "B", n);
	for (; n >= 1024; unit++) {
		rest = n % 1024;
		n /= 1024;
	}
	return arena_printf(a, "%" PRIu64 ".%" PRIu64 "%s", n, rest * 10 / 1024, units[unit - 1]);
}

static const char *time_text(struct arena *a, uint64_t ns)
{
	uint64_t ms = ns / NS_PER_MS;

	return arena_printf(a, "%" PRIu64 ".%03" PRIu64 "s", ms / 1000, ms % 1000);
}

static const char *count_text(struct arena *a, uint64_t n)
{
	return n == CGROUP_UNLIMITED ? "-" : arena_printf(a, "%" PRIu64, n);
}

static const char *cpu_text(struct arena *a, const struct stats_row *r)
{
	if (!r->has_cpu_permille)
		return "-";
	return arena_printf(a, "%" PRIu64 ".%" PRIu64 "%%", r->cpu_permille / 10,
			    r->cpu_permille % 10);
}

/* Memory that could not be given back at once: without the file cache that is not in use. */
static uint64_t memory_in_use(const struct cgroup_memory_stats *m)
{
	return m->memory.usage > m->inactive_file ? m->memory.usage - m->inactive_file : 0;
}

static const char *percent_text(struct arena *a, uint64_t part, uint64_t whole)
{
	uint64_t permille;

	if (whole == CGROUP_UNLIMITED || !whole)
		return "-";
	permille = part / 1024 * 1000 / (whole / 1024 ? whole / 1024 : 1);
	return arena_printf(a, "%" PRIu64 ".%" PRIu64 "%%", permille / 10, permille % 10);
}

static uint64_t sum(const struct cgroup_io_list *l, const char *op)
{
	uint64_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		if (str_eq(l->v[i].op, op))
			n += l->v[i].value;
	return n;
}

/* The share of the last ten seconds in which somebody waited for CPU, memory, IO. */
static const char *pressure_text(struct arena *a, const struct cgroup_stats *s)
{
	const struct cgroup_pressure *p[] = { &s->cpu.pressure, &s->memory.pressure,
					      &s->io.pressure };
	const char *text = "";

	for (size_t i = 0; i < COUNT(p); i++)
		text = p[i]->has ? arena_printf(a, "%s%s%u.%u", text, i ? "/" : "",
						p[i]->some.avg10 / 100, p[i]->some.avg10 / 10 % 10)
				 : arena_printf(a, "%s%s-", text, i ? "/" : "");
	return text;
}

static const char *const header[] = { "ID",    "CPU", "CPU TIME", "THROTTLED", "MEMORY",
				      "LIMIT", "MEM", "READ",	  "WRITTEN",   "PIDS",
				      "MAX",   "OOM", "PRESSURE" };
#define COLUMNS COUNT(header)

void stats_rows_table(struct output *o, const struct stats_rows *rows)
{
	const char **cells = arena_new_n(o->arena, (rows->n + 1) * COLUMNS, const char *);
	struct arena *a = o->arena;

	memcpy(cells, header, sizeof(header));
	for (size_t i = 0; i < rows->n; i++) {
		const struct stats_row *r = &rows->v[i];
		const struct cgroup_stats *s = &r->stats;
		const char *row[COLUMNS] = {
			r->id,
			cpu_text(a, r),
			time_text(a, s->cpu.total),
			time_text(a, s->cpu.throttled_time),
			size_text(a, memory_in_use(&s->memory)),
			size_text(a, s->memory.memory.limit),
			percent_text(a, memory_in_use(&s->memory), s->memory.memory.limit),
			size_text(a, sum(&s->io.bytes, "Read")),
			size_text(a, sum(&s->io.bytes, "Write")),
			count_text(a, s->pids),
			count_text(a, s->pids_limit),
			count_text(a, s->memory.oom_kills),
			pressure_text(a, s),
		};

		memcpy(cells + (i + 1) * COLUMNS, row, sizeof(row));
	}
	output_table(o, cells, rows->n + 1, COLUMNS);
}

/* --- Prometheus ------------------------------------------------------------------------------- */

struct metric {
	const char *name, *type, *help;
	uint64_t (*value)(const struct cgroup_stats *s);
	uint64_t per; /* the value is divided by this: ns as seconds */
};

#define GET(name, expression)                              \
	static uint64_t name(const struct cgroup_stats *s) \
	{                                                  \
		return (expression);                       \
	}

GET(cpu_total, s->cpu.total)
GET(cpu_user, s->cpu.user)
GET(cpu_kernel, s->cpu.kernel)
GET(cpu_periods, s->cpu.periods)
GET(cpu_throttled, s->cpu.throttled_periods)
GET(cpu_throttled_time, s->cpu.throttled_time)
GET(cpu_waiting, s->cpu.pressure.some.total)
GET(memory_usage, s->memory.memory.usage)
GET(memory_working, memory_in_use(&s->memory))
GET(memory_max, s->memory.memory.max)
GET(memory_limit, s->memory.memory.limit)
GET(memory_failures, s->memory.memory.failures)
GET(memory_cache, s->memory.cache)
GET(memory_swap, s->memory.swap.usage > s->memory.memory.usage
			 ? s->memory.swap.usage - s->memory.memory.usage
			 : 0)
GET(memory_waiting, s->memory.pressure.some.total)
GET(oom_kills, s->memory.oom_kills)
GET(io_read, sum(&s->io.bytes, "Read"))
GET(io_written, sum(&s->io.bytes, "Write"))
GET(io_reads, sum(&s->io.operations, "Read"))
GET(io_writes, sum(&s->io.operations, "Write"))
GET(io_waiting, s->io.pressure.some.total)
GET(pids_current, s->pids)
GET(pids_limit, s->pids_limit)

#define COUNTER "counter"
#define GAUGE	"gauge"
#define US	1000000

static const struct metric metrics[] = {
	{ "cpu_seconds_total", COUNTER, "CPU time used", cpu_total, NS_PER_S },
	{ "cpu_user_seconds_total", COUNTER, "CPU time used in user mode", cpu_user, NS_PER_S },
	{ "cpu_system_seconds_total", COUNTER, "CPU time used in the kernel", cpu_kernel,
	  NS_PER_S },
	{ "cpu_periods_total", COUNTER, "Periods of the CPU quota", cpu_periods, 1 },
	{ "cpu_throttled_periods_total", COUNTER, "Periods in which the quota was used up",
	  cpu_throttled, 1 },
	{ "cpu_throttled_seconds_total", COUNTER, "Time of waiting for the next period",
	  cpu_throttled_time, NS_PER_S },
	{ "cpu_pressure_waiting_seconds_total", COUNTER, "Time in which a task waited for a CPU",
	  cpu_waiting, US },
	{ "memory_usage_bytes", GAUGE, "Memory in use with the file cache", memory_usage, 1 },
	{ "memory_working_set_bytes", GAUGE, "Memory in use without inactive file cache",
	  memory_working, 1 },
	{ "memory_peak_bytes", GAUGE, "The most memory that was in use", memory_max, 1 },
	{ "memory_limit_bytes", GAUGE, "Limit of memory", memory_limit, 1 },
	{ "memory_limit_hits_total", COUNTER, "How often the limit was reached", memory_failures,
	  1 },
	{ "memory_cache_bytes", GAUGE, "File cache", memory_cache, 1 },
	{ "memory_swap_bytes", GAUGE, "Swap in use", memory_swap, 1 },
	{ "memory_pressure_waiting_seconds_total", COUNTER,
	  "Time in which a task waited for memory", memory_waiting, US },
	{ "oom_kills_total", COUNTER, "Processes killed for want of memory", oom_kills, 1 },
	{ "io_read_bytes_total", COUNTER, "Bytes read from block devices", io_read, 1 },
	{ "io_written_bytes_total", COUNTER, "Bytes written to block devices", io_written, 1 },
	{ "io_reads_total", COUNTER, "Reads from block devices", io_reads, 1 },
	{ "io_writes_total", COUNTER, "Writes to block devices", io_writes, 1 },
	{ "io_pressure_waiting_seconds_total", COUNTER, "Time in which a task waited for IO",
	  io_waiting, US },
	{ "pids", GAUGE, "Processes and threads", pids_current, 1 },
	{ "pids_limit", GAUGE, "Limit of processes and threads", pids_limit, 1 },
};

static void add_value(struct output *o, const struct metric *m, const struct stats_row *r)
{
	uint64_t v = m->value(&r->stats);

	/* ids have no character that a label could not hold: container_id_check() */
	output_printf(o, "cleat_%s{id=\"%s\"} ", m->name, r->id);
	if (v == CGROUP_UNLIMITED)
		output_add(o, "+Inf\n");
	else if (m->per == 1)
		output_printf(o, "%" PRIu64 "\n", v);
	else if (m->per == US)
		output_printf(o, "%" PRIu64 ".%06" PRIu64 "\n", v / US, v % US);
	else
		output_printf(o, "%" PRIu64 ".%09" PRIu64 "\n", v / NS_PER_S, v % NS_PER_S);
}

void stats_rows_prometheus(struct output *o, const struct stats_rows *rows)
{
	for (size_t i = 0; rows->n && i < COUNT(metrics); i++) {
		const struct metric *m = &metrics[i];

		output_printf(o, "# HELP cleat_%s %s\n# TYPE cleat_%s %s\n", m->name, m->help,
			      m->name, m->type);
		for (size_t k = 0; k < rows->n; k++)
			add_value(o, m, &rows->v[k]);
	}
}
