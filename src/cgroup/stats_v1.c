/* SPDX-License-Identifier: Apache-2.0 */
/* stats_v1 - cpuacct, cpu, memory and blkio of cgroup v1: cgroup-v1/ of the kernel */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cgroup/stats_read.h"

/* What the kernel says for "none": the largest multiple of a page. */
#define V1_UNLIMITED ((uint64_t)INT64_MAX - 65536)

struct numbers {
	uint64_t *v;
	size_t n, cap;
};

/* "12 0 7" */
static struct numbers read_numbers(struct stats_reader *r, const char *file)
{
	struct numbers list = { 0 };
	char *text = r->text, *word;

	stats_text(r, file);
	while ((word = strsep(&text, " \n")))
		if (*word)
			*vec_push(r->arena, &list) = strtoull(word, NULL, 10);
	return list;
}

void stats_cpu_v1(struct stats_reader *r, struct cgroup_cpu_stats *ret)
{
	struct numbers n;

	ret->total = stats_number(r, "cpuacct.usage", 0);
	ret->user = stats_number(r, "cpuacct.usage_user", 0);
	ret->kernel = stats_number(r, "cpuacct.usage_sys", 0);
	n = read_numbers(r, "cpuacct.usage_percpu");
	ret->percpu = n.v;
	ret->n_percpu = n.n;
	n = read_numbers(r, "cpuacct.usage_percpu_user");
	ret->percpu_user = n.v;
	ret->n_percpu_user = n.n;
	n = read_numbers(r, "cpuacct.usage_percpu_sys");
	ret->percpu_kernel = n.v;
	ret->n_percpu_kernel = n.n;
}

void stats_throttling(struct stats_reader *r, struct cgroup_cpu_stats *ret)
{
	char *text = r->text, *key, *value;

	stats_text(r, "cpu.stat");
	while (stats_pair(&text, &key, &value)) {
		uint64_t n = strtoull(value, NULL, 10);

		if (str_eq(key, "nr_periods"))
			ret->periods = n;
		else if (str_eq(key, "nr_throttled"))
			ret->throttled_periods = n;
		else if (str_eq(key, "throttled_time"))
			ret->throttled_time = n;
	}
}

static void read_use(struct stats_reader *r, const char *what, struct cgroup_memory_use *ret)
{
	char file[64];

	snprintf(file, sizeof(file), "memory%s.usage_in_bytes", what);
	ret->usage = stats_number(r, file, 0);
	snprintf(file, sizeof(file), "memory%s.max_usage_in_bytes", what);
	ret->max = stats_number(r, file, 0);
	snprintf(file, sizeof(file), "memory%s.failcnt", what);
	ret->failures = stats_number(r, file, 0);
	snprintf(file, sizeof(file), "memory%s.limit_in_bytes", what);
	ret->limit = stats_number(r, file, CGROUP_UNLIMITED);
	if (ret->limit > V1_UNLIMITED)
		ret->limit = CGROUP_UNLIMITED;
}

static void read_kills(struct stats_reader *r, struct cgroup_memory_stats *m)
{
	char *text = r->text, *key, *value;

	stats_text(r, "memory.oom_control");
	while (stats_pair(&text, &key, &value))
		if (str_eq(key, "oom_kill"))
			m->oom_kills = strtoull(value, NULL, 10);
}

void stats_memory_v1(struct stats_reader *r, struct cgroup_memory_stats *m)
{
	stats_memory_lines(r, m);
	m->cache = stats_memory_line(m, "cache");
	m->inactive_file = stats_memory_line(m, "total_inactive_file");
	read_use(r, "", &m->memory);
	read_use(r, ".memsw", &m->swap);
	read_use(r, ".kmem", &m->kernel);
	read_use(r, ".kmem.tcp", &m->tcp);
	read_kills(r, m);
}

/* "8:0 Read 5", or "8:0 5" for a figure without operations; the sums are left out. */
static void add_entry(struct stats_reader *r, char *line, struct cgroup_io_list *ret)
{
	struct cgroup_io_entry *entry;
	uint64_t major, minor, value;
	char *op = stats_device(line, &major, &minor), *number;

	if (!op || *op != ' ')
		return;
	op++;
	number = strchr(op, ' ');
	if (number)
		*number++ = '\0';
	else
		number = op;
	if (str_eq(op, "Total") || str_to_u64(number, &value) < 0)
		return;
	entry = vec_push(r->arena, ret);
	*entry = (struct cgroup_io_entry){ major, minor, value,
					   number == op ? "" : arena_strdup(r->arena, op) };
}

static void read_list(struct stats_reader *r, const char *file, struct cgroup_io_list *ret)
{
	char *text = r->text, *line;

	stats_text(r, file);
	while ((line = strsep(&text, "\n")))
		add_entry(r, line, ret);
}

/* Each scheduler counts in files of its own; what passes all of them is in "throttle". */
static void read_first(struct stats_reader *r, const char *name, struct cgroup_io_list *ret)
{
	static const char *const kinds[] = { "", "bfq.", "throttle." };
	char file[64];

	for (size_t i = 0; i < COUNT(kinds) && !ret->n; i++) {
		snprintf(file, sizeof(file), "blkio.%s%s_recursive", kinds[i], name);
		read_list(r, file, ret);
	}
}

void stats_io_v1(struct stats_reader *r, struct cgroup_io_stats *io)
{
	read_first(r, "io_service_bytes", &io->bytes);
	read_first(r, "io_serviced", &io->operations);
	read_first(r, "io_queued", &io->queued);
	read_first(r, "io_service_time", &io->service_time);
	read_first(r, "io_wait_time", &io->wait_time);
	read_first(r, "io_merged", &io->merged);
	read_first(r, "time", &io->time);
	read_first(r, "sectors", &io->sectors);
}
