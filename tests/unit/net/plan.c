/* SPDX-License-Identifier: Apache-2.0 */
#include "net/net.h"
#include "unit/spec/bundle.h"
#include "unit/unit.h"

#define NS     "\"namespaces\": [ { \"type\": \"network\" } ]"
#define JOINED "\"namespaces\": [ { \"type\": \"network\", \"path\": \"/run/netns/a\" } ]"

static int make(struct arena *a, const char *linux, uid_t euid, struct net_plan *ret, struct err *e)
{
	const struct host host = { .euid = euid };
	const char *text =
		arena_printf(a,
			     "{ \"ociVersion\": \"1.3.0\", \"root\": { \"path\": \"r\" }, "
			     "\"process\": { \"args\": [ \"sh\" ], \"cwd\": \"/\" }, "
			     "\"linux\": { %s } }",
			     linux);
	struct spec *s = NULL;

	REQUIRE_OK(bundle_load_text(a, text, &s, e), e);
	return net_plan_make(a, s, &host, ret, e);
}

TEST(plan_loopback)
{
	auto_arena a = arena_make();
	struct net_plan p;
	struct err e = { 0 };

	REQUIRE_OK(make(&a, NS, 1000, &p, &e), &e);
	CHECK(p.loopback && !p.n_devices);
	REQUIRE_OK(make(&a, JOINED, 0, &p, &e), &e);
	CHECK(!p.loopback);
	REQUIRE_OK(make(&a, "", 0, &p, &e), &e);
	CHECK(!p.loopback);
}

TEST(plan_devices)
{
	auto_arena a = arena_make();
	struct net_plan p;
	struct err e = { 0 };

	REQUIRE_OK(make(&a,
			JOINED ", \"netDevices\": { \"eth0\": {}, \"eth1\": { \"name\": \"lan\" }, "
			       "\"eth2\": { \"name\": \"wan%d\" }, \"eth3\": { \"name\": \"\" }, "
			       "\"fifteen-letters\": { \"name\": \"wan%d\" } }",
			0, &p, &e),
		   &e);
	REQUIRE(p.n_devices == 5);
	CHECK_STR(p.devices[0].from, "eth0");
	CHECK_STR(p.devices[0].to, "eth0");
	CHECK_STR(p.devices[1].to, "lan");
	CHECK_STR(p.devices[2].to, "wan%d");
	CHECK_STR(p.devices[3].to, "eth3");
	CHECK_STR(p.devices[4].to, "wan%d");
}

TEST(plan_refused)
{
	static const struct {
		const char *linux;
		uid_t euid;
		const char *want;
	} rows[] = {
		{ "\"netDevices\": { \"a\": {} }", 0,
		  "linux.netDevices needs a network namespace in linux.namespaces" },
		{ NS ", \"netDevices\": { \"a\": {} }", 1000,
		  "linux.netDevices: only root can move network devices" },
		{ NS ", \"netDevices\": { \"\": {} }", 0,
		  "linux.netDevices: the name '' is empty" },
		{ NS ", \"netDevices\": { \"sixteen-letters-\": {} }", 0,
		  "linux.netDevices: the name 'sixteen-letters-' is longer than 15 bytes" },
		{ NS ", \"netDevices\": { \"a%d\": {} }", 0,
		  "linux.netDevices: the name 'a%d' holds a '%'" },
		{ NS ", \"netDevices\": { \"a\": { \"name\": \"..\" } }", 0,
		  "linux.netDevices.a.name: '..' is the name of a directory" },
		{ NS ", \"netDevices\": { \"a\": { \"name\": \"b/c\" } }", 0,
		  "linux.netDevices.a.name: 'b/c' holds a '/', a ':' or white space" },
		{ NS ", \"netDevices\": { \"a\": { \"name\": \"b:c\" } }", 0,
		  "linux.netDevices.a.name: 'b:c' holds a '/', a ':' or white space" },
		{ NS ", \"netDevices\": { \"a\": { \"name\": \"b c\" } }", 0,
		  "linux.netDevices.a.name: 'b c' holds a '/', a ':' or white space" },
		{ NS ", \"netDevices\": { \"a\": { \"name\": \"b%s\" } }", 0,
		  "linux.netDevices.a.name: 'b%s' holds a '%' that is not one '%d'" },
		{ NS ", \"netDevices\": { \"a\": { \"name\": \"b%d%d\" } }", 0,
		  "linux.netDevices.a.name: 'b%d%d' holds a '%' that is not one '%d'" },
		{ NS ", \"netDevices\": { \"a\": { \"name\": \"b\" }, \"b\": {} }", 0,
		  "linux.netDevices: 'a' and 'b' would both be named 'b'" },
	};
	auto_arena a = arena_make();

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct net_plan p;
		struct err e = { 0 };

		unit_row("%s", rows[i].want);
		CHECK(make(&a, rows[i].linux, rows[i].euid, &p, &e) < 0);
		CHECK_STR(e.text, rows[i].want);
	}
}
