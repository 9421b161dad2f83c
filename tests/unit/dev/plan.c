/* SPDX-License-Identifier: Apache-2.0 */
/* What a configuration makes of the devices. */
#include <sys/stat.h>

#include "dev/dev.h"
#include "unit/spec/bundle.h"
#include "unit/unit.h"

#define DEVICE(path, type, numbers) "{ \"path\": \"" path "\", \"type\": \"" type "\"" numbers " }"
#define NUMBERS(major, minor)	    ", \"major\": " #major ", \"minor\": " #minor

static int make(struct arena *a, struct bundle_parts parts, struct dev_plan *ret, struct err *e)
{
	static const struct host root = { 0 };
	struct spec *s = NULL;

	REQUIRE_OK(bundle_load(a, &parts, &s, e), e);
	return dev_plan_make(a, s, &root, ret, e);
}

static struct dev_plan plan(struct arena *a, struct bundle_parts parts)
{
	struct dev_plan p = { 0 };
	struct err e = { 0 };

	REQUIRE_OK(make(a, parts, &p, &e), &e);
	return p;
}

static const struct dev_node *node(const struct dev_plan *p, const char *path)
{
	for (size_t i = 0; i < p->n_nodes; i++)
		if (str_eq(p->nodes[i].path, path))
			return &p->nodes[i];
	return NULL;
}

static const char *link_of(const struct dev_plan *p, const char *path)
{
	for (size_t i = 0; i < p->n_links; i++)
		if (str_eq(p->links[i].path, path))
			return p->links[i].target;
	return NULL;
}

TEST(plan_defaults)
{
	static const struct {
		const char *path;
		unsigned major, minor;
	} rows[] = {
		{ "/dev/null", 1, 3 },	 { "/dev/zero", 1, 5 },	   { "/dev/full", 1, 7 },
		{ "/dev/random", 1, 8 }, { "/dev/urandom", 1, 9 }, { "/dev/tty", 5, 0 },
	};
	auto_arena a = arena_make();
	struct dev_plan p = plan(&a, (struct bundle_parts){ 0 });

	CHECK_INT(p.n_nodes, COUNT(rows));
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct dev_node *n = node(&p, rows[i].path);

		unit_row("%s", rows[i].path);
		REQUIRE(n != NULL);
		CHECK_INT(n->major, rows[i].major);
		CHECK_INT(n->minor, rows[i].minor);
		CHECK(n->type == S_IFCHR && n->mode == 0666 && !n->uid && !n->gid && n->is_default);
	}
	CHECK_INT(p.n_links, 5);
	CHECK_STR(link_of(&p, "/dev/ptmx"), "pts/ptmx");
	CHECK_STR(link_of(&p, "/dev/fd"), "/proc/self/fd");
	CHECK_STR(link_of(&p, "/dev/stdin"), "/proc/self/fd/0");
	CHECK_STR(link_of(&p, "/dev/stdout"), "/proc/self/fd/1");
	CHECK_STR(link_of(&p, "/dev/stderr"), "/proc/self/fd/2");
	CHECK(!p.skip && !p.bind && !p.console);
}

/* Which namespaces there are decides whether and how. */
TEST(plan_of_namespaces)
{
	static const struct {
		const char *namespaces;
		bool terminal, skip, bind, console;
	} rows[] = {
		{ "", false, true, false, false },
		{ "", true, true, false, false },
		{ "{ \"type\": \"mount\" }", false, false, false, false },
		{ "{ \"type\": \"mount\" }", true, false, false, true },
		{ "{ \"type\": \"mount\", \"path\": \"/x\" }", true, false, false, true },
		{ "{ \"type\": \"mount\" }, { \"type\": \"user\", \"path\": \"/x\" }", false, false,
		  true, false },
	};
	static const struct host root = { 0 }, user = { .euid = 1000 };

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_arena a = arena_make();
		struct dev_plan p = { 0 };
		struct spec *s = NULL;
		struct err e = { 0 };
		const char *text = arena_printf(
			&a,
			"{ \"ociVersion\": \"1.3.0\", \"root\": { \"path\": \"rootfs\" }, "
			"\"process\": { \"args\": [ \"sh\" ], \"cwd\": \"/\", \"terminal\": %s }, "
			"\"linux\": { \"namespaces\": [ %s ] } }",
			rows[i].terminal ? "true" : "false", rows[i].namespaces);

		unit_row("%zu", i);
		REQUIRE_OK(bundle_load_text(&a, text, &s, &e), &e);
		REQUIRE_OK(dev_plan_make(&a, s, &root, &p, &e), &e);
		CHECK_INT(p.skip, rows[i].skip);
		CHECK_INT(p.bind, rows[i].bind);
		CHECK_INT(p.console, rows[i].console);
		REQUIRE_OK(dev_plan_make(&a, s, &user, &p, &e), &e);
		CHECK(p.bind);
	}
}

