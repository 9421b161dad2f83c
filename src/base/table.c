/* SPDX-License-Identifier: Apache-2.0 */
#include "base/table.h"

#include <errno.h>

#include "base/str.h"

int name_lookup(const struct name_row *rows, size_t n, const char *name, int64_t *ret)
{
	for (size_t i = 0; i < n; i++) {
		if (!str_eq(rows[i].name, name))
			continue;
		*ret = rows[i].value;
		return 0;
	}
	return -EINVAL;
}

const char *name_of(const struct name_row *rows, size_t n, int64_t value)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].value == value)
			return rows[i].name;
	return NULL;
}

#define NEAREST_MAX 40 /* longer words are not compared */

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Levenshtein's distance without regard to case, one row at a time. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	size_t row[NEAREST_MAX + 1];

	if (n > NEAREST_MAX || m > NEAREST_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= m; j++)
		row[j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			size_t best = corner + (lower(a[i - 1]) != lower(b[j - 1]));

			corner = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[m];
}

const char *name_nearest(const struct name_row *rows, size_t n, const char *name)
{
	/* a third of the letters may be wrong */
	size_t limit = strlen(name) / 3, best = limit + 1;
	const char *found = NULL;

	for (size_t i = 0; i < n; i++) {
		size_t d = edit_distance(rows[i].name, name);

		if (d >= best)
			continue;
		best = d;
		found = rows[i].name;
	}
	return found;
}
