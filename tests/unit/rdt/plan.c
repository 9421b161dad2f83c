/* SPDX-License-Identifier: Apache-2.0 */
#include "rdt/rdt.h"
#include "unit/spec/bundle.h"
#include "unit/unit.h"

static int make(struct arena *a, const char *rdt, const char *id, struct rdt_plan *ret,
		struct err *e)
{
	const struct bundle_parts parts = {
		.linux = rdt ? arena_printf(a, "\"intelRdt\": { %s }", rdt) : NULL
	};
	struct spec *s = NULL;

	REQUIRE_OK(bundle_load(a, &parts, &s, e), e);
	return rdt_plan_make(a, s, id, ret, e);
}

static const char *word(const char *s)
{
	return s ? s : "-";
}

TEST(plan_fields)
{
	static const struct {
		const char *rdt, *group, *monitor, *schema, *schemata;
		bool own, must_exist;
	} rows[] = {
		{ "", "c1", NULL, NULL, NULL, true, false },
		{ "\"closID\": \"\"", "c1", NULL, NULL, NULL, true, false },
		{ "\"closID\": \"gold\"", "gold", NULL, NULL, NULL, false, true },
		{ "\"closID\": \"/\"", ".", NULL, NULL, NULL, false, true },
		{ "\"closID\": \"/\", \"enableMonitoring\": true", ".", "./mon_groups/c1", NULL,
		  NULL, false, true },
		{ "\"enableMonitoring\": true", "c1", "c1/mon_groups/c1", NULL, NULL, true, false },
		{ "\"enableMonitoring\": false", "c1", NULL, NULL, NULL, true, false },
		{ "\"closID\": \"gold\", \"l3CacheSchema\": \"L3:0=f\"", "gold", NULL, "L3:0=f\n",
		  NULL, false, false },
		{ "\"memBwSchema\": \"MB:0=50\"", "c1", NULL, "MB:0=50\n", NULL, true, false },
		{ "\"l3CacheSchema\": \"L3:0=f\", \"memBwSchema\": \"MB:0=50\"", "c1", NULL,
		  "L3:0=f\nMB:0=50\n", NULL, true, false },
		{ "\"l3CacheSchema\": \"MB:0=70\\nL3:0=f\\nMB:1=70\\n\", \"memBwSchema\": "
		  "\"MB:0=50\"",
		  "c1", NULL, "L3:0=f\nMB:0=50\n", NULL, true, false },
		{ "\"l3CacheSchema\": \"MB:0=70\\n\"", "c1", NULL, NULL, NULL, true, false },
		{ "\"schemata\": [ \"L2:0=f\", \"L3:0=1\\n\" ], \"closID\": \"gold\"", "gold", NULL,
		  NULL, "L2:0=f\nL3:0=1\n", false, false },
		{ "\"schemata\": [ ], \"closID\": \"gold\"", "gold", NULL, NULL, NULL, false,
		  true },
	};
	auto_arena a = arena_make();

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err e = { 0 };
		struct rdt_plan p;

		unit_row("%s", rows[i].rdt);
		REQUIRE_OK(make(&a, rows[i].rdt, "c1", &p, &e), &e);
		CHECK(p.wanted);
		CHECK_STR(p.group, rows[i].group);
		CHECK_STR(word(p.monitor), word(rows[i].monitor));
		CHECK_STR(word(p.schema), word(rows[i].schema));
		CHECK_STR(word(p.schemata), word(rows[i].schemata));
		CHECK_INT(p.own, rows[i].own);
		CHECK_INT(p.must_exist, rows[i].must_exist);
	}
}

TEST(plan_without)
{
	auto_arena a = arena_make();
	struct err e = { 0 };
	struct rdt_plan p;

	REQUIRE_OK(make(&a, NULL, "mon_groups", &p, &e), &e);
	CHECK(!p.wanted && !p.group && !p.monitor);
}

TEST(plan_refused)
{
	static const struct {
		const char *rdt, *id, *want;
	} rows[] = {
		{ "\"closID\": \"..\"", "c1",
		  "linux.intelRdt.closID: '..' is no name for a class of service" },
		{ "\"closID\": \".\"", "c1",
		  "linux.intelRdt.closID: '.' is no name for a class of service" },
		{ "\"closID\": \"a/b\"", "c1",
		  "linux.intelRdt.closID: 'a/b' is no name for a class of service" },
		{ "\"closID\": \"/a\"", "c1",
		  "linux.intelRdt.closID: '/a' is no name for a class of service" },
		{ "\"closID\": \"info\"", "c1",
		  "linux.intelRdt.closID: 'info' is no name for a class of service" },
		{ "", "mon_data",
		  "linux.intelRdt: the container's id: 'mon_data' is no name for a class of "
		  "service" },
	};
	auto_arena a = arena_make();

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err e = { 0 };
		struct rdt_plan p;

		unit_row("%s", rows[i].want);
		CHECK(make(&a, rows[i].rdt, rows[i].id, &p, &e) == -EINVAL);
		CHECK_STR(e.text, rows[i].want);
	}
}
