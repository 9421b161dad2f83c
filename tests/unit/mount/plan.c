/* SPDX-License-Identifier: Apache-2.0 */
/* What a configuration makes of the mounts; nothing of the machine is looked at. */
#include "mount/mount.h"
#include "unit/spec/bundle.h"
#include "unit/unit.h"

#define NS	    "\"namespaces\": [ { \"type\": \"mount\" }, { \"type\": \"pid\" } ]"
#define IPC	    "\"namespaces\": [ { \"type\": \"mount\" }, { \"type\": \"ipc\" } ]"
#define MOUNTS(...) "\"mounts\": [ " #__VA_ARGS__ " ]"
#define MAP	    "{ \"containerID\": 0, \"hostID\": 1000, \"size\": 10 }"
#define USER_NS                                                                \
	"\"namespaces\": [ { \"type\": \"mount\" }, { \"type\": \"user\" } ]," \
	"\"uidMappings\": [ " MAP " ], \"gidMappings\": [ " MAP " ]"

static int make(struct arena *a, struct bundle_parts parts, struct mount_plan *ret, struct err *e)
{
	static const struct host host = { .v2_self = "/", .cgroups = HOST_CGROUP_V2 };
	struct spec *s = NULL;
	const char *text =
		arena_printf(a,
			     "{ \"ociVersion\": \"1.3.0\", \"root\": { \"path\": \"rootfs\" }, "
			     "\"linux\": { %s }%s%s }",
			     parts.linux, parts.top ? ", " : "", parts.top ? parts.top : "");

	REQUIRE_OK(bundle_load_text(a, text, &s, e), e);
	return mount_plan_make(a, s, &host, NULL, ret, e);
}

TEST(plan_kinds)
{
	static const struct {
		const char *mounts;
		enum mount_kind kind;
		const char *target, *source;
	} rows[] = {
		{ MOUNTS({ "destination" : "/a", "type" : "tmpfs" }), MOUNT_FS, "/a", "tmpfs" },
		{ MOUNTS({ "destination" : "/a/../../b/./c//", "type" : "tmpfs", "source" : "s" }),
		  MOUNT_FS, "/b/c", "s" },
		{ MOUNTS({ "destination" : "/a", "source" : "/x", "options" : ["bind"] }),
		  MOUNT_BIND, "/a", "/x" },
		{ MOUNTS({ "destination" : "/a", "source" : "/x", "type" : "bind" }), MOUNT_BIND,
		  "/a", "/x" },
		{ MOUNTS({
			  "destination" : "/a",
			  "source" : "/x",
			  "type" : "none",
			  "options" : ["rbind"]
		  }),
		  MOUNT_BIND, "/a", "/x" },
		{ MOUNTS({ "destination" : "/a", "type" : "cgroup" }), MOUNT_CGROUP, "/a",
		  "cgroup" },
		{ MOUNTS({ "destination" : "/a", "type" : "cgroup2" }), MOUNT_CGROUP, "/a",
		  "cgroup2" },
		{ MOUNTS({ "destination" : "/a", "options" : [ "remount", "ro" ] }), MOUNT_REMOUNT,
		  "/a", "none" },
		{ MOUNTS({
			  "destination" : "/a",
			  "source" : "/x",
			  "options" : [ "bind", "copy-symlink" ]
		  }),
		  MOUNT_LINK, "/a", "/x" },
		{ MOUNTS({ "destination" : "/proc/uptime", "source" : "/x", "options" : ["bind"] }),
		  MOUNT_BIND, "/proc/uptime", "/x" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_arena a = arena_make();
		struct mount_plan p = { 0 };
		struct err e = { 0 };

		unit_row("%s", rows[i].mounts);
		REQUIRE_OK(make(&a, (struct bundle_parts){ rows[i].mounts, NULL, NS }, &p, &e), &e);
		REQUIRE(p.n_ops == 1);
		CHECK_INT(p.ops[0].kind, rows[i].kind);
		CHECK_STR(p.ops[0].target, rows[i].target);
		CHECK_STR(p.ops[0].source, rows[i].source);
		CHECK(!p.ops[0].from_parent);
	}
}

/* The label of queues is that of their directory, and never on those of the host. */
TEST(plan_queues_label)
{
	static const struct {
		const char *linux;
		bool labelled;
	} rows[] = {
		{ NS, false },
		{ NS ", \"mountLabel\": \"u:o:t:s0\"", false },
		{ IPC, false },
		{ IPC ", \"mountLabel\": \"u:o:t:s0\"", true },
	};
	static const char mounts[] =
		MOUNTS({ "destination" : "/q", "type" : "mqueue", "options" : ["ro"] },
		       { "destination" : "/s", "type" : "proc" });

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_arena a = arena_make();
		struct mount_plan p = { 0 };
		struct err e = { 0 };

		unit_row("%s", rows[i].linux);
		REQUIRE_OK(make(&a, (struct bundle_parts){ mounts, NULL, rows[i].linux }, &p, &e),
			   &e);
		CHECK(p.ops[0].label_root == rows[i].labelled);
		CHECK(p.ops[0].late_readonly == rows[i].labelled);
		CHECK(!p.ops[1].label_root);
	}
}

