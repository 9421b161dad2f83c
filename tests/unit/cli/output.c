/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "unit/unit.h"

TEST(json_of_any_bytes_is_json)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "a \"b\" \\", "\"a \\\"b\\\" \\\\\"" },
		{ "line\n\033", "\"line\\u000a\\u001b\"" },
		{ "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x90\xa7",
		  "\"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x90\xa7\"" },
		{ "\xff\xfe", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "cut \xe2\x82", "\"cut \xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "surrogate \xed\xa0\x80", "\"surrogate \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "", "\"\"" },
	};
	auto_arena a = arena_make();

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct output o = { .arena = &a };

		unit_row("%zu", i);
		output_json_string(&o, rows[i].in);
		CHECK_STR(o.text, rows[i].out);
	}
}
