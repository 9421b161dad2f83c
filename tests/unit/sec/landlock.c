/* SPDX-License-Identifier: Apache-2.0 */
/* Landlock: words to bits, what each version of the kernel's interface knows, its absence. */
#include "sec/sec.h"
#include "sys/sys.h"
#include "unit/unit.h"

TEST(known)
{
	static const struct {
		int abi;
		uint64_t fs, network;
	} rows[] = {
		{ -38, 0, 0 },	  { 0, 0, 0 },	    { 1, 0x1fff, 0 }, { 2, 0x3fff, 0 },
		{ 3, 0x7fff, 0 }, { 4, 0x7fff, 3 }, { 5, 0xffff, 3 }, { 7, 0xffff, 3 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		unit_row("version %d", rows[i].abi);
		CHECK(landlock_known_fs(rows[i].abi) == rows[i].fs);
		CHECK(landlock_known_network(rows[i].abi) == rows[i].network);
	}
}

TEST(names)
{
	auto_arena a = arena_make();

	CHECK_STR(landlock_right_names(&a, 0, 0), "");
	CHECK_STR(landlock_right_names(&a, 1 << 0 | 1 << 15, 2), "execute, ioctl_dev, connect");
}

TEST(words)
{
	static const char *handled[] = { "execute", "refer" }, *network[] = { "bind" };
	static const char *paths[] = { "/a", "/b" };
	static uint16_t ports[] = { 80 };
	struct oci_landlock_ruleset ruleset = { .handled_access_fs = handled,
						.n_handled_access_fs = 2,
						.handled_access_network = network,
						.n_handled_access_network = 1 };
	struct oci_landlock_path_beneath beneath = {
		.allowed_access = handled, .n_allowed_access = 1, .paths = paths, .n_paths = 2
	};
	struct oci_landlock_network_port port = {
		.allowed_access = network, .n_allowed_access = 1, .ports = ports, .n_ports = 1
	};
	struct oci_landlock_path_beneath *all_beneath[] = { &beneath };
	struct oci_landlock_network_port *all_ports[] = { &port };
	struct oci_landlock_rules rules = { .path_beneath = all_beneath,
					    .n_path_beneath = 1,
					    .network_port = all_ports,
					    .n_network_port = 1 };
	const struct oci_landlock oci = { .ruleset = &ruleset, .rules = &rules };
	auto_arena a = arena_make();
	struct landlock_plan p;

	landlock_plan_make(&a, NULL, &p);
	CHECK(!p.wanted);
	landlock_plan_make(&a, &oci, &p);
	CHECK(p.wanted && p.best_effort);
	CHECK(p.fs == (1 << 0 | 1 << 13) && p.network == 1);
	REQUIRE(p.n_paths == 2 && p.n_ports == 1);
	CHECK_STR(p.paths[1].path, "/b");
	CHECK(p.paths[1].allowed == 1);
	CHECK(p.ports[0].port == 80 && p.ports[0].allowed == 1);
}

/* What no kernel knows yet: the last bit of 64. */
TEST(unknown_to_the_kernel)
{
	struct landlock_plan p = { .wanted = true, .best_effort = true, .fs = 1ULL << 63 | 1 };
	auto_arena a = arena_make();
	struct err e = { 0 };

	if (sys_landlock_version() < 1) {
		CHECK(sec_landlock_check(&a, &p, &e) < 0);
		CHECK_HAS(e.text, "landlock: this kernel has none");
		return;
	}
	CHECK_OK(sec_landlock_check(&a, &p, &e), &e);
	CHECK(p.fs == 1);
	p.fs = 0;
	CHECK(sec_landlock_make(&p, &e) == -ENOTSUP);
}
