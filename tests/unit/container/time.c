/* SPDX-License-Identifier: Apache-2.0 */
/* Times as RFC 3339, against days that are easily got wrong. */
#include "base/str.h"
#include "container/internal.h"
#include "unit/unit.h"

static const struct {
	int64_t seconds;
	long nanoseconds;
	const char *want;
} cases[] = {
	{ 0, 0, "1970-01-01T00:00:00.000000000Z" },
	{ 951782399, 1, "2000-02-28T23:59:59.000000001Z" },
	{ 951782400, 0, "2000-02-29T00:00:00.000000000Z" },
	{ 951868800, 0, "2000-03-01T00:00:00.000000000Z" },
	{ 1709164800, 0, "2024-02-29T00:00:00.000000000Z" },
	{ 1735689599, 999999999, "2024-12-31T23:59:59.999999999Z" },
	{ 1735689600, 0, "2025-01-01T00:00:00.000000000Z" },
	{ 4107542400, 0, "2100-03-01T00:00:00.000000000Z" },
	{ 4294967296, 0, "2106-02-07T06:28:16.000000000Z" },
};

TEST(time_format)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[TIME_TEXT_SIZE];

		time_format(text, cases[i].seconds, cases[i].nanoseconds);
		CHECK_STR(text, cases[i].want);
	}
}
