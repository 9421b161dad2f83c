/* SPDX-License-Identifier: Apache-2.0 */
/* clock - times as callers read them, without locale and time zone files */
#ifndef CLEAT_BASE_CLOCK_H
#define CLEAT_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_TEXT_SIZE 40

/*
 * A point of CLOCK_REALTIME in UTC, as RFC 3339 writes it, with nanoseconds:
 * "2026-02-03T04:05:06.789000000Z". Years 1970 to 9999. Returns @buf.
 */
char *clock_rfc3339(const struct timespec *ts, char buf[CLOCK_TEXT_SIZE]);
char *clock_rfc3339_now(char buf[CLOCK_TEXT_SIZE]);

/* CLOCK_MONOTONIC in milliseconds, for deadlines. */
int64_t clock_now_ms(void);

#endif
