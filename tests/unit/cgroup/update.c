/* SPDX-License-Identifier: Apache-2.0 */
/* update: what is written back after a refusal, and values of living cgroups. */
#include "unit/cgroup/config.h"
#include "unit/cgroup/live.h"

TEST(undo_texts)
{
	static const struct {
		const char *file, *value, *old, *want;
	} rows[] = {
		{ "memory.max", "1", "max\n", "max" },
		{ "cpu.max", "1 2", "max 100000\n", "max 100000" },
		{ "cpuset.cpus", "0", "\n", "\n" },
		{ "cpuset.cpus", "0", "0-1\n", "0-1" },
		{ "memory.oom_control", "1", "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n", "0" },
		{ "io.max", "8:0 rbps=1", "8:16 rbps=5 wbps=max\n8:0 rbps=7 wbps=max\n",
		  "8:0 rbps=7 wbps=max" },
		{ "io.max", "8:0 rbps=1", "18:0 rbps=5 wbps=max\n",
		  "8:0 rbps=max wbps=max riops=max wiops=max" },
		{ "io.weight", "77", "default 100\n8:0 5\n", "default 100" },
		{ "io.weight", "8:0 7", "default 100\n", "8:0 default" },
		{ "blkio.throttle.read_bps_device", "8:0 5", "", "8:0 0" },
		{ "blkio.throttle.read_bps_device", "8:0 5", "8:0 1048576\n", "8:0 1048576" },
		{ "rdma.max", "mlx5_0 hca_handle=2", "mlx5_0 hca_handle=max hca_object=9\n",
		  "mlx5_0 hca_handle=max hca_object=9" },
		{ "net_prio.ifpriomap", "eth0 5", "lo 0\neth0 3\n", "eth0 3" },
	};
	auto_arena a = arena_make();

	for (size_t i = 0; i < COUNT(rows); i++) {
		unit_row("%s %s", rows[i].file, rows[i].value);
		CHECK_STR(cgroup_undo_text(&a, rows[i].file, rows[i].value,
					   arena_strdup(&a, rows[i].old)),
			  rows[i].want);
	}
}

#define MIB "1048576"

static const struct row {
	const char *v1_controller, *controller;
	const char *before, *now; /* linux.resources at create, and of the update */
	const char *v1_file, *v1_text, *v2_file, *v2_text;
} rows[] = {
	{ "memory", "memory", "{'memory':{'limit':33554432,'swap':33554432}}",
	  "{'memory':{'limit':67108864,'swap':67108864}}", "memory.limit_in_bytes", "67108864",
	  "memory.max", "67108864" },
	{ "memory", "memory", "{'memory':{'limit':67108864,'swap':67108864}}",
	  "{'memory':{'limit':33554432,'swap':33554432}}", "memory.memsw.limit_in_bytes",
	  "33554432", "memory.swap.max", "0" },
	{ "memory", "memory", "{}", "{'memory':{'reservation':" MIB "}}",
	  "memory.soft_limit_in_bytes", MIB, "memory.low", MIB },
	{ "cpu", "cpu", "{'cpu':{'quota':30000,'period':60000}}", "{'cpu':{'quota':20000}}",
	  "cpu.cfs_quota_us", "20000", "cpu.max", "20000 60000" },
	{ "cpu", "cpu", "{'cpu':{'quota':30000,'period':60000}}", "{'cpu':{'period':50000}}",
	  "cpu.cfs_period_us", "50000", "cpu.max", "30000 50000" },
	{ "cpu", "cpu", "{'cpu':{'quota':30000,'period':60000}}", "{'cpu':{'quota':-1}}",
	  "cpu.cfs_quota_us", "-1", "cpu.max", "max 60000" },
	{ "cpu", "cpu", "{'cpu':{'shares':100}}", "{'cpu':{'shares':1024,'quota':0}}", "cpu.shares",
	  "1024", "cpu.weight", "100" },
	{ "cpu", "cpu", "{}", "{'cpu':{'idle':1}}", "cpu.idle", "1", "cpu.idle", "1" },
	{ "cpuset", "cpuset", "{}", "{'cpu':{'cpus':'0'}}", "cpuset.cpus", "0", "cpuset.cpus",
	  "0" },
	{ "pids", "pids", "{'pids':{'limit':9}}", "{'pids':{'limit':12}}", "pids.max", "12",
	  "pids.max", "12" },
	{ "pids", "pids", "{'pids':{'limit':9}}", "{'pids':{'limit':-1}}", "pids.max", "max",
	  "pids.max", "max" },
	{ "pids", "pids", "{'pids':{'limit':9}}", "{'pids':{'limit':0}}", "pids.max", "9",
	  "pids.max", "9" },
	{ "hugetlb", "hugetlb", "{}", "{'hugepageLimits':[{'pageSize':'2MB','limit':2097152}]}",
	  "hugetlb.2MB.limit_in_bytes", "2097152", "hugetlb.2MB.max", "2097152" },
};

/* Is the row's controller to be had here? Tells where. */
static bool find_controller(const struct row *r, const char **ret_hierarchy)
{
	return live_has(r->v1_controller, ret_hierarchy) ||
	       (live_has(r->controller, ret_hierarchy) && !*ret_hierarchy);
}

