/* SPDX-License-Identifier: Apache-2.0 */
#include "base/table.h"

#include <errno.h>

#include "unit/unit.h"

static const struct name_row rows[] = {
	{ "pid", 1 },	  { "mount", 2 }, { "mnt", 2 },	   { "network", 3 },
	{ "cgroup", -4 }, { "user", 5 },  { "memory", 6 }, { "mempolicy", 7 },
};

TEST(both_ways)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t v = 99;

		unit_row("%s", rows[i].name);
		CHECK_INT(name_lookup(rows, COUNT(rows), rows[i].name, &v), 0);
		CHECK_INT(v, rows[i].value);
	}
	unit_row("other");
	CHECK_STR(name_of(rows, COUNT(rows), 2), "mount");
	CHECK_STR(name_of(rows, COUNT(rows), -4), "cgroup");
	CHECK_STR(name_of(rows, COUNT(rows), 42), NULL);
}

TEST(unknown_names)
{
	static const char *const names[] = { "", "PID", "pi", "pidx", " pid" };

	for (size_t i = 0; i < COUNT(names); i++) {
		int64_t v = 99;

		unit_row("'%s'", names[i]);
		CHECK_INT(name_lookup(rows, COUNT(rows), names[i], &v), -EINVAL);
		CHECK_INT(v, 99);
	}
}

TEST(nearest)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		{ "pids", "pid" },
		{ "PID", "pid" },
		{ "netwark", "network" },
		{ "nettwark", "network" },
		{ "memozy", "memory" },
		{ "dip", NULL }, /* two letters, and a third of three is one */
		{ "ipd", "pid" },
		{ "ntework", "network" },
		{ "cgroups", "cgroup" },
		{ "memorypolicy", "mempolicy" },
		{ "xyzzy", NULL },
		{ "", NULL },
		{ "p", NULL },
		{ "aVeryLongNameOfMoreThanFortyCharactersInAll", NULL },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		unit_row("%s", cases[i].in);
		CHECK_STR(name_nearest(rows, COUNT(rows), cases[i].in), cases[i].want);
	}
}
