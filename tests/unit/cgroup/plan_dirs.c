/* SPDX-License-Identifier: Apache-2.0 */
/* Directories, controllers, device programs, what is required, who owns it. */
#include <sched.h>

#include "unit/cgroup/config.h"
#include "unit/unit.h"

/* --- directories ---------------------------------------------------------------------------------- */

static const char *dirs_text(struct arena *a, const struct cgroup_plan *p)
{
	const char *text = "";

	for (size_t i = 0; i < p->n_dirs; i++)
		text = arena_printf(a, "%s%s%s:%s", text, i ? " " : "",
				    p->dirs[i].hierarchy ? p->dirs[i].hierarchy : "v2",
				    p->dirs[i].path);
	return text;
}

TEST(directories)
{
	static const struct {
		const char *name, *path;
		void (*host)(struct host *);
		bool rootless;
		const char *want;
	} rows[] = {
		{ "v2", "/a/b", plan_host_v2, false, "v2:/a/b" },
		{ "relative", "a:b:c", plan_host_v2, false, "v2:/a:b:c" },
		{ "empty", "", plan_host_v2, false, "v2:/c1" },
		{ "absent", NULL, plan_host_v2, false, "v2:/c1" },
		{ "rootless", "", plan_host_v2, true, "v2:/user.slice/app.slice/cleat-c1" },
		{ "rootless, with a path", "/a", plan_host_v2, true, "v2:/a" },
		{ "hybrid", "/a", plan_host_hybrid, false, "v2:/a memory:/a cpu:/a pids:/a" },
		{ "hybrid, rootless", "", plan_host_hybrid, true,
		  "v2:/c1 memory:/m/cleat-c1 cpu:/c1 pids:/c1" },
		{ "v1", "/a", plan_host_v1, false,
		  "rdma:/a hugetlb:/a net_cls,net_prio:/a systemd:/a pids:/a blkio:/a freezer:/a "
		  "devices:/a memory:/a cpuset:/a cpu,cpuacct:/a" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_arena a = arena_make();
		struct cgroup_plan p = { 0 };
		struct err e = { 0 };

		unit_row("%s", rows[i].name);
		CHECK_OK(plan_resources(&a, rows[i].host, "{}", rows[i].path, rows[i].rootless, &p,
					&e),
			 &e);
		CHECK_STR(dirs_text(&a, &p), rows[i].want);
		CHECK(!p.required);
	}
}

/* For its figures a v2 host has every controller; a hybrid one has those that are limited. */
TEST(controllers)
{
	static const struct {
		void (*host)(struct host *);
		const char *json, *want;
	} rows[] = {
		{ plan_host_v2, "{}", "cpuset cpu memory io hugetlb rdma misc dmem pids" },
		{ plan_host_hybrid, "{}", "" },
		{ plan_host_hybrid, "{'hugepageLimits':[{'pageSize':'2MB','limit':0}]}",
		  "hugetlb" },
		{ plan_host_hybrid, "{'unified':{'misc.max':'x 1'}}", "misc" },
		{ plan_host_hybrid, "{'cpu':{'cpus':'0'},'pids':{'limit':3}}", "cpuset" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_arena a = arena_make();
		struct cgroup_plan p = { 0 };
		struct err e = { 0 };

		unit_row("%zu", i);
		REQUIRE_OK(plan_resources(&a, rows[i].host, rows[i].json, "/a", false, &p, &e), &e);
		CHECK_STR(p.dirs[0].controllers, rows[i].want);
	}
}

/* A limit whose controller no hierarchy has; without the limit that is fine. */
TEST(missing_hierarchy)
{
	auto_arena a = arena_make();
	struct cgroup_plan p = { 0 };
	struct err e = { 0 };

	CHECK_OK(plan_resources(&a, plan_host_few_v1, "{}", "/a", false, &p, &e), &e);
	CHECK_OK(plan_resources(&a, plan_host_few_v1,
				"{'hugepageLimits':[],'cpu':{'quota':-1},'pids':{'limit':-1}}",
				"/a", false, &p, &e),
		 &e);
	CHECK_INT(plan_resources(&a, plan_host_few_v1, "{'cpu':{'cpus':'0'}}", "/a", false, &p, &e),
		  -ENOTSUP);
	CHECK_HAS(e.text, "linux.resources.cpu.cpus: no hierarchy with the controller 'cpuset'");
}

/* --- devices, required, delegation ------------------------------------------------------------------ */

TEST(devices)
{
	struct oci_linux l = { .cgroups_path = "/a" };
	const struct oci_config config = { .linux = &l }, bare = { 0 };
	const struct spec with = { .config = &config }, without = { .config = &bare };
	const struct cgroup_plan_options root = { .id = "c1" },
					 rootless = { .id = "c1", .rootless = true },
					 disabled = { .id = "c1", .manager = CGROUP_DISABLED };
	auto_arena a = arena_make();
	struct cgroup_plan p;
	struct err e = { 0 };

	CHECK_OK(plan_with(&a, plan_host_v2, &with, &root, &p, &e), &e);
	CHECK(p.device_len > 0);
	CHECK(!p.required);
	CHECK_OK(plan_with(&a, plan_host_hybrid, &without, &root, &p, &e), &e);
	CHECK(p.device_len > 0);
	CHECK_OK(plan_with(&a, plan_host_v2, &with, &rootless, &p, &e), &e);
	CHECK_INT(p.device_len, 0);
	CHECK_OK(plan_with(&a, plan_host_v1, &with, &root, &p, &e), &e);
	CHECK_INT(p.device_len, 0);
	CHECK_HAS(plan_values_text(&p), "devices:devices.deny=a | devices:devices.allow=");
	CHECK_HAS(plan_values_text(&p), "devices:devices.allow=c 1:3 rwm");
	CHECK_OK(plan_with(&a, plan_host_v2, &with, &disabled, &p, &e), &e);
	CHECK_INT(p.device_len, 0);
	CHECK_INT(p.n_dirs, 0);
}

TEST(required)
{
	struct oci_linux_pids pids = { .limit = 5, .has_limit = true };
	struct oci_linux_resources r = { .pids = &pids };
	struct oci_linux l = { .resources = &r };
	const struct oci_config c = { .linux = &l };
	const struct spec s = { .config = &c };
	const struct cgroup_plan_options opts[] = {
		{ .id = "c1" },
		{ .id = "c1", .rootless = true },
		{ .id = "c1", .rootless = true, .require_limits = true },
		{ .id = "c1", .rootless = true, .leniency = CGROUP_STRICT },
		{ .id = "c1", .leniency = CGROUP_LENIENT },
	};
	static const bool want[] = { true, false, true, true, false };
	static const bool lenient[] = { false, true, true, false, true };

	for (size_t i = 0; i < COUNT(opts); i++) {
		auto_arena a = arena_make();
		struct cgroup_plan p = { 0 };
		struct err e = { 0 };

		unit_row("%zu", i);
		CHECK_OK(plan_with(&a, plan_host_v2, &s, &opts[i], &p, &e), &e);
		CHECK_INT(p.required, want[i]);
		CHECK_INT(p.rootless, lenient[i]);
	}
}

static const char *ro_words[] = { "nosuid", "ro" }, *rw_words[] = { "ro", "rw" };

static struct oci_mount at_ro = { .destination = "/sys/fs/cgroup",
				  .type = "cgroup",
				  .options = ro_words,
				  .n_options = COUNT(ro_words) };
static struct oci_mount at_rw = { .destination = "/sys/fs/cgroup",
				  .type = "cgroup2",
				  .options = rw_words,
				  .n_options = COUNT(rw_words) };
static struct oci_mount *ro_list[] = { &at_ro }, *rw_list[] = { &at_rw };

TEST(delegation)
{
	struct id_map maps[] = { { 0, 100000, 1000 }, { 1000, 5000, 10 } };
	struct id_map group_maps[] = { { 0, 200000, 1000 } };
	const struct {
		const char *name;
		void (*host)(struct host *);
		struct oci_mount **mounts;
		uint64_t ns_new;
		uid_t uid;
		bool want;
		uid_t want_uid;
	} rows[] = {
		{ "mapped root", plan_host_v2, rw_list, CLONE_NEWCGROUP | CLONE_NEWUSER, 0, true,
		  100000 },
		{ "mapped user", plan_host_v2, rw_list, CLONE_NEWCGROUP | CLONE_NEWUSER, 1005, true,
		  5005 },
		{ "unmapped", plan_host_v2, rw_list, CLONE_NEWCGROUP | CLONE_NEWUSER, 2000, false,
		  0 },
		{ "user of the host", plan_host_v2, rw_list, CLONE_NEWCGROUP, 33, true, 33 },
		{ "ourselves", plan_host_v2, rw_list, CLONE_NEWCGROUP, 0, false, 0 },
		{ "read only", plan_host_v2, ro_list, CLONE_NEWCGROUP, 33, false, 0 },
		{ "host's namespace", plan_host_v2, rw_list, 0, 33, false, 0 },
		{ "hybrid", plan_host_hybrid, rw_list, CLONE_NEWCGROUP, 33, false, 0 },
		{ "no mount", plan_host_v2, NULL, CLONE_NEWCGROUP, 33, false, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct oci_config c = { .mounts = rows[i].mounts,
					      .n_mounts = rows[i].mounts ? 1 : 0 };
		const struct spec s = { .config = &c,
					.has_process = true,
					.process.uid = rows[i].uid,
					.ns_new = rows[i].ns_new,
					.uid_maps = maps,
					.n_uid_maps = COUNT(maps),
					.gid_maps = group_maps,
					.n_gid_maps = COUNT(group_maps) };
		const struct cgroup_plan_options opt = { .id = "c1" };
		auto_arena a = arena_make();
		struct cgroup_plan p = { 0 };
		struct err e = { 0 };

		unit_row("%s", rows[i].name);
		CHECK_OK(plan_with(&a, rows[i].host, &s, &opt, &p, &e), &e);
		CHECK_INT(p.delegate, rows[i].want);
		if (rows[i].want)
			CHECK_INT(p.delegate_uid, rows[i].want_uid);
		if (rows[i].want)
			CHECK_INT(p.delegate_gid, rows[i].ns_new & CLONE_NEWUSER ? 200000 : 0);
	}
}

TEST(leaf)
{
	static const struct {
		void (*host)(struct host *);
		enum cgroup_manager manager;
		uint64_t ns_new;
		const char *name, *sub; /* delegate-cgroup and subgroup */
		int code;
		const char *want; /* the leaf, or what the error has */
	} rows[] = {
		{ plan_host_v2, CGROUP_FS, CLONE_NEWCGROUP, "/a//b", NULL, 0, "a/b" },
		{ plan_host_v2, CGROUP_SYSTEMD, CLONE_NEWCGROUP, "a", NULL, 0, "a" },
		{ plan_host_v2, CGROUP_FS, CLONE_NEWCGROUP, "", NULL, 0, NULL },
		{ plan_host_v2, CGROUP_FS, 0, "a", NULL, EINVAL, "needs a new cgroup namespace" },
		{ plan_host_v2, CGROUP_DISABLED, CLONE_NEWCGROUP, "a", NULL, EINVAL,
		  "has no cgroup" },
		{ plan_host_hybrid, CGROUP_FS, CLONE_NEWCGROUP, "a", NULL, ENOTSUP,
		  "cgroup v2 alone" },
		{ plan_host_v2, CGROUP_SYSTEMD, 0, "", "inner", 0, "inner" },
		{ plan_host_v2, CGROUP_SYSTEMD, CLONE_NEWCGROUP, "own", "inner", 0, "inner/own" },
		{ plan_host_v2, CGROUP_SYSTEMD, 0, "", "", 0, NULL },
		{ plan_host_v2, CGROUP_FS, 0, "", "inner", 0, NULL },
		{ plan_host_hybrid, CGROUP_SYSTEMD, 0, "", "inner", 0, NULL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct oci_string_entry entries[] = {
			{ SPEC_ANNOTATION_DELEGATE, rows[i].name },
			{ SPEC_ANNOTATION_SUBGROUP, rows[i].sub },
		};
		struct oci_string_map map = { .entries = entries, .n = COUNT(entries) };
		const struct oci_config c = { .annotations = &map };
		const struct spec s = { .config = &c, .ns_new = rows[i].ns_new };
		const struct cgroup_plan_options opt = { .id = "c1", .manager = rows[i].manager };
		auto_arena a = arena_make();
		struct cgroup_plan p = { 0 };
		struct err e = { 0 };

		unit_row("%zu", i);
		CHECK_INT(plan_with(&a, rows[i].host, &s, &opt, &p, &e), -rows[i].code);
		if (rows[i].code)
			CHECK_HAS(e.text, rows[i].want);
		else
			CHECK_STR(p.leaf, rows[i].want);
		if (p.leaf)
			CHECK(p.dirs[0].required);
	}
}

TEST(systemd_names)
{
	struct oci_linux l = { .cgroups_path = "a-b.slice:cri:x" };
	const struct oci_config c = { .linux = &l };
	const struct spec s = { .config = &c };
	const struct cgroup_plan_options opt = { .id = "c1", .manager = CGROUP_SYSTEMD };
	auto_arena a = arena_make();
	struct cgroup_plan p = { 0 };
	struct err e = { 0 };

	REQUIRE_OK(plan_with(&a, plan_host_v2, &s, &opt, &p, &e), &e);
	CHECK_STR(p.slice, "a-b.slice");
	CHECK_STR(p.scope, "cri-x.scope");
	CHECK_STR(p.dirs[0].path, "/a.slice/a-b.slice/cri-x.scope");
}

/* The unit has the limit from its start on, when cleat-systemd is in it as well. */
TEST(systemd_pids)
{
	static const struct {
		void (*host)(struct host *);
		const char *json, *want;
	} rows[] = {
		{ plan_host_v2, "{'pids':{'limit':0}}", "pids.max=max ? | late pids.max=0" },
		{ plan_host_v2, "{'pids':{'limit':1}}", "pids.max=max ? | late pids.max=1" },
		{ plan_host_v2, "{'pids':{'limit':2048}}", "late pids.max=2048" },
		{ plan_host_v2, "{'pids':{'limit':-1}}", "late pids.max=max ?" },
		{ plan_host_v2, "{'unified':{'pids.max':'1'}}",
		  "pids.max=max ? | late pids.max=1" },
		{ plan_host_v2, "{'pids':{'limit':1},'unified':{'pids.max':'2'}}",
		  "pids.max=max ? | late pids.max=1 | late pids.max=2" },
		{ plan_host_hybrid, "{'pids':{'limit':1}}", "pids:late pids.max=1" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct cgroup_plan_options opt = { .id = "c1", .manager = CGROUP_SYSTEMD };
		auto_arena a = arena_make();
		struct oci_linux l = { .resources = config_resources(&a, rows[i].json) };
		const struct oci_config c = { .linux = &l };
		const struct spec s = { .config = &c };
		struct cgroup_plan p = { 0 };
		struct err e = { 0 };

		unit_row("%s", rows[i].json);
		if (CHECK_OK(plan_with(&a, rows[i].host, &s, &opt, &p, &e), &e))
			CHECK_STR(plan_values_text(&p), rows[i].want);
	}
}
