/* SPDX-License-Identifier: Apache-2.0 */
/* The figures of containers as table, JSON and for Prometheus. */
#include "cli/stats_json.h"
#include "cli/stats_rows.h"
#include "unit/unit.h"

static void fill(struct cgroup_stats *s, struct cgroup_io_entry *io)
{
	*s = (struct cgroup_stats){
		.cpu = { .total = 1500000000, .throttled_time = 20000000 },
		.cpuset = { .cpus = "0-2,7", .mems = "" },
		.memory = { .memory = { .limit = 64 << 20, .usage = 48 << 20 },
			    .inactive_file = 16 << 20,
			    .swap = { .limit = CGROUP_UNLIMITED, .usage = 48 << 20 },
			    .oom_kills = 2 },
		.pids = 3,
		.pids_limit = CGROUP_UNLIMITED,
		.io = { .bytes = { .v = io, .n = 2 } },
	};
	s->cpu.pressure.has = true;
	s->cpu.pressure.some.avg10 = 1234;
	s->cpu.pressure.some.total = 2500000;
	io[0] = (struct cgroup_io_entry){ 8, 0, 1536, "Read" };
	io[1] = (struct cgroup_io_entry){ 8, 16, 100, "Write" };
}

TEST(stats_table)
{
	struct cgroup_io_entry io[2];
	struct stats_row row = { .id = "a", .cpu_permille = 985, .has_cpu_permille = true };
	const struct stats_rows rows = { .v = &row, .n = 1 };
	auto_arena a = arena_make();
	struct output o = { .arena = &a };

	fill(&row.stats, io);
	stats_rows_table(&o, &rows);
	CHECK_STR(o.text,
		  "ID   CPU     CPU TIME   THROTTLED   MEMORY    LIMIT     MEM     READ     WRITTEN"
		  "   PIDS   MAX   OOM   PRESSURE\n"
		  "a    98.5%   1.500s     0.020s      32.0MiB   64.0MiB   50.0%   1.5KiB   100B   "
		  "   3      -     2     12.3/-/-\n");
}

TEST(stats_prometheus)
{
	struct cgroup_io_entry io[2];
	struct stats_row row = { .id = "a" };
	const struct stats_rows rows = { .v = &row, .n = 1 }, none = { 0 };
	auto_arena a = arena_make();
	struct output o = { .arena = &a }, empty = { .arena = &a };

	fill(&row.stats, io);
	stats_rows_prometheus(&o, &rows);
	CHECK_HAS(o.text, "# TYPE cleat_cpu_seconds_total counter\n"
			  "cleat_cpu_seconds_total{id=\"a\"} 1.500000000\n");
	CHECK_HAS(o.text, "cleat_cpu_pressure_waiting_seconds_total{id=\"a\"} 2.500000\n");
	CHECK_HAS(o.text, "cleat_memory_limit_bytes{id=\"a\"} 67108864\n");
	CHECK_HAS(o.text, "cleat_io_read_bytes_total{id=\"a\"} 1536\n");
	CHECK_HAS(o.text, "cleat_pids_limit{id=\"a\"} +Inf\n");
	stats_rows_prometheus(&empty, &none);
	CHECK_INT(empty.len, 0);
}

TEST(stats_as_json)
{
	struct cgroup_io_entry io[2];
	struct cgroup_stats s;
	auto_arena a = arena_make();
	struct output o = { .arena = &a };

	fill(&s, io);
	stats_json(&o, "a", &s);
	CHECK_HAS(o.text, "{\"type\":\"stats\",\"id\":\"a\",\"data\":{\"cpu\":{\"usage\":"
			  "{\"total\":1500000000,");
	CHECK_HAS(o.text, "\"psi\":{\"some\":{\"avg10\":12.34,");
	CHECK_HAS(o.text, "\"cpuset\":{\"cpus\":[0,1,2,7],");
	CHECK_HAS(o.text, "\"swap\":{\"limit\":18446744073709551615,\"usage\":50331648,");
	CHECK_HAS(o.text, "\"pids\":{\"current\":3,\"limit\":0}");
	CHECK_HAS(o.text, "[{\"major\":8,\"minor\":0,\"op\":\"Read\",\"value\":1536},");
}
