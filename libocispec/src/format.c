/* SPDX-License-Identifier: Apache-2.0 */
/* format - the forms that a text may be asked to have; a row each */
#include <stdint.h>
#include <string.h>

#include "scalar.h"

#define DIGITS "0123456789"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LOWER  "abcdefghijklmnopqrstuvwxyz"

/* Is @s not empty and made of the bytes of @set only? */
static bool is_made_of(const char *s, const char *set)
{
	return *s && !s[strspn(s, set)];
}

static bool is_absolute_path(const char *s)
{
	return s[0] == '/';
}

static bool is_capability(const char *s)
{
	return strncmp(s, "CAP_", 4) == 0 && is_made_of(s + 4, UPPER DIGITS "_");
}

static bool is_cpu_list(const char *s)
{
	return !s[strspn(s, DIGITS ", -")];
}

/* Reads exactly @n digits and what follows them. */
static bool skip_digits(const char **s, size_t n, const char *then)
{
	if (strspn(*s, DIGITS) < n)
		return false;
	*s += n;
	if (*then && (!**s || !strchr(then, **s)))
		return false;
	*s += *then != 0;
	return true;
}

/* RFC 3339: 2026-11-23T20:01:02.123456789Z */
static bool is_date_time(const char *s)
{
	if (!skip_digits(&s, 4, "-") || !skip_digits(&s, 2, "-") || !skip_digits(&s, 2, "Tt") ||
	    !skip_digits(&s, 2, ":") || !skip_digits(&s, 2, ":") || !skip_digits(&s, 2, ""))
		return false;
	if (*s == '.') {
		size_t n = strspn(s + 1, DIGITS);

		if (!n)
			return false;
		s += 1 + n;
	}
	if (*s == 'Z' || *s == 'z')
		return !s[1];
	if (*s != '+' && *s != '-')
		return false;
	s++;
	return skip_digits(&s, 2, ":") && skip_digits(&s, 2, "") && !*s;
}

static bool is_environment(const char *s)
{
	return s[0] && s[0] != '=' && strchr(s, '=');
}

static bool is_memory_bandwidth(const char *s)
{
	return strncmp(s, "MB:", 3) == 0 && !strchr(s, '\n');
}

static bool is_page_size(const char *s)
{
	size_t n = strspn(s, DIGITS);

	return n > 0 && s[0] != '0' && s[n] && strchr("KMG", s[n]) && strcmp(s + n + 1, "B") == 0;
}

static bool is_rlimit(const char *s)
{
	return strncmp(s, "RLIMIT_", 7) == 0 && is_made_of(s + 7, UPPER);
}

/* Semantic versioning 2.0.0, without the finer points of what follows '-' and '+'. */
static bool is_version(const char *s)
{
	for (int i = 0; i < 3; i++) {
		size_t n = strspn(s, DIGITS);

		if (!n || (n > 1 && s[0] == '0'))
			return false;
		s += n;
		if (i < 2 && *s++ != '.')
			return false;
	}
	return !*s || ((*s == '-' || *s == '+') && is_made_of(s + 1, UPPER LOWER DIGITS ".-+"));
}

static const struct {
	bool (*holds)(const char *text);
	const char *name;
} forms[] = {
	[FORMAT_NONE] = { NULL, "a string" },
	[FORMAT_ABSOLUTE_PATH] = { is_absolute_path, "an absolute path" },
	[FORMAT_CAPABILITY] = { is_capability, "a capability as CAP_CHOWN" },
	[FORMAT_CPU_LIST] = { is_cpu_list, "a list of processors as 0-3,7" },
	[FORMAT_DATE_TIME] = { is_date_time, "a time as 2006-01-02T15:04:05Z" },
	[FORMAT_ENVIRONMENT] = { is_environment, "a variable as NAME=value" },
	[FORMAT_MEMORY_BANDWIDTH] = { is_memory_bandwidth, "one line that begins with MB:" },
	[FORMAT_PAGE_SIZE] = { is_page_size, "a page size as 64KB, 2MB, 1GB" },
	[FORMAT_RLIMIT] = { is_rlimit, "a limit as RLIMIT_NOFILE" },
	[FORMAT_VERSION] = { is_version, "a version as 1.2.0" },
};

bool scalar_has_format(enum ocispec_format format, const char *text)
{
	return !forms[format].holds || forms[format].holds(text);
}

const char *scalar_format_name(enum ocispec_format format)
{
	return forms[format].name;
}

/* --- likeness ----------------------------------------------------------------------------- */

#define NAME_MAX_LENGTH 64

static int lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned scalar_distance(const char *a, size_t a_length, const char *b, size_t b_length,
			 unsigned limit)
{
	unsigned rows[3][NAME_MAX_LENGTH + 1];
	unsigned *before = rows[0], *above = rows[1], *row = rows[2], *unused;

	if (a_length > NAME_MAX_LENGTH || b_length > NAME_MAX_LENGTH)
		return limit + 1;
	for (unsigned j = 0; j <= b_length; j++)
		above[j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_length; j++) {
			int x = lower(a[i - 1]), y = lower(b[j - 1]);

			row[j] = least(above[j], row[j - 1]) + 1;
			row[j] = least(row[j], above[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == lower(b[j - 2]) && y == lower(a[i - 2]))
				row[j] = least(row[j], before[j - 2] + 1);
		}
		unused = before;
		before = above;
		above = row;
		row = unused;
	}
	return least(above[b_length], limit + 1);
}
