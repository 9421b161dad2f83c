/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <stdio.h>

#include "unit/unit.h"

/* libc's calendar is the judge, over eight thousand years in odd steps. */
TEST(agrees_with_gmtime)
{
	unsigned wrong = 0;

	for (time_t t = 0; t < INT64_C(253402300800); t += 86400 * 3 + 54321) {
		struct timespec ts = { t, t % 1000000000 };
		char want[80], got[CLOCK_TEXT_SIZE];
		struct tm tm;

		gmtime_r(&t, &tm);
		snprintf(want, sizeof(want), "%04d-%02d-%02dT%02d:%02d:%02d.%09ldZ",
			 tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
			 tm.tm_sec, ts.tv_nsec);
		if (!str_eq(clock_rfc3339(&ts, got), want) && wrong++ < 5)
			CHECK_STR(got, want);
	}
	CHECK_INT(wrong, 0);
}

TEST(known_days)
{
	static const struct {
		time_t sec;
		const char *want;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00.000000007Z" },
		{ 951782399, "2000-02-28T23:59:59.000000007Z" },
		{ 951782400, "2000-02-29T00:00:00.000000007Z" },
		{ 951868799, "2000-02-29T23:59:59.000000007Z" },
		{ 4107542400, "2100-03-01T00:00:00.000000007Z" },
		{ 4294967296, "2106-02-07T06:28:16.000000007Z" },
		{ 253402300799, "9999-12-31T23:59:59.000000007Z" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct timespec ts = { rows[i].sec, 7 };
		char got[CLOCK_TEXT_SIZE];

		CHECK_STR(clock_rfc3339(&ts, got), rows[i].want);
	}
}

TEST(now)
{
	char before[CLOCK_TEXT_SIZE], after[CLOCK_TEXT_SIZE];
	int64_t ms = clock_now_ms();

	clock_rfc3339_now(before);
	clock_rfc3339_now(after);
	CHECK(strcmp(before, after) <= 0);
	CHECK(clock_now_ms() >= ms && clock_now_ms() < ms + 60000);
}
