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

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Levenshtein's distance and swaps, a row of the matrix at a time; a swap needs two rows above. */
size_t name_distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	size_t rows[3][NEAREST_MAX + 1];

	if (n > NEAREST_MAX || m > NEAREST_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= m; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= n; i++) {
		const size_t *above = rows[(i - 1) % 3], *before = rows[(i + 1) % 3];
		size_t *row = rows[i % 3];

		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			char x = lower(a[i - 1]), y = lower(b[j - 1]);

			row[j] = least(above[j], row[j - 1]) + 1;
			row[j] = least(row[j], above[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == lower(b[j - 2]) && y == lower(a[i - 2]))
				row[j] = least(row[j], before[j - 2] + 1);
		}
	}
	return rows[n % 3][m];
}

const char *name_nearest(const struct name_row *rows, size_t n, const char *name)
{
	/* a third of the letters may be wrong */
	size_t limit = strlen(name) / 3, best = limit + 1;
	const char *found = NULL;

	for (size_t i = 0; i < n; i++) {
		size_t d = name_distance(rows[i].name, name);

		if (d >= best)
			continue;
		best = d;
		found = rows[i].name;
	}
	return found;
}