/* Made by the parent: what is configured, is no fifo and has an owner outside. */
TEST(plan_outside)
{
	static const char text[] =
		"{ \"ociVersion\": \"1.3.0\", \"root\": { \"path\": \"rootfs\" }, \"linux\": {"
		"\"namespaces\": [ { \"type\": \"mount\" }, { \"type\": \"user\" } ],"
		"\"uidMappings\": [ { \"containerID\": 0, \"hostID\": 100000, \"size\": 10 } ],"
		"\"gidMappings\": [ { \"containerID\": 0, \"hostID\": 200000, \"size\": 10 } ],"
		"\"devices\": ["
		"{ \"path\": \"/dev/null\", \"type\": \"c\"" NUMBERS(
			1,
			3) ", \"uid\": 7 },"
			   "{ \"path\": \"/dev/mine\", \"type\": \"b\"" NUMBERS(
				   7,
				   3) ", \"gid\": 9 },"
				      "{ \"path\": \"/dev/beyond\", \"type\": \"c\"" NUMBERS(
					      1,
					      3) ", \"uid\": 10 },"
						 "{ \"path\": \"/dev/pipe\", \"type\": \"p\", \"uid\": 1 } ] } }";
	static const struct host root = { 0 }, user = { .euid = 1000 };
	static const struct {
		const char *path;
		unsigned outside, host_uid, host_gid;
	} rows[] = {
		{ "/dev/null", 1, 100007, 200000 }, { "/dev/zero", 0, 0, 0 },
		{ "/dev/mine", 2, 100000, 200009 }, { "/dev/beyond", 0, 0, 0 },
		{ "/dev/pipe", 0, 0, 0 },
	};
	auto_arena a = arena_make();
	struct dev_plan p = { 0 };
	struct spec *s = NULL;
	struct err e = { 0 };

	REQUIRE_OK(bundle_load_text(&a, text, &s, &e), &e);
	REQUIRE_OK(dev_plan_make(&a, s, &root, &p, &e), &e);
	CHECK(p.bind && p.n_outside == 2);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct dev_node *n = node(&p, rows[i].path);

		unit_row("%s", rows[i].path);
		REQUIRE(n != NULL);
		CHECK_INT(n->outside, rows[i].outside);
		CHECK_INT(n->outside ? n->host_uid : 0, rows[i].host_uid);
		CHECK_INT(n->outside ? n->host_gid : 0, rows[i].host_gid);
	}
	REQUIRE_OK(dev_plan_make(&a, s, &user, &p, &e), &e);
	CHECK(p.bind && !p.n_outside);
}

TEST(plan_configured)
{
	auto_arena a = arena_make();
	struct dev_plan p = plan(
		&a,
		(struct bundle_parts){
			.linux =
				"\"devices\": [ "
				"{ \"path\": \"/dev/null\", \"type\": \"c\", \"major\": 1, \"minor\": 3, "
				"\"fileMode\": 432, \"uid\": 7, \"gid\": 8 }, "
				"{ \"path\": \"/dev//net/./tun/\", \"type\": \"u\", \"major\": 10, "
				"\"minor\": 200, \"fileMode\": 8630 }, " DEVICE(
					"/dev/ptmx", "c",
					NUMBERS(5,
						2)) ", " DEVICE("/srv/disk", "b",
								NUMBERS(8,
									1)) ", " DEVICE("/run/pipe",
											"p",
											"") " ]" });
	const struct dev_node *n = node(&p, "/dev/null");

	CHECK_INT(p.n_nodes, 6 + 4);
	REQUIRE(n != NULL);
	CHECK(n->mode == 0660 && n->uid == 7 && n->gid == 8 && !n->is_default);
	n = node(&p, "/dev/net/tun");
	REQUIRE(n != NULL);
	CHECK(n->type == S_IFCHR && n->major == 10 && n->minor == 200 && n->mode == 0666);
	CHECK(link_of(&p, "/dev/ptmx") == NULL);
	CHECK_INT(p.n_links, 4);
	n = node(&p, "/srv/disk");
	CHECK(n && n->type == S_IFBLK && n->mode == 0666);
	n = node(&p, "/run/pipe");
	CHECK(n && n->type == S_IFIFO && !n->major && !n->minor);
}

/* The same once more is fine; the last one says owner and mode. */
TEST(plan_configured_twice)
{
	auto_arena a = arena_make();
	struct dev_plan p = plan(
		&a,
		(struct bundle_parts){
			.linux = "\"devices\": [ " DEVICE(
				"/dev/fuse", "c",
				NUMBERS(10, 229)) ", " DEVICE("/dev/fuse", "c",
							      NUMBERS(10,
								      229) ", \"uid\": 5") " ]" });

	CHECK_INT(p.n_nodes, 7);
	CHECK(node(&p, "/dev/fuse") && node(&p, "/dev/fuse")->uid == 5);
}

