/* SPDX-License-Identifier: Apache-2.0 */
/* stats_read - lines of the kernel's files as numbers */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cgroup/stats_read.h"

bool stats_text(struct stats_reader *r, const char *file)
{
	return cgroup_read_file(r->cg, r->dir, file, r->text, STATS_TEXT_MAX) > 0;
}

uint64_t stats_number(struct stats_reader *r, const char *file, uint64_t otherwise)
{
	uint64_t n;

	if (!stats_text(r, file))
		return otherwise;
	if (str_eq(r->text, "max"))
		return CGROUP_UNLIMITED;
	return str_to_u64(r->text, &n) < 0 ? otherwise : n;
}

bool stats_pair(char **text, char **ret_key, char **ret_value)
{
	char *line;

	while ((line = strsep(text, "\n"))) {
		char *space = strchr(line, ' ');

		if (!space)
			continue;
		*space = '\0';
		*ret_key = line;
		*ret_value = space + 1;
		return true;
	}
	return false;
}

char *stats_device(char *text, uint64_t *ret_major, uint64_t *ret_minor)
{
	char *colon, *end;

	*ret_major = strtoull(text, &colon, 10);
	if (colon == text || *colon != ':')
		return NULL;
	*ret_minor = strtoull(colon + 1, &end, 10);
	return end == colon + 1 ? NULL : end;
}

/* "0.25" as 25 */
static unsigned hundredths(const char *text)
{
	char *point;
	unsigned long whole = strtoul(text, &point, 10);
	unsigned tenths = 0, rest = 0;

	if (*point == '.' && point[1] >= '0' && point[1] <= '9') {
		tenths = (unsigned)(point[1] - '0');
		if (point[2] >= '0' && point[2] <= '9')
			rest = (unsigned)(point[2] - '0');
	}
	return (unsigned)whole * 100 + tenths * 10 + rest;
}

static void pressure_line(char *text, struct cgroup_pressure_line *ret)
{
	char *word;

	while ((word = strsep(&text, " "))) {
		if (str_starts(word, "avg10="))
			ret->avg10 = hundredths(word + strlen("avg10="));
		else if (str_starts(word, "avg60="))
			ret->avg60 = hundredths(word + strlen("avg60="));
		else if (str_starts(word, "avg300="))
			ret->avg300 = hundredths(word + strlen("avg300="));
		else if (str_starts(word, "total="))
			ret->total = strtoull(word + strlen("total="), NULL, 10);
	}
}

void stats_pressure(struct stats_reader *r, const char *file, struct cgroup_pressure *ret)
{
	char *text = r->text, *key, *value;

	if (!stats_text(r, file))
		return;
	ret->has = true;
	while (stats_pair(&text, &key, &value)) {
		if (str_eq(key, "some"))
			pressure_line(value, &ret->some);
		else if (str_eq(key, "full"))
			pressure_line(value, &ret->full);
	}
}

void stats_memory_lines(struct stats_reader *r, struct cgroup_memory_stats *m)
{
	char *text = r->text, *key, *value;

	stats_text(r, "memory.stat");
	while (stats_pair(&text, &key, &value)) {
		struct cgroup_stat_entry *entry = vec_push(r->arena, &m->all);

		entry->name = arena_strdup(r->arena, key);
		entry->value = strtoull(value, NULL, 10);
	}
}

uint64_t stats_memory_line(const struct cgroup_memory_stats *m, const char *name)
{
	for (size_t i = 0; i < m->all.n; i++)
		if (str_eq(m->all.v[i].name, name))
			return m->all.v[i].value;
	return 0;
}