TEST(plan_refused)
{
	static const struct {
		const char *mounts, *linux, *says;
	} rows[] = {
		{ MOUNTS({ "destination" : "/proc/self/attr", "type" : "tmpfs" }), NS,
		  "mounts[0]: '/proc/self/attr' cannot be mounted because it is inside /proc" },
		{ MOUNTS({ "destination" : "/a/../proc/sys", "type" : "tmpfs" }), NS,
		  "inside /proc" },
		{ MOUNTS({ "destination" : "/proc/uptimes", "type" : "tmpfs" }), NS,
		  "inside /proc" },
		{ MOUNTS({ "destination" : "/proc/stat/x", "type" : "tmpfs" }), NS,
		  "inside /proc" },
		{ MOUNTS({
			  "destination" : "/a",
			  "source" : "/x",
			  "options" : [ "bind", "size=1" ]
		  }),
		  NS, "'size'" },
		{ MOUNTS({ "destination" : "/a", "type" : "sysfs", "options" : ["tmpcopyup"] }), NS,
		  "tmpfs only" },
		{ MOUNTS({
			  "destination" : "/a",
			  "source" : "/x",
			  "options" : [ "bind", "idmap" ]
		  }),
		  NS, "mappings" },
		{ MOUNTS({ "destination" : "/a", "type" : "tmpfs", "options" : ["uid=10"] }),
		  USER_NS, "option uid=10 of '/a': the id is not mapped" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_arena a = arena_make();
		struct mount_plan p = { 0 };
		struct err e = { 0 };

		unit_row("%s", rows[i].mounts);
		CHECK_INT(make(&a, (struct bundle_parts){ rows[i].mounts, NULL, rows[i].linux }, &p,
			       &e),
			  -EINVAL);
		CHECK_HAS(e.text, rows[i].says);
		CHECK_HAS(e.text, "mounts[0]");
	}
}

/* Sources of binds are the parent's business where init has no rights on the host. */
TEST(plan_user_namespace)
{
	auto_arena a = arena_make();
	struct mount_plan p = { 0 };
	struct err e = { 0 };
	static const char mounts[] =
		MOUNTS({ "destination" : "/a", "source" : "/x", "options" : ["bind"] },
		       { "destination" : "/b", "type" : "tmpfs", "options" : [ "uid=9", "ro" ] },
		       { "destination" : "/c", "type" : "tmpfs", "options" : ["idmap"] });

	REQUIRE_OK(make(&a, (struct bundle_parts){ mounts, NULL, USER_NS }, &p, &e), &e);
	REQUIRE(p.n_ops == 3);
	CHECK(p.user_ns && p.ops[0].from_parent && !p.ops[1].from_parent && p.ops[2].from_parent);
	CHECK(p.ops[1].late_readonly && !p.ops[2].late_readonly);
	CHECK_INT(p.ops[2].index, 2);
}

/* A source below the rootfs is the container's where something was mounted on its way. */
TEST(plan_source_in_root)
{
	static const struct {
		const char *source, *in_root;
	} rows[] = {
		{ "rootfs/a/b", "/a/b" },
		{ "./rootfs//a/b/", "/a/b" },
		{ "rootfs/a/b/c", "/a/b/c" },
		{ "rootfs/a", "/a" },
		{ "rootfs", "/" },
		{ "rootfs/x/../a", "/a" },
		{ "rootfs/a/c", NULL },
		{ "rootfs/a/bb", NULL },
		{ "rootfs/later", NULL },
		{ "rootfs/../a/b", NULL },
		{ "rootfs2/a/b", NULL },
		{ "/a/b", NULL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_arena a = arena_make();
		struct mount_plan p = { 0 };
		struct err e = { 0 };
		const char *mounts = arena_printf(
			&a,
			MOUNTS({ "destination" : "/a/b", "type" : "tmpfs" },
			       { "destination" : "/x", "source" : "%s", "options" : ["bind"] },
			       { "destination" : "/later", "type" : "tmpfs" }),
			rows[i].source);

		unit_row("%s", rows[i].source);
		REQUIRE_OK(make(&a, (struct bundle_parts){ mounts, NULL, USER_NS }, &p, &e), &e);
		REQUIRE(p.n_ops == 3);
		CHECK(!p.ops[0].in_root && !p.ops[2].in_root);
		CHECK(!p.ops[1].in_root == !rows[i].in_root);
		if (rows[i].in_root)
			CHECK_STR(p.ops[1].in_root, rows[i].in_root);
		CHECK(p.ops[1].from_parent == !rows[i].in_root);
	}
}

TEST(plan_paths)
{
	auto_arena a = arena_make();
	struct mount_plan p = { 0 };
	struct err e = { 0 };

	REQUIRE_OK(make(&a,
			(struct bundle_parts){ NULL, NULL,
					       NS ", \"maskedPaths\": [ \"/a\", \"/b/\", \"/a\" ]"
						  ", \"readonlyPaths\": [ \"/c/../d\", \"//.\" ]" },
			&p, &e),
		   &e);
	REQUIRE(p.n_masked == 2 && p.n_readonly == 1);
	CHECK_STR(p.masked[0], "/a");
	CHECK_STR(p.masked[1], "/b");
	CHECK_STR(p.readonly[0], "/d");
	CHECK(p.readonly_root);
	CHECK(p.has_ns && p.own_pid_ns && !p.own_net_ns && !p.user_ns && !p.no_pivot);
}
