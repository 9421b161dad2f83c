/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

#include <errno.h>
#include <string.h>

#include "unit/unit.h"

/* The first seven are RFC 4648, section 10. */
TEST(base64)
{
	static const struct {
		const char *text, *bytes;
		size_t n;
	} rows[] = {
		{ "", "", 0 },
		{ "Zg==", "f", 1 },
		{ "Zm8=", "fo", 2 },
		{ "Zm9v", "foo", 3 },
		{ "Zm9vYg==", "foob", 4 },
		{ "Zm9vYmE=", "fooba", 5 },
		{ "Zm9vYmFy", "foobar", 6 },
		{ "AAAA", "\0\0\0", 3 },
		{ "AA==", "\0", 1 },
		{ "+/+/", "\xfb\xff\xbf", 3 },
		{ "09az", "\xd3\xd6\xb3", 3 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_arena a = arena_make();
		void *bytes;
		size_t n;

		unit_row("%s", rows[i].text);
		REQUIRE(base64_decode(&a, rows[i].text, &bytes, &n) == 0);
		REQUIRE(n == rows[i].n);
		CHECK(!memcmp(bytes, rows[i].bytes, n));
	}
}

TEST(base64_refused)
{
	static const char *const rows[] = {
		"Z",	  "Zg",		"Zg=",	   "Zm9", /* padding is missing */
		"====",	  "Z===",	"=Zm9",	   "Zg==Zg==", "Zm9v====", "Zm=v",
		"Z=9v",	  "Zh==",	"Zm9=",	   "/w8=\n", /* bits that are no byte's */
		"Zm9v\n", "Zm\n9vYmF",	"Zm 9",	   " Zm9",     "Zm9v\r\n", "-_-_",
		"Zm9*",	  "Zm\xc3\xa4", "\x01mmm",
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_arena a = arena_make();
		void *bytes;
		size_t n;

		unit_row("%s", rows[i]);
		CHECK_INT(base64_decode(&a, rows[i], &bytes, &n), -EINVAL);
	}
}