TEST(plan_refused)
{
	static const struct {
		const char *devices, *want;
	} rows[] = {
		{ DEVICE("/dev/x", "c", ""), "linux.devices[0]: '/dev/x' needs major" },
		{ DEVICE("/dev/x", "b", ", \"major\": 1"),
		  "linux.devices[0]: '/dev/x' needs minor" },
		{ DEVICE("/dev/x", "c", NUMBERS(4096, 1)), "there is no device 4096:1" },
		{ DEVICE("/dev/x", "c", NUMBERS(1, 1048576)), "there is no device 1:1048576" },
		{ DEVICE("/dev/x", "c", NUMBERS(-1, 1)), "there is no device -1:1" },
		{ DEVICE("/dev/x", "z", NUMBERS(1, 1)), "linux.devices[0].type: unknown 'z'" },
		{ DEVICE("/dev/../x", "c", NUMBERS(1, 1)), "'/dev/../x' is not absolute" },
		{ DEVICE("/..", "c", NUMBERS(1, 1)), "'/..' is not absolute" },
		{ DEVICE("/", "c", NUMBERS(1, 1)), "'/' is not absolute" },
		{ DEVICE("/dev/x", "c", NUMBERS(1, 1)) ", " DEVICE("/dev/x", "c", NUMBERS(1, 2)),
		  "linux.devices[1]: '/dev/x' is another device further up" },
		{ DEVICE("/dev/x", "c", NUMBERS(1, 1)) ", " DEVICE("/dev//x", "b", NUMBERS(1, 1)),
		  "linux.devices[1]: '/dev/x' is another device further up" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_arena a = arena_make();
		struct dev_plan p = { 0 };
		struct err e = { 0 };
		const char *text = arena_printf(&a, "\"devices\": [ %s ]", rows[i].devices);

		unit_row("%s", rows[i].devices);
		CHECK_INT(make(&a, (struct bundle_parts){ .linux = text }, &p, &e), -EINVAL);
		CHECK_HAS(e.text, rows[i].want);
	}
}

#define BIND(at, options) \
	"{ \"destination\": \"" at "\", \"source\": \"/dev\", \"options\": [ " options " ] }"
#define TMPFS "{ \"destination\": \"/dev\", \"type\": \"tmpfs\", \"source\": \"tmpfs\" }"

/* What is bound on /dev is somebody's and is not filled. */
TEST(plan_of_a_bound_dev)
{
	static const struct {
		const char *mounts;
		bool bound;
	} rows[] = {
		{ TMPFS, false },
		{ BIND("/dev", "\"bind\""), true },
		{ BIND("/dev/", "\"ro\", \"rbind\""), true },
		{ BIND("/dev/x", "\"bind\""), false },
		{ BIND("/dev", "\"bind\"") ", " TMPFS, false },
		{ TMPFS ", " BIND("/dev", "\"bind\""), true },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_arena a = arena_make();
		struct bundle_parts parts = {
			.top = arena_printf(&a, "\"mounts\": [ %s ]", rows[i].mounts),
		};
		struct dev_plan p = plan(&a, parts);

		unit_row("%s", rows[i].mounts);
		CHECK_INT(p.skip, rows[i].bound);
		CHECK_INT(p.n_nodes, rows[i].bound ? 0 : 6);
		parts.linux = "\"devices\": [ " DEVICE("/dev/a", "c", NUMBERS(1, 3)) ", " DEVICE(
			"/a", "c", NUMBERS(1, 3)) " ]";
		p = plan(&a, parts);
		CHECK(!p.skip && node(&p, "/a"));
		CHECK_INT(node(&p, "/dev/a") != NULL, !rows[i].bound);
	}
}

/* What is mounted where a link would be stays, unless a later mount hides it. */
TEST(plan_of_mounted_links)
{
	static const struct {
		const char *mounts;
		bool made;
	} rows[] = {
		{ TMPFS ", " BIND("/dev/fd", "\"bind\""), false },
		{ TMPFS ", " BIND("//dev/./fd/", "\"bind\""), false },
		{ TMPFS ", " BIND("/dev/fd/9", "\"bind\""), false },
		{ BIND("/dev/fd", "\"bind\"") ", " TMPFS, true },
		{ TMPFS ", " BIND("/dev/fds", "\"bind\""), true },
		{ TMPFS ", " BIND("dev/fd", "\"bind\""), true },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_arena a = arena_make();
		struct dev_plan p = plan(
			&a, (struct bundle_parts){
				    .top = arena_printf(&a, "\"mounts\": [ %s ]", rows[i].mounts),
			    });

		unit_row("%s", rows[i].mounts);
		CHECK_INT(link_of(&p, "/dev/fd") != NULL, rows[i].made);
		CHECK_INT(p.n_links, rows[i].made ? 5 : 4);
	}
}
