/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <errno.h>

#include "unit/unit.h"

TEST(words_of_a_list)
{
	static const struct {
		const char *list, *word;
		bool want;
	} rows[] = {
		{ "cpu", "cpu", true },
		{ "cpu,cpuacct", "cpu", true },
		{ "cpuacct,cpu", "cpu", true },
		{ "cpuset,cpu,cpuacct", "cpu", true },
		{ "cpuset,cpuacct", "cpu", false },
		{ "blkcpu", "cpu", false },
		{ "", "cpu", false },
		{ ",,cpu,", "cpu", true },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		unit_row("%s", rows[i].list);
		CHECK_INT(str_has_word(rows[i].list, rows[i].word), rows[i].want);
	}
}

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

TEST(sizes)
{
	static const struct {
		const char *in;
		int want;
		int64_t value;
	} rows[] = {
		{ "0", 0, 0 },
		{ "512", 0, 512 },
		{ "512b", 0, 512 },
		{ "10k", 0, 10240 },
		{ "10K", 0, 10240 },
		{ "10kb", 0, 10240 },
		{ "10KiB", 0, 10240 },
		{ "512m", 0, 512LL << 20 },
		{ "2g", 0, 2LL << 30 },
		{ "1.5g", 0, 3LL << 29 },
		{ "0.1k", 0, 102 },
		{ "1.0000000009k", 0, 1024 },
		{ "3t", 0, 3LL << 40 },
		{ "8191p", 0, 8191LL << 50 },
		{ "8192p", -ERANGE, 0 },
		{ "9223372036854775807", 0, INT64_MAX },
		{ "9223372036854775808", -ERANGE, 0 },
		{ "99999999999999999999", -ERANGE, 0 },
		{ "-1", 0, -1 },
		{ "-2", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
		{ "k", -EINVAL, 0 },
		{ "1.5", -EINVAL, 0 },
		{ "1.k", -EINVAL, 0 },
		{ ".5k", -EINVAL, 0 },
		{ "10 k", -EINVAL, 0 },
		{ "10kk", -EINVAL, 0 },
		{ "10ib", -EINVAL, 0 },
		{ "10x", -EINVAL, 0 },
		{ "10kbx", -EINVAL, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t v = 0;

		unit_row("'%s'", rows[i].in);
		CHECK_INT(str_to_size(rows[i].in, &v), rows[i].want);
		CHECK_INT(v, rows[i].value);
	}
}

TEST(durations)
{
	static const struct {
		const char *in;
		int want;
		uint64_t ms;
	} rows[] = {
		{ "0", 0, 0 },
		{ "10", 0, 10000 },
		{ "2.5", 0, 2500 },
		{ "5s", 0, 5000 },
		{ "1m30s", 0, 90000 },
		{ "1h0m0.5s", 0, 3600500 },
		{ "1.5h", 0, 5400000 },
		{ "250ms", 0, 250 },
		{ "1us", 0, 1 },
		{ "1000us", 0, 1 },
		{ "1001us", 0, 2 },
		{ "1\xc2\xb5s", 0, 1 },
		{ "1ns", 0, 1 },
		{ "0s", 0, 0 },
		{ "18446744073709551615", -ERANGE, 0 },
		{ "9999999h", -ERANGE, 0 },
		{ "5000000h5000000h", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "s", -EINVAL, 0 },
		{ "-5s", -EINVAL, 0 },
		{ "5 s", -EINVAL, 0 },
		{ "5s5", -EINVAL, 0 },
		{ "0s5", -EINVAL, 0 },
		{ "5d", -EINVAL, 0 },
		{ "5.s", -EINVAL, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t ms = 0;

		unit_row("'%s'", rows[i].in);
		CHECK_INT(str_to_duration_ms(rows[i].in, &ms), rows[i].want);
		CHECK_INT((intmax_t)ms, (intmax_t)rows[i].ms);
	}
}

TEST(copy_and_shorten)
{
	static const struct {
		const char *in;
		size_t size;
		const char *copied, *shortened;
	} rows[] = {
		{ "abc", 4, "abc", "abc" },
		{ "", 1, "", "" },
		{ "abcd", 4, "abc", "abc" },
		{ "abcdefghijkl", 13, "abcdefghijkl", "abcdefghijkl" },
		{ "abcdefghijklm", 13, "abcdefghijkl", "abcd...ijklm" },
		{ "abcdefghijklm", 12, "abcdefghijk", "abcd...jklm" },
		{ "/very/long/path/to/file", 16, "/very/long/path", "/very/...o/file" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char copied[32] = "", shortened[32] = "";

		unit_row("'%s' in %zu", rows[i].in, rows[i].size);
		CHECK_INT(str_copy(copied, rows[i].size, rows[i].in),
			  strlen(rows[i].in) < rows[i].size);
		CHECK_STR(copied, rows[i].copied);
		str_shorten(shortened, rows[i].size, rows[i].in);
		CHECK_STR(shortened, rows[i].shortened);
		CHECK(strlen(shortened) < rows[i].size);
	}
}

/* Whatever the size, the result fits, is terminated, and keeps both ends. */
TEST(shorten_any_size)
{
	const char *in = "abcdefghijklmnopqrstuvwxyz";

	for (size_t size = 1; size < 40; size++) {
		char out[48];

		unit_row("%zu", size);
		memset(out, '#', sizeof(out));
		str_shorten(out, size, in);
		CHECK_INT((intmax_t)strlen(out), (intmax_t)(size > 26 ? 26 : size - 1));
		CHECK(out[size] == '#');
		if (size >= 8 && size <= 26) {
			CHECK(strstr(out, "..."));
			CHECK(out[0] == 'a' && str_ends(out, "z"));
		}
	}
}

TEST(escaping)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "plain text", "plain text" },
		{ "two\nlines\r\n", "two lines  " },
		{ "tab\there", "tab here" },
		{ "\033[31mred", "?[31mred" },
		{ "bell\a del\177", "bell? del?" },
		{ "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7",
		  "gr\xc3\xbc\xc3\x9f \xe2\x82\xac "
		  "\xf0\x9f\x90\xa7" },
		{ "c1 \xc2\x9b"
		  "2J",
		  "c1 ??2J" },
		{ "nbsp \xc2\xa0", "nbsp \xc2\xa0" },
		{ "sep \xe2\x80\xa8\xe2\x80\xa9", "sep ??????" },
		{ "bidi \xe2\x80\xae \xe2\x81\xa6", "bidi ??? ???" },
		{ "cut \xc3", "cut ?" },
		{ "cut \xe2\x82", "cut ??" },
		{ "lone \x80\xbf", "lone ??" },
		{ "overlong \xc0\xaf", "overlong ??" },
		{ "overlong \xe0\x80\xaf", "overlong ???" },
		{ "surrogate \xed\xa0\x80", "surrogate ???" },
		{ "beyond \xf4\x90\x80\x80", "beyond ????" },
		{ "\xff\xfe", "??" },
		{ "", "" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[64];

		unit_row("%zu", i);
		str_copy(text, sizeof(text), rows[i].in);
		str_escape_control(text);
		CHECK_STR(text, rows[i].out);
		str_escape_control(text);
		CHECK_STR(text, rows[i].out);
	}
}

TEST(octal_escapes_of_mountinfo)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "/a\\040b", "/a b" },	       { "\\011\\012\\134040\\043", "\t\n\\040#" },
		{ "\\377\\400", "\xff\\400" }, { "\\04", "\\04" },
		{ "\\048\\", "\\048\\" },      { "", "" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[64];

		unit_row("%zu", i);
		str_copy(text, sizeof(text), rows[i].in);
		CHECK_STR(str_unescape_octal(text), rows[i].out);
	}
}

TEST(comparisons)
{
	CHECK(str_starts("memory.max", "memory."));
	CHECK(str_starts("x", ""));
	CHECK(!str_starts("mem", "memory"));
	CHECK(str_ends("memory.max", ".max"));
	CHECK(str_ends("x", ""));
	CHECK(!str_ends("max", "memory.max"));
	CHECK_INT(str_casecmp("SIGkill", "sigKILL"), 0);
	CHECK(str_casecmp("a", "B") < 0);
	CHECK(str_casecmp("b", "A") > 0);
	CHECK(str_casecmp("a", "aa") < 0);
	/* not a letter: no folding by a locale that takes _ and DEL for a pair */
	CHECK(str_casecmp("[", "{") != 0);
	CHECK(str_casecmp("\xc3\xa4", "\xc3\x84") != 0);
}
