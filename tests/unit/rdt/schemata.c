/* SPDX-License-Identifier: Apache-2.0 */
#include "rdt/schemata.h"
#include "unit/unit.h"

#define PRESENT                    \
	"    MB:0= 20;1=100\n"     \
	"    L3:0=007ff;1=0000f\n" \
	"L2CODE:0=ff\n"

TEST(schemata_compared)
{
	static const struct {
		const char *wanted, *missing;
		struct rdt_bandwidth mb;
	} rows[] = {
		{ "", NULL, { 0 } },
		{ "L3:0=7ff;1=f\n", NULL, { 0 } },
		{ "L3:1=F;0=7FF", NULL, { 0 } },
		{ "L3:0=00007ff\n", NULL, { 0 } },
		{ "L3: 00 = 7ff ; 1=0f ;\n", NULL, { 0 } },
		{ "L3:0=7fe\n", "L3:0=7fe", { 0 } },
		{ "L3:0=7ff;2=f\n", "L3:0=7ff;2=f", { 0 } },
		{ "L3:1=\n", "L3:1=", { 0 } },
		{ "L3CODE:0=f\n", "L3CODE:0=f", { 0 } },
		{ "L2:0=ff\n", "L2:0=ff", { 0 } },
		{ "L2CODE:0=ff\nMB:1=100\n", NULL, { 0 } },
		{ "L2CODE:0=ff\nMB:1=90\nL3:0=1\n", "MB:1=90", { 0 } },
		{ "MB:0=20;1=100\n", NULL, { 0 } },
		{ "MB:0=15\n", "MB:0=15", { 0 } },
		{ "MB:0=15\n", NULL, { .min = 10, .step = 10 } },
		{ "MB:0=5\n", NULL, { .min = 20, .step = 10 } },
		{ "MB:0=21\n", "MB:0=21", { .min = 10, .step = 10 } },
		{ "MB:0=x\n", "MB:0=x", { .min = 10, .step = 10 } },
		{ "\n\nL3:0=7ff\n\n", NULL, { 0 } },
	};
	auto_arena a = arena_make();

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *missing = schemata_missing(&a, rows[i].wanted, PRESENT, &rows[i].mb);

		unit_row("%zu: %s", i, rows[i].wanted);
		CHECK_STR(missing ? missing : "", rows[i].missing ? rows[i].missing : "");
	}
}
