/* SPDX-License-Identifier: Apache-2.0 */
/* table - names and numbers meet in tables, once */
#ifndef CLEAT_BASE_TABLE_H
#define CLEAT_BASE_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct name_row {
	const char *name;
	int64_t value;
};

/* The value of a name (exact case), or -EINVAL through the return value. */
int name_lookup(const struct name_row *rows, size_t n, const char *name, int64_t *ret);

/* The first name of a value, or NULL. */
const char *name_of(const struct name_row *rows, size_t n, int64_t value);

/*
 * How many letters must change, come, go or swap places with the next one, without regard
 * to case. SIZE_MAX for words of more than 40 letters.
 */
size_t name_distance(const char *a, const char *b);

/* The nearest name by that distance, or NULL when none is near (for "did you mean"). */
const char *name_nearest(const struct name_row *rows, size_t n, const char *name);

#endif
