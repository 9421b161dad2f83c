/* SPDX-License-Identifier: Apache-2.0 */
#include "proc/parts.h"
#include "unit/unit.h"

TEST(bits)
{
	static const struct {
		const char *text;
		unsigned long first; /* word */
		size_t n;
	} rows[] = {
		{ "", 0, 0 },
		{ "0", 1, 1 },
		{ "0-3", 0xf, 1 },
		{ "1,3", 0xa, 1 },
		{ "3,1-2", 0xe, 1 },
		{ "5-5", 0x20, 1 },
		{ "0,64", 1, 64 / WORD_BITS + 1 },
		{ "0,65535", 1, 65536 / WORD_BITS },
		{ " 0, 2-3 ", 0xd, 1 },
		{ ",0,,1 3,", 0xb, 1 },
		{ " , ", 0, 0 },
	};
	auto_arena a = arena_make();

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct proc_bits b = { 0 };
		struct err e = { 0 };

		unit_row("'%s'", rows[i].text);
		REQUIRE_OK(parse_bits(&a, rows[i].text, "x", &b, &e), &e);
		CHECK_INT(b.n_words, rows[i].n);
		CHECK_INT(b.words[0], rows[i].first);
	}
}

TEST(bits_refused)
{
	static const char *const rows[] = { "a",     "3-1",   "-1",    "1-",
					    "65536", "1--2",  "1-2-3", "0x1",
					    "0 -",   "0 - 1", "0;1",   "99999999999999999999" };
	auto_arena a = arena_make();

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct proc_bits b = { 0 };
		struct err e = { 0 };

		unit_row("'%s'", rows[i]);
		CHECK_INT(parse_bits(&a, rows[i], "x.cpus", &b, &e), -EINVAL);
		CHECK_HAS(e.text, "x.cpus: '");
		CHECK(b.words == NULL);
	}
}
