/* SPDX-License-Identifier: Apache-2.0 */
/* numbers, forms and likeness of names: what needs no JSON around it */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "scalar.h"
#include "tap.h"

static void test_parse(void)
{
	static const struct {
		const char *text;
		int want;
		bool negative;
		uint64_t magnitude;
	} rows[] = {
		{ "0", 0, false, 0 },
		{ "-0", 0, false, 0 },
		{ "-0.0e5", 0, false, 0 },
		{ "1", 0, false, 1 },
		{ "-1", 0, true, 1 },
		{ "18446744073709551615", 0, false, UINT64_MAX },
		{ "18446744073709551616", -ERANGE, false, 0 },
		{ "-9223372036854775808", 0, true, (uint64_t)1 << 63 },
		{ "9223372036854775809", 0, false, ((uint64_t)1 << 63) + 1 },
		{ "1e3", 0, false, 1000 },
		{ "1E+3", 0, false, 1000 },
		{ "1.50e1", 0, false, 15 },
		{ "10.0", 0, false, 10 },
		{ "-10.00", 0, true, 10 },
		{ "1000e-3", 0, false, 1 },
		{ "1000000000000000000000e-20", 0, false, 10 },
		{ "1844674407370955161.5e1", 0, false, UINT64_MAX },
		{ "0.0000000000000000000000000000001e31", 0, false, 1 },
		{ "0e999999999999999999999", 0, false, 0 },
		{ "1.5", -EINVAL, false, 0 },
		{ "0.1", -EINVAL, false, 0 },
		{ "1e-1", -EINVAL, false, 0 },
		{ "1e-999999999999999999999", -EINVAL, false, 0 },
		{ "1e20", -ERANGE, false, 0 },
		{ "1e999999999999999999999", -ERANGE, false, 0 },
		{ "99999999999999999999999", -ERANGE, false, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct scalar_number n = { 0 };
		int r = scalar_parse(rows[i].text, strlen(rows[i].text), &n);

		tap_ok(r == rows[i].want && n.negative == rows[i].negative &&
			       n.magnitude == rows[i].magnitude,
		       "number %s", rows[i].text);
	}
}

static void test_widths(void)
{
	static const struct {
		unsigned width;
		bool is_signed;
		int64_t low;
		uint64_t high;
	} rows[] = {
		{ 2, false, 0, UINT16_MAX }, { 2, true, INT16_MIN, INT16_MAX },
		{ 4, false, 0, UINT32_MAX }, { 4, true, INT32_MIN, INT32_MAX },
		{ 8, false, 0, UINT64_MAX }, { 8, true, INT64_MIN, INT64_MAX },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t low = scalar_lowest(rows[i].width, rows[i].is_signed);
		uint64_t high = scalar_highest(rows[i].width, rows[i].is_signed);
		struct scalar_number ends[] = {
			{ low < 0, low < 0 ? 0 - (uint64_t)low : 0 },
			{ false, high },
		};
		bool good = low == rows[i].low && high == rows[i].high;

		for (size_t k = 0; k < COUNT(ends); k++) {
			uint64_t cell = 0xa5a5a5a5a5a5a5a5;
			struct scalar_number back;

			scalar_store(&cell, rows[i].width, scalar_bits(ends[k]));
			back = scalar_load(&cell, rows[i].width, rows[i].is_signed);
			good = good && back.negative == ends[k].negative &&
			       back.magnitude == ends[k].magnitude;
		}
		tap_ok(good, "ends of a%s number of %u bytes", rows[i].is_signed ? " signed" : "",
		       rows[i].width);
	}
}

static void test_within(void)
{
	static const struct {
		struct scalar_number n;
		int64_t low;
		uint64_t high;
		bool want;
	} rows[] = {
		{ { false, 5 }, 5, 5, true },
		{ { false, 4 }, 5, 9, false },
		{ { false, 10 }, 5, 9, false },
		{ { true, 1 }, 0, 9, false },
		{ { true, 1 }, -1, 9, true },
		{ { true, 2 }, -1, 9, false },
		{ { false, 0 }, -1, 9, true },
		{ { true, (uint64_t)1 << 63 }, INT64_MIN, 0, true },
		{ { true, UINT64_MAX }, INT64_MIN, 0, false },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		tap_ok(scalar_is_within(rows[i].n, rows[i].low, rows[i].high) == rows[i].want,
		       "%s%" PRIu64 " from %" PRId64 " to %" PRIu64, rows[i].n.negative ? "-" : "",
		       rows[i].n.magnitude, rows[i].low, rows[i].high);
}

void test_numbers(void)
{
	test_parse();
	test_widths();
	test_within();
}

static void test_formats(void)
{
	static const struct {
		enum ocispec_format format;
		const char *good, *bad; /* separated by '|' */
	} rows[] = {
		{ FORMAT_NONE, "|x", NULL },
		{ FORMAT_ABSOLUTE_PATH, "/|/a b|//x", "|a|./x| /" },
		{ FORMAT_CAPABILITY, "CAP_CHOWN|CAP_SYS_ADMIN|CAP_X2",
		  "CAP_|chown|cap_chown|CAP_a|XCAP_A| CAP_A" },
		{ FORMAT_CPU_LIST, "|0|0-3,7|0 - 3", "a|0;1|0-3\n" },
		{ FORMAT_DATE_TIME,
		  "2026-11-23T20:01:02Z|2026-11-23t20:01:02.123456789z|2026-11-23T20:01:02+02:00|"
		  "2026-11-23T20:01:02.5-11:30",
		  "|2026-11-23|2026-11-23 20:01:02Z|2026-11-23T20:01:02|2026-11-23T20:01:02.Z|"
		  "2026-11-23T20:01:02Z2|2026-11-23T20:01:02+0200|26-11-23T20:01:02Z|"
		  "2026-11-23T20:01:02+02:000" },
		{ FORMAT_ENVIRONMENT, "A=|A=b=c|a b=1", "|A|=|=b" },
		{ FORMAT_MEMORY_BANDWIDTH, "MB:|MB:0=10;1=20", "|mb:0=1|L3:0=f|MB:0=1\nL3:0=f" },
		{ FORMAT_PAGE_SIZE, "2MB|64KB|1GB|16GB|1048576KB",
		  "|MB|0MB|64kB|2M|2MBs|02MB|2 MB|-2MB|../2MB|2TB" },
		{ FORMAT_RLIMIT, "RLIMIT_NOFILE|RLIMIT_AS",
		  "RLIMIT_|NOFILE|RLIMIT_nofile|RLIMIT_A1" },
		{ FORMAT_VERSION, "1.0.0|1.2.0-dev|0.5.0-rc.1+a.b|10.20.30+x",
		  "|1|1.0|1.0.|1.0.0.0|01.0.0|v1.0.0|1.0.0-|1.0.0-a b|a.b.c" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		for (int good = 0; good < 2; good++) {
			const char *list = good ? rows[i].good : rows[i].bad;

			while (list) {
				size_t n = strcspn(list, "|");
				char text[64] = "";

				memcpy(text, list, n);
				tap_ok(scalar_has_format(rows[i].format, text) == good,
				       "'%s' is %s%s", strchr(text, '\n') ? "(two lines)" : text,
				       good ? "" : "not ", scalar_format_name(rows[i].format));
				list = list[n] ? list + n + 1 : NULL;
			}
		}
	}
}

static void test_distance(void)
{
	static const struct {
		const char *a, *b;
		unsigned limit, want;
	} rows[] = {
		{ "cwd", "cwd", 3, 0 },		 { "cwd", "CWD", 3, 0 },
		{ "cwd", "cdw", 3, 1 },		 { "mounts", "mount", 3, 1 },
		{ "hostname", "hostnme", 3, 1 }, { "", "abc", 5, 3 },
		{ "kitten", "sitting", 9, 3 },	 { "linux", "solaris", 2, 3 },
		{ "abcd", "badc", 9, 2 },
	};
	char longest[80];

	for (size_t i = 0; i < COUNT(rows); i++)
		tap_ok(scalar_distance(rows[i].a, strlen(rows[i].a), rows[i].b, strlen(rows[i].b),
				       rows[i].limit) == rows[i].want,
		       "from '%s' to '%s' it is %u", rows[i].a, rows[i].b, rows[i].want);
	memset(longest, 'x', sizeof(longest));
	tap_ok(scalar_distance(longest, sizeof(longest), "x", 1, 3) == 4, "a long name is far");
}

void test_forms(void)
{
	test_formats();
	test_distance();
}
