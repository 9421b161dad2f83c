/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <errno.h>

#include "unit/unit.h"

TEST(strict_numbers)
{
	static const struct {
		const char *in;
		int want_u64, want_i64, want_u32;
		uint64_t value;
	} rows[] = {
		{ "0", 0, 0, 0, 0 },
		{ "007", 0, 0, 0, 7 },
		{ "4294967295", 0, 0, 0, UINT32_MAX },
		{ "4294967296", 0, 0, -ERANGE, 4294967296 },
		{ "9223372036854775807", 0, 0, -ERANGE, INT64_MAX },
		{ "9223372036854775808", 0, -ERANGE, -ERANGE, (uint64_t)INT64_MAX + 1 },
		{ "18446744073709551615", 0, -ERANGE, -ERANGE, UINT64_MAX },
		{ "18446744073709551616", -ERANGE, -ERANGE, -ERANGE, 0 },
		{ "99999999999999999999999", -ERANGE, -ERANGE, -ERANGE, 0 },
		{ "99999999999999999999999x", -EINVAL, -EINVAL, -EINVAL, 0 },
		{ "", -EINVAL, -EINVAL, -EINVAL, 0 },
		{ " 1", -EINVAL, -EINVAL, -EINVAL, 0 },
		{ "1 ", -EINVAL, -EINVAL, -EINVAL, 0 },
		{ "+1", -EINVAL, -EINVAL, -EINVAL, 0 },
		{ "0x10", -EINVAL, -EINVAL, -EINVAL, 0 },
		{ "1e3", -EINVAL, -EINVAL, -EINVAL, 0 },
		{ "1\n", -EINVAL, -EINVAL, -EINVAL, 0 },
		{ "-", -EINVAL, -EINVAL, -EINVAL, 0 },
		{ "--1", -EINVAL, -EINVAL, -EINVAL, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t u = 77;
		int64_t s = 77;
		uint32_t w = 77;

		unit_row("'%s'", rows[i].in);
		CHECK_INT(str_to_u64(rows[i].in, &u), rows[i].want_u64);
		CHECK_INT(str_to_i64(rows[i].in, &s), rows[i].want_i64);
		CHECK_INT(str_to_u32(rows[i].in, &w), rows[i].want_u32);
		CHECK(u == (rows[i].want_u64 ? 77 : rows[i].value));
		CHECK(s == (rows[i].want_i64 ? 77 : (int64_t)rows[i].value));
		CHECK(w == (rows[i].want_u32 ? 77 : (uint32_t)rows[i].value));
	}
}

TEST(signed_numbers)
{
	static const struct {
		const char *in;
		int want;
		int64_t value;
	} rows[] = {
		{ "-1", 0, -1 },
		{ "-0", 0, 0 },
		{ "-9223372036854775808", 0, INT64_MIN },
		{ "-9223372036854775809", -ERANGE, 0 },
		{ "- 1", -EINVAL, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t s = 0;
		uint64_t u;

		unit_row("'%s'", rows[i].in);
		CHECK_INT(str_to_i64(rows[i].in, &s), rows[i].want);
		CHECK_INT(s, rows[i].value);
		CHECK_INT(str_to_u64(rows[i].in, &u), -EINVAL);
	}
}
