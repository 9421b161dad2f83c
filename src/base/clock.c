/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <stdio.h>

#define DAY 86400

/* The year, month and day of a day counted from 1970-01-01, in the Gregorian calendar. */
static void civil_date(int64_t day, int *year, int *month, int *mday)
{
	/*
	 * Years begin in March here, so that the leap day is a year's last; an era is the
	 * 400 years after which everything repeats.
	 */
	int64_t since = day + 719468; /* 0000-03-01 */
	int64_t era = since / 146097, in_era = since % 146097;
	int64_t y = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	int64_t in_year = in_era - (365 * y + y / 4 - y / 100);
	int64_t m = (5 * in_year + 2) / 153;

	*mday = (int)(in_year - (153 * m + 2) / 5 + 1);
	*month = (int)(m < 10 ? m + 3 : m - 9);
	*year = (int)(y + era * 400 + (*month <= 2));
}

char *clock_rfc3339(const struct timespec *ts, char buf[CLOCK_TEXT_SIZE])
{
	int second = (int)(ts->tv_sec % DAY);
	int year, month, mday;

	civil_date(ts->tv_sec / DAY, &year, &month, &mday);
	snprintf(buf, CLOCK_TEXT_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%09ldZ", year % 10000,
		 month % 100, mday % 100, second / 3600, second / 60 % 60, second % 60,
		 ts->tv_nsec % 1000000000);
	return buf;
}

/* gmtime(3) would read the time zone files on its first call. */
char *clock_rfc3339_now(char buf[CLOCK_TEXT_SIZE])
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return clock_rfc3339(&ts, buf);
}

int64_t clock_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000) + ts.tv_nsec / 1000000;
}
