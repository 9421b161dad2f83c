/* SPDX-License-Identifier: Apache-2.0 */
/*
 * number - decimal text to integers, without a double on the way
 *
 * A double loses the low bits of 2^64-1, which docker sends for "unlimited". The value is
 * m * 10^shift: digits go into m, zeros are held back until another digit shows that they
 * matter, so 1000000000000000000000e-20 is 10 and no overflow.
 */
#include <errno.h>

#include "scalar.h"

#define EXPONENT_MAX 1000000000 /* beyond the length of any text */

/* 10 * m + digit; false: does not fit */
static bool push(uint64_t *m, unsigned digit)
{
	return !__builtin_mul_overflow(*m, 10u, m) && !__builtin_add_overflow(*m, digit, m);
}

static int64_t parse_exponent(const char *s, const char *end)
{
	bool negative = s < end && *s == '-';
	int64_t e = 0;

	if (s < end && (*s == '-' || *s == '+'))
		s++;
	for (; s < end; s++)
		if (e < EXPONENT_MAX)
			e = e * 10 + (*s - '0');
	return negative ? -e : e;
}

int scalar_parse(const char *text, size_t length, struct scalar_number *ret)
{
	const char *s = text, *end = text + length;
	bool negative = s < end && *s == '-', point = false, fits = true;
	int64_t zeros = 0, fraction = 0, shift;
	uint64_t m = 0;

	for (s += negative; s < end && *s != 'e' && *s != 'E'; s++) {
		if (*s == '.') {
			point = true;
			continue;
		}
		fraction += point;
		if (*s == '0') {
			zeros += m > 0;
			continue;
		}
		for (; fits && zeros > 0; zeros--)
			fits = push(&m, 0);
		fits = fits && push(&m, (unsigned)(*s - '0'));
		zeros = 0;
	}
	shift = zeros - fraction + (s < end ? parse_exponent(s + 1, end) : 0);
	if (m > 0 && shift < 0)
		return -EINVAL;
	for (; fits && m > 0 && shift > 0; shift--)
		fits = push(&m, 0);
	if (!fits)
		return -ERANGE;
	*ret = (struct scalar_number){ negative && m > 0, m };
	return 0;
}

bool scalar_is_within(struct scalar_number n, int64_t low, uint64_t high)
{
	if (n.negative)
		return low < 0 && n.magnitude <= 0 - (uint64_t)low;
	return n.magnitude <= high && (low <= 0 || n.magnitude >= (uint64_t)low);
}

uint64_t scalar_bits(struct scalar_number n)
{
	return n.negative ? 0 - n.magnitude : n.magnitude;
}

void scalar_store(void *to, unsigned width, uint64_t bits)
{
	if (width == sizeof(uint16_t))
		*(uint16_t *)to = (uint16_t)bits;
	else if (width == sizeof(uint32_t))
		*(uint32_t *)to = (uint32_t)bits;
	else
		*(uint64_t *)to = bits;
}

struct scalar_number scalar_load(const void *from, unsigned width, bool is_signed)
{
	uint64_t bits;
	bool negative;

	if (width == sizeof(uint16_t))
		bits = is_signed ? (uint64_t)(*(const int16_t *)from) : *(const uint16_t *)from;
	else if (width == sizeof(uint32_t))
		bits = is_signed ? (uint64_t)(*(const int32_t *)from) : *(const uint32_t *)from;
	else
		bits = *(const uint64_t *)from;
	negative = is_signed && (int64_t)bits < 0;
	return (struct scalar_number){ negative, negative ? 0 - bits : bits };
}

int64_t scalar_lowest(unsigned width, bool is_signed)
{
	return is_signed ? (int64_t)(UINT64_MAX << (8 * width - 1)) : 0;
}

uint64_t scalar_highest(unsigned width, bool is_signed)
{
	return UINT64_MAX >> (64 - 8 * width + is_signed);
}
