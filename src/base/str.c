/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <errno.h>

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

bool str_has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; p; p = strchr(p, ',')) {
		p += *p == ',';
		if (str_starts(p, word) && (p[n] == ',' || !p[n]))
			return true;
	}
	return false;
}

size_t str_utf8_length(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
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

/*
 * What a terminal would act on although it is valid text: the C1 controls, line and
 * paragraph separators, and what turns the direction of the text round.
 */
static bool utf8_is_control(const unsigned char *s, size_t n)
{
	if (n == 1)
		return *s < 0x20 || *s == 0x7f;
	if (n == 2)
		return s[0] == 0xc2 && s[1] < 0xa0;
	if (n != 3 || s[0] != 0xe2)
		return false;
	return (s[1] == 0x80 && s[2] >= 0xa8 && s[2] <= 0xae) || /* U+2028 to U+202E */
	       (s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9);	 /* U+2066 to U+2069 */
}

void str_escape_control(char *s)
{
	while (*s) {
		size_t n = str_utf8_length(s);

		if (*s == '\n' || *s == '\r' || *s == '\t')
			*s = ' ';
		else if (n == 0)
			*s = '?';
		else if (utf8_is_control((unsigned char *)s, n))
			memset(s, '?', n);
		s += n ? n : 1;
	}
}

/* The byte that "\ooo" at @p means, or -1. */
static int octal(const char *p)
{
	for (int i = 1; i <= 3; i++)
		if (p[i] < '0' || p[i] > (i == 1 ? '3' : '7'))
			return -1;
	return (p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0');
}

char *str_unescape_octal(char *s)
{
	char *to = s;

	for (const char *p = s; *p;) {
		int c = *p == '\\' ? octal(p) : -1;

		*to++ = c >= 0 ? (char)c : *p;
		p += c >= 0 ? 4 : 1;
	}
	*to = '\0';
	return s;
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

int str_cut_u32(char **text, const char *separators, uint32_t *ret)
{
	char *word = *text + strspn(*text, separators);
	char *end = word + strcspn(word, separators);

	if (!*word)
		return -ENODATA;
	*text = *end ? end + 1 : end;
	*end = '\0';
	return str_to_u32(word, ret);
}

/* A number with a fraction, as sizes and durations have it: whole + part / scale. */
struct decimal {
	uint64_t whole, part, scale;
};

/* Take the number that @s begins with. */
static int take_decimal(const char **s, struct decimal *ret)
{
	struct decimal d = { .scale = 1 };
	const char *p = *s;

	if (*p < '0' || *p > '9')
		return -EINVAL;
	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(d.whole, 10, &d.whole) ||
		    __builtin_add_overflow(d.whole, (uint64_t)(*p - '0'), &d.whole))
			return -ERANGE;
	if (*p == '.') {
		p++;
		if (*p < '0' || *p > '9')
			return -EINVAL;
		/* Digits beyond a billionth are below every unit that is used here. */
		for (; *p >= '0' && *p <= '9'; p++) {
			if (d.scale == 1000000000)
				continue;
			d.part = d.part * 10 + (uint64_t)(*p - '0');
			d.scale *= 10;
		}
	}
	*s = p;
	*ret = d;
	return 0;
}

/* d * unit, fractions of 1 dropped. @unit is at most an hour of nanoseconds or 2^50. */
static int scale_decimal(const struct decimal *d, uint64_t unit, uint64_t *ret)
{
	/* part < scale <= 10^9: divided before multiplied, it needs no more than 64 bits */
	uint64_t part = unit / d->scale * d->part + unit % d->scale * d->part / d->scale;

	if (__builtin_mul_overflow(d->whole, unit, ret) || __builtin_add_overflow(*ret, part, ret))
		return -ERANGE;
	return 0;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

int str_to_size(const char *s, int64_t *ret)
{
	static const char units[] = "kmgtp";
	struct decimal d;
	const char *unit;
	uint64_t size;
	int r, shift = 0;

	if (str_eq(s, "-1")) {
		*ret = -1;
		return 0;
	}
	r = take_decimal(&s, &d);
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
	if (*s || (!unit && d.scale > 1))
		return -EINVAL;
	r = scale_decimal(&d, UINT64_C(1) << shift, &size);
	if (r < 0 || size > INT64_MAX)
		return -ERANGE;
	*ret = (int64_t)size;
	return 0;
}

#define NS_PER_MS UINT64_C(1000000)

/* Take the unit that @s begins with; its nanoseconds, or 0. */
static uint64_t take_time_unit(const char **s)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {
		{ "ns", 1 },
		{ "us", 1000 },
		{ "\xc2\xb5s", 1000 }, /* micro sign */
		{ "\xce\xbcs", 1000 }, /* Greek mu */
		{ "ms", NS_PER_MS },
		{ "s", 1000 * NS_PER_MS },
		{ "m", 60000 * NS_PER_MS },
		{ "h", 3600000 * NS_PER_MS },
	};

	for (size_t i = 0; i < COUNT(units); i++) {
		if (!str_starts(*s, units[i].name))
			continue;
		*s += strlen(units[i].name);
		return units[i].ns;
	}
	return 0;
}

int str_to_duration_ms(const char *s, uint64_t *ret_ms)
{
	const char *begin = s;
	uint64_t total = 0;

	do {
		bool first = s == begin;
		struct decimal d;
		uint64_t unit, ns;
		int r = take_decimal(&s, &d);

		if (r < 0)
			return r;
		/* a number alone: seconds */
		unit = first && !*s ? 1000 * NS_PER_MS : take_time_unit(&s);
		if (!unit)
			return -EINVAL;
		if (scale_decimal(&d, unit, &ns) < 0 || __builtin_add_overflow(total, ns, &total))
			return -ERANGE;
	} while (*s);
	/* What is more than nothing must not become 0, which often means "no limit". */
	*ret_ms = total / NS_PER_MS + (total % NS_PER_MS != 0);
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
