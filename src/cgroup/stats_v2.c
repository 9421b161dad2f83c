/* SPDX-License-Identifier: Apache-2.0 */
/* stats_v2 - cpu.stat, memory.*, io.stat of cgroup v2: cgroup-v2.rst of the kernel */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cgroup/stats_read.h"

#define NS_PER_US 1000

void stats_cpu_v2(struct stats_reader *r, struct cgroup_cpu_stats *ret)
{
	const struct {
		const char *key;
		uint64_t *value;
		unsigned factor;
	} keys[] = {
		{ "usage_usec", &ret->total, NS_PER_US },
		{ "user_usec", &ret->user, NS_PER_US },
		{ "system_usec", &ret->kernel, NS_PER_US },
		{ "nr_periods", &ret->periods, 1 },
		{ "nr_throttled", &ret->throttled_periods, 1 },
		{ "throttled_usec", &ret->throttled_time, NS_PER_US },
	};
	char *text = r->text, *key, *value;

	stats_text(r, "cpu.stat");
	while (stats_pair(&text, &key, &value))
		for (size_t i = 0; i < COUNT(keys); i++)
			if (str_eq(keys[i].key, key))
				*keys[i].value = strtoull(value, NULL, 10) * keys[i].factor;
}

static uint64_t add_limits(uint64_t a, uint64_t b)
{
	return a == CGROUP_UNLIMITED || b == CGROUP_UNLIMITED ? CGROUP_UNLIMITED : a + b;
}

static void read_events(struct stats_reader *r, struct cgroup_memory_stats *m)
{
	char *text = r->text, *key, *value;

	stats_text(r, "memory.events");
	while (stats_pair(&text, &key, &value)) {
		if (str_eq(key, "max"))
			m->memory.failures = strtoull(value, NULL, 10);
		else if (str_eq(key, "oom_kill"))
			m->oom_kills = strtoull(value, NULL, 10);
	}
}

void stats_memory_v2(struct stats_reader *r, struct cgroup_memory_stats *m)
{
	stats_memory_lines(r, m);
	m->cache = stats_memory_line(m, "file");
	m->inactive_file = stats_memory_line(m, "inactive_file");
	m->memory.usage = stats_number(r, "memory.current", 0);
	m->memory.limit = stats_number(r, "memory.max", CGROUP_UNLIMITED);
	m->memory.max = stats_number(r, "memory.peak", 0);
	read_events(r, m);
	m->swap.usage = m->memory.usage + stats_number(r, "memory.swap.current", 0);
	m->swap.limit =
		add_limits(m->memory.limit, stats_number(r, "memory.swap.max", CGROUP_UNLIMITED));
	m->swap.max = stats_number(r, "memory.swap.peak", 0);
	m->swap.max += m->swap.max ? m->memory.max : 0;
}

/* "rbytes=5" of one device; the keys of other policies (cost.usage) are not for us. */
static void add_word(struct stats_reader *r, struct cgroup_io_stats *io, uint64_t major,
		     uint64_t minor, const char *word)
{
	static const struct {
		const char *key, *op;
		bool bytes;
	} keys[] = {
		{ "rbytes=", "Read", true },	{ "wbytes=", "Write", true },
		{ "dbytes=", "Discard", true }, { "rios=", "Read", false },
		{ "wios=", "Write", false },	{ "dios=", "Discard", false },
	};

	for (size_t i = 0; i < COUNT(keys); i++) {
		struct cgroup_io_entry *entry;

		if (!str_starts(word, keys[i].key))
			continue;
		entry = vec_push(r->arena, keys[i].bytes ? &io->bytes : &io->operations);
		entry->major = major;
		entry->minor = minor;
		entry->op = keys[i].op;
		entry->value = strtoull(word + strlen(keys[i].key), NULL, 10);
	}
}

void stats_io_v2(struct stats_reader *r, struct cgroup_io_stats *io)
{
	char *text = r->text, *key, *value, *word;

	stats_text(r, "io.stat");
	while (stats_pair(&text, &key, &value)) {
		uint64_t major, minor;

		if (!stats_device(key, &major, &minor))
			continue;
		while ((word = strsep(&value, " ")))
			add_word(r, io, major, minor, word);
	}
}
