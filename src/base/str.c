/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <errno.h>
#include <string.h>

bool str_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

bool str_copy(char *to, size_t size, const char *from)
{
	size_t n = strnlen(from, size);
	bool fits = n < size;

	if (!size)
		return false;
	if (!fits)
		n = size - 1;
	memmove(to, from, n);
	to[n] = '\0';
	return fits;
}

void str_shorten(char *to, size_t size, const char *from)
{
	size_t n = strlen(from), head, tail;

	if (n < size || size < 8) {
		str_copy(to, size, from);
		return;
	}
	head = (size - 4) / 2;
	tail = size - 4 - head;
	memcpy(to, from, head);
	memcpy(to + head, "...", 3);
	memcpy(to + head + 3, from + n - tail, tail);
	to[size - 1] = '\0';
}

/* Length of the valid UTF-8 sequence at @s, 0 when it is broken. */
static size_t utf8_length(const unsigned char *s)
{
	static const struct {
		unsigned char mask, lead, length;
		uint32_t least;
	} forms[] = { { 0xe0, 0xc0, 2, 0x80 },
		      { 0xf0, 0xe0, 3, 0x800 },
		      { 0xf8, 0xf0, 4, 0x10000 } };

	if (s[0] < 0x80)
		return 1;
	for (size_t i = 0; i < COUNT(forms); i++) {
		uint32_t c = s[0] & (unsigned char)~forms[i].mask;

		if ((s[0] & forms[i].mask) != forms[i].lead)
			continue;
		for (size_t k = 1; k < forms[i].length; k++) {
			if ((s[k] & 0xc0) != 0x80)
				return 0;
			c = c << 6 | (s[k] & 0x3f);
		}
		if (c < forms[i].least || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
			return 0;
		return forms[i].length;
	}
	return 0;
}

void str_escape_control(char *s)
{
	while (*s) {
		size_t n = utf8_length((unsigned char *)s);

		if (*s == '\n' || *s == '\r' || *s == '\t')
			*s = ' ';
		else if (n == 0 || (unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
		/* U+0080 to U+009f are control characters, too */
		else if (n == 2 && (unsigned char)s[0] == 0xc2 && (unsigned char)s[1] < 0xa0)
			s[0] = s[1] = '?';
		s += n ? n : 1;
	}
}

int str_to_u64(const char *s, uint64_t *ret)
{
	uint64_t v = 0;

	/* What is no number is called so, however long it is. */
	if (!*s || s[strspn(s, "0123456789")])
		return -EINVAL;
	for (; *s; s++)
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v))
			return -ERANGE;
	*ret = v;
	return 0;
}

int str_to_i64(const char *s, int64_t *ret)
{
	bool negative = *s == '-';
	uint64_t v;
	int r = str_to_u64(s + negative, &v);

	if (r < 0)
		return r;
	if (v > (uint64_t)INT64_MAX + negative)
		return -ERANGE;
	*ret = negative ? (int64_t)(0 - v) : (int64_t)v;
	return 0;
}

int str_to_u32(const char *s, uint32_t *ret)
{
	uint64_t v;
	int r = str_to_u64(s, &v);

	if (r < 0)
		return r;
	if (v > UINT32_MAX)
		return -ERANGE;
	*ret = (uint32_t)v;
	return 0;
}

/* Split "12k" into its number and what follows. */
static int number_prefix(const char **s, uint64_t *ret)
{
	char digits[24];
	size_t n = strspn(*s, "0123456789");

	if (n == 0)
		return -EINVAL;
	if (n >= sizeof(digits))
		return -ERANGE;
	memcpy(digits, *s, n);
	digits[n] = '\0';
	*s += n;
	return str_to_u64(digits, ret);
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

int str_to_size(const char *s, int64_t *ret)
{
	static const char units[] = "kmgtp";
	uint64_t v;
	int r, shift = 0;
	const char *unit;

	if (str_eq(s, "-1")) {
		*ret = -1;
		return 0;
	}
	r = number_prefix(&s, &v);
	if (r < 0)
		return r;
	unit = *s ? strchr(units, lower(*s)) : NULL;
	if (unit) {
		shift = 10 * (int)(unit - units + 1);
		s++;
	}
	if (unit && lower(s[0]) == 'i' && lower(s[1]) == 'b')
		s += 2;
	else if (lower(*s) == 'b')
		s++;
	if (*s)
		return -EINVAL;
	if (v > (uint64_t)INT64_MAX >> shift)
		return -ERANGE;
	*ret = (int64_t)(v << shift);
	return 0;
}

int str_to_duration_ms(const char *s, uint64_t *ret_ms)
{
	static const struct {
		const char *unit;
		uint64_t ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 } };
	uint64_t total = 0, v;
	int r;

	if (str_to_u64(s, &v) == 0) {
		if (__builtin_mul_overflow(v, 1000, ret_ms))
			return -ERANGE;
		return 0;
	}
	if (!*s)
		return -EINVAL;
	while (*s) {
		size_t i;

		r = number_prefix(&s, &v);
		if (r < 0)
			return r;
		for (i = 0; i < COUNT(units); i++)
			if (str_starts(s, units[i].unit))
				break;
		if (i == COUNT(units))
			return -EINVAL;
		s += strlen(units[i].unit);
		if (__builtin_mul_overflow(v, units[i].ms, &v) ||
		    __builtin_add_overflow(total, v, &total))
			return -ERANGE;
	}
	*ret_ms = total;
	return 0;
}

int str_casecmp(const char *a, const char *b)
{
	while (*a && lower(*a) == lower(*b)) {
		a++;
		b++;
	}
	return (unsigned char)lower(*a) - (unsigned char)lower(*b);
}