LIVE(updated_values)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct row *r = &rows[i];
		struct cgroup_change *change;
		struct err e = { 0 };
		const char *hierarchy;
		struct live l;
		pid_t pid;

		unit_row("%s, %s", r->before, r->now);
		if (!find_controller(r, &hierarchy) ||
		    !CHECK_OK(live_create(&l, "/sub", r->before, &e), &e))
			continue;
		pid = live_spawn(&l, live_idle, NULL);
		if (CHECK_OK(cgroup_update(&live_arena, l.cg, &live_host,
					   config_resources(&live_arena, r->now), &change, &e),
			     &e))
			CHECK_STR(live_read(hierarchy, "/sub", hierarchy ? r->v1_file : r->v2_file),
				  hierarchy ? r->v1_text : r->v2_text);
		CHECK_OK(cgroup_kill(l.cg, &e), &e);
		live_wait(pid);
		CHECK_OK(cgroup_remove(l.cg, &e), &e);
		cgroup_close(l.cg);
	}
}

/* The last value is refused, so the first ones are what they were; and so after an undo. */
LIVE(refused_update)
{
	static const char before[] = "{'cpu':{'quota':30000,'period':60000,'shares':512},"
				     "'memory':{'limit':67108864,'swap':134217728}}";
	static const char now[] = "{'cpu':{'quota':20000,'shares':77},"
				  "'memory':{'limit':33554432,'swap':33554432}";
	const char *cpu, *memory;
	struct cgroup_change *change;
	struct err e = { 0 };
	struct live l;

	if (!live_has("memory", &memory) || !live_has("cpu", &cpu))
		unit_skip("no memory or cpu controller on this kind of host");
	REQUIRE_OK(live_create(&l, "", before, &e), &e);
	for (int round = 0; round < 2; round++) {
		const char *rest =
			round ? "}" : ",'hugepageLimits':[{'pageSize':'3MB','limit':1}]}";
		int r = cgroup_update(
			&live_arena, l.cg, &live_host,
			config_resources(&live_arena, arena_printf(&live_arena, "%s%s", now, rest)),
			&change, &e);

		unit_row("round %d", round);
		if (round) {
			CHECK_OK(r, &e);
			CHECK_STR(live_read(cpu, "", cpu ? "cpu.shares" : "cpu.weight"),
				  cpu ? "77" : "14");
			cgroup_update_undo(l.cg, change);
		} else {
			CHECK_INT(r, -ENOTSUP);
			CHECK_HAS(e.text, "hugetlb");
			err_clear(&e);
		}
		CHECK_STR(live_read(cpu, "", cpu ? "cpu.shares" : "cpu.weight"),
			  cpu ? "512" : "59");
		CHECK_STR(live_read(cpu, "", cpu ? "cpu.cfs_quota_us" : "cpu.max"),
			  cpu ? "30000" : "30000 60000");
		CHECK_STR(live_read(memory, "", memory ? "memory.limit_in_bytes" : "memory.max"),
			  "67108864");
	}
	live_destroy(&l);
}

/* What update writes, and the state that an undo finds again: shares are lost to the idle. */
LIVE(idle_updates)
{
	static const struct {
		const char *before, *now, *idle, *v1_shares, *v2_weight; /* NULL: the kernel's */
	} steps[] = {
		{ "{'cpu':{'shares':512}}", "{'cpu':{'idle':1}}", "1", NULL, NULL },
		{ "{'cpu':{'shares':512}}", "{'cpu':{'idle':1,'shares':77}}", "1", NULL, NULL },
		{ "{'cpu':{'shares':512}}", "{'cpu':{'idle':0,'shares':77}}", "0", "77", "14" },
		{ "{'cpu':{'idle':1}}", "{'cpu':{'idle':0,'shares':77}}", "0", "77", "14" },
		{ "{'cpu':{'idle':1}}", "{'cpu':{'idle':0}}", "0", "1024", "100" },
	};
	const char *cpu;

	if (!live_has("cpu", &cpu))
		unit_skip("no cpu controller on this kind of host");
	for (size_t i = 0; i < COUNT(steps); i++) {
		const char *file = cpu ? "cpu.shares" : "cpu.weight", *idle, *shares;
		const char *want = cpu ? steps[i].v1_shares : steps[i].v2_weight;
		struct cgroup_change *change;
		struct err e = { 0 };
		struct live l;

		REQUIRE_OK(live_create(&l, "", steps[i].before, &e), &e);
		idle = live_read(cpu, "", "cpu.idle");
		shares = live_read(cpu, "", file);
		unit_row("%s, %s", steps[i].before, steps[i].now);
		if (CHECK_OK(cgroup_update(&live_arena, l.cg, &live_host,
					   config_resources(&live_arena, steps[i].now), &change,
					   &e),
			     &e)) {
			CHECK_STR(live_read(cpu, "", "cpu.idle"), steps[i].idle);
			if (want)
				CHECK_STR(live_read(cpu, "", file), want);
			cgroup_update_undo(l.cg, change);
			unit_row("%s, after %s", steps[i].before, steps[i].now);
			CHECK_STR(live_read(cpu, "", "cpu.idle"), idle);
			CHECK_STR(live_read(cpu, "", file), shares);
		}
		live_destroy(&l);
	}
}
