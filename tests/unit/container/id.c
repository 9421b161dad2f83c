/* SPDX-License-Identifier: Apache-2.0 */
/* The grammar of container ids. */
#include "base/str.h"
#include "container/container.h"
#include "unit/unit.h"

static const struct {
	const char *id;
	bool good;
} cases[] = {
	{ "a", true },	       { "A1", true },	 { "0", true },	     { "a.b", true },
	{ "a..b", true },      { "_", true },	 { "+x", true },     { "-x", true },
	{ "a_b+c-d.e", true }, { "", false },	 { ".", false },     { "..", false },
	{ ".a", false },       { "a/b", false }, { "/", false },     { "../x", false },
	{ "a b", false },      { "a\n", false }, { "a\tb", false },  { "\xc3\xa4", false },
	{ "a:b", false },      { "a@b", false }, { "a\x7f", false }, { "a%b", false },
	{ "a~", false },       { "a*", false },
};

TEST(id_grammar)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct err e = { 0 };

		unit_row("'%s'", cases[i].id);
		CHECK_INT(container_id_check(cases[i].id, &e), cases[i].good ? 0 : -EINVAL);
		CHECK_INT(e.code, cases[i].good ? 0 : EINVAL);
	}
}

TEST(id_length)
{
	char longest[257];

	memset(longest, 'x', sizeof(longest) - 1);
	longest[256] = '\0';
	CHECK_INT(container_id_check(longest, NULL), -EINVAL);
	longest[255] = '\0';
	CHECK_INT(container_id_check(longest, NULL), 0);
}
