/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of linux.resources: each row has one configuration and the lines that a
 * v2, a v1 and a hybrid host get for it, "file=value" in the order of writing, with
 * "late" before what is written when init is inside and "?" behind what may be missing.
 */
#include "cgroup/ctl.h"
#include "unit/cgroup/config.h"
#include "unit/unit.h"

/* --- rows ---------------------------------------------------------------------------------------- */

struct row {
	const char *name, *json;
	const char *v2, *v1, *hybrid; /* NULL: refused */
	const char *warns;	      /* on v2; a field that is named by a warning */
};

static void check_row(const struct row *row, const char *host, void (*make)(struct host *),
		      const char *want)
{
	auto_arena a = arena_make();
	struct cgroup_plan p = { 0 };
	struct err e = { 0 };
	int r = plan_resources(&a, make, row->json, "/x", false, &p, &e);

	unit_row("%s on %s", row->name, host);
	if (!want) {
		CHECK(r < 0);
		CHECK_HAS(e.text, "linux.resources.");
		return;
	}
	if (!CHECK_OK(r, &e))
		return;
	CHECK_STR(plan_values_text(&p), want);
	CHECK_INT(p.required, *want != '\0');
	if (make == plan_host_v2 && row->warns) {
		CHECK_INT(p.n_warnings, 1);
		CHECK_HAS(p.n_warnings ? p.warnings[0] : "", row->warns);
	} else if (make == plan_host_v2) {
		CHECK_INT(p.n_warnings, 0);
	}
}

static void check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		check_row(&rows[i], "v2", plan_host_v2, rows[i].v2);
		check_row(&rows[i], "v1", plan_host_v1, rows[i].v1);
		check_row(&rows[i], "hybrid", plan_host_hybrid, rows[i].hybrid);
	}
}

TEST(cpu)
{
	const struct row rows[] = {
		{ "nothing", "{'cpu':{}}", "", "", "" },
		{ "zeros, as docker sends them", "{'cpu':{'shares':0,'quota':0,'period':0}}", "",
		  "", "" },
		{ "shares", "{'cpu':{'shares':1024}}", "cpu.weight=100",
		  "cpu,cpuacct:cpu.shares=1024", "cpu:cpu.shares=1024" },
		{ "fewest shares", "{'cpu':{'shares':2}}", "cpu.weight=1",
		  "cpu,cpuacct:cpu.shares=2", "cpu:cpu.shares=2" },
		{ "quota and period", "{'cpu':{'quota':50000,'period':200000}}",
		  "cpu.max=50000 200000",
		  "cpu,cpuacct:cpu.cfs_period_us=200000 | cpu,cpuacct:cpu.cfs_quota_us=50000",
		  "cpu:cpu.cfs_period_us=200000 | cpu:cpu.cfs_quota_us=50000" },
		{ "quota", "{'cpu':{'quota':50000}}", "cpu.max=50000 100000",
		  "cpu,cpuacct:cpu.cfs_quota_us=50000", "cpu:cpu.cfs_quota_us=50000" },
		{ "no quota", "{'cpu':{'quota':-1}}", "cpu.max=max 100000 ?",
		  "cpu,cpuacct:cpu.cfs_quota_us=-1 ?", "cpu:cpu.cfs_quota_us=-1 ?" },
		{ "period", "{'cpu':{'period':50000}}", "cpu.max=max 50000 ?",
		  "cpu,cpuacct:cpu.cfs_period_us=50000", "cpu:cpu.cfs_period_us=50000" },
		{ "burst", "{'cpu':{'quota':50000,'burst':1000}}",
		  "cpu.max=50000 100000 | cpu.max.burst=1000",
		  "cpu,cpuacct:cpu.cfs_quota_us=50000 | cpu,cpuacct:cpu.cfs_burst_us=1000",
		  "cpu:cpu.cfs_quota_us=50000 | cpu:cpu.cfs_burst_us=1000" },
		{ "no burst", "{'cpu':{'burst':0}}", "cpu.max.burst=0",
		  "cpu,cpuacct:cpu.cfs_burst_us=0", "cpu:cpu.cfs_burst_us=0" },
		{ "burst above quota", "{'cpu':{'quota':5000,'burst':5001}}", NULL, NULL, NULL },
		{ "idle", "{'cpu':{'idle':1,'shares':100}}", "cpu.idle=1", "cpu,cpuacct:cpu.idle=1",
		  "cpu:cpu.idle=1" },
		{ "not idle", "{'cpu':{'idle':0,'shares':1024}}", "cpu.idle=0 ? | cpu.weight=100",
		  "cpu,cpuacct:cpu.idle=0 ? | cpu,cpuacct:cpu.shares=1024",
		  "cpu:cpu.idle=0 ? | cpu:cpu.shares=1024" },
		{ "realtime", "{'cpu':{'realtimeRuntime':5000}}", "",
		  "cpu,cpuacct:cpu.rt_runtime_us=5000", "cpu:cpu.rt_runtime_us=5000",
		  .warns = "cpu.realtimeRuntime" },
		{ "realtime period", "{'cpu':{'realtimePeriod':9000}}", "",
		  "cpu,cpuacct:cpu.rt_period_us=9000", "cpu:cpu.rt_period_us=9000",
		  .warns = "cpu.realtimePeriod" },
		{ "cpuset", "{'cpu':{'cpus':'0-1','mems':'0'}}", "cpuset.cpus=0-1 | cpuset.mems=0",
		  "cpuset:cpuset.cpus=0-1 or cpus=0-1 | cpuset:cpuset.mems=0 or mems=0",
		  "cpuset.cpus=0-1 | cpuset.mems=0" },
		{ "empty cpuset", "{'cpu':{'cpus':'','mems':''}}", "", "", "" },
	};

	check_rows(rows, COUNT(rows));
}

#define LIMIT "memory:memory.limit_in_bytes="
#define MEMSW "memory:memory.memsw.limit_in_bytes="

TEST(memory)
{
	const struct row rows[] = {
		{ "zeros", "{'memory':{'limit':0,'swap':0,'reservation':0}}", "", "", "" },
		{ "limit", "{'memory':{'limit':4096}}", "memory.max=4096", LIMIT "4096",
		  LIMIT "4096" },
		{ "no limit", "{'memory':{'limit':-1}}", "memory.swap.max=max ? | memory.max=max ?",
		  LIMIT "-1 ? | " MEMSW "-1 ?", LIMIT "-1 ? | " MEMSW "-1 ?" },
		{ "limit and swap", "{'memory':{'limit':4096,'swap':12288}}",
		  "memory.swap.max=8192 | memory.max=4096", LIMIT "4096 | " MEMSW "12288",
		  LIMIT "4096 | " MEMSW "12288" },
		{ "no swap", "{'memory':{'limit':4096,'swap':4096}}",
		  "memory.swap.max=0 ? | memory.max=4096", LIMIT "4096 | " MEMSW "4096",
		  LIMIT "4096 | " MEMSW "4096" },
		{ "any swap", "{'memory':{'limit':4096,'swap':-1}}",
		  "memory.swap.max=max ? | memory.max=4096", LIMIT "4096 | " MEMSW "-1 ?",
		  LIMIT "4096 | " MEMSW "-1 ?" },
		{ "any memory, some swap", "{'memory':{'limit':-1,'swap':8192}}",
		  "memory.swap.max=8192 | memory.max=max ?", LIMIT "-1 ? | " MEMSW "8192",
		  LIMIT "-1 ? | " MEMSW "8192" },
		{ "any swap alone", "{'memory':{'swap':-1}}", "memory.swap.max=max ?", MEMSW "-1 ?",
		  MEMSW "-1 ?" },
		{ "swap alone", "{'memory':{'swap':8192}}", NULL, MEMSW "8192", MEMSW "8192" },
		{ "less than memory", "{'memory':{'limit':8192,'swap':4096}}", NULL, NULL, NULL },
		{ "reservation", "{'memory':{'reservation':4096}}", "memory.low=4096",
		  "memory:memory.soft_limit_in_bytes=4096",
		  "memory:memory.soft_limit_in_bytes=4096" },
		{ "no reservation", "{'memory':{'reservation':-1}}", "memory.low=max ?",
		  "memory:memory.soft_limit_in_bytes=-1 ?",
		  "memory:memory.soft_limit_in_bytes=-1 ?" },
		{ "swappiness", "{'memory':{'swappiness':0}}", "", "memory:memory.swappiness=0",
		  "memory:memory.swappiness=0", .warns = "memory.swappiness" },
		{ "swappiness not set", "{'memory':{'swappiness':18446744073709551615}}", "", "",
		  "" },
		{ "no oom killer", "{'memory':{'disableOOMKiller':true}}", "",
		  "memory:memory.oom_control=1", "memory:memory.oom_control=1",
		  .warns = "memory.disableOOMKiller" },
		{ "oom killer", "{'memory':{'disableOOMKiller':false}}", "", "", "" },
		{ "hierarchy", "{'memory':{'useHierarchy':true}}", "",
		  "memory:memory.use_hierarchy=1", "memory:memory.use_hierarchy=1" },
		{ "kernel memory", "{'memory':{'kernel':4096}}", "", "", "",
		  .warns = "memory.kernel" },
		{ "tcp memory", "{'memory':{'kernelTCP':4096}}", "",
		  "memory:memory.kmem.tcp.limit_in_bytes=4096",
		  "memory:memory.kmem.tcp.limit_in_bytes=4096", .warns = "memory.kernelTCP" },
		{ "check", "{'memory':{'limit':4096,'checkBeforeUpdate':true}}",
		  "memory.current=4096 check | memory.max=4096", LIMIT "4096", LIMIT "4096" },
		{ "check of both", "{'memory':{'limit':4096,'swap':8192,'checkBeforeUpdate':true}}",
		  "memory.current=8192 check | memory.current=4096 check | memory.swap.max=4096 | "
		  "memory.max=4096",
		  LIMIT "4096 | memory:memory.memsw.limit_in_bytes=8192",
		  LIMIT "4096 | memory:memory.memsw.limit_in_bytes=8192" },
	};

	check_rows(rows, COUNT(rows));
}

TEST(io)
{
	const struct row rows[] = {
		{ "zeros", "{'blockIO':{'weight':0}}", "", "", "" },
		{ "weight", "{'blockIO':{'weight':500}}", "io.bfq.weight=500 or io.weight=4950",
		  "blkio:blkio.weight=500 or blkio.bfq.weight=500",
		  "io.bfq.weight=500 or io.weight=4950" },
		{ "leaf weight", "{'blockIO':{'leafWeight':500}}", "", "", "",
		  .warns = "blockIO.leafWeight" },
		{ "weight of a device",
		  "{'blockIO':{'weightDevice':[{'major':8,'minor':16,'weight':10}]}}",
		  "io.bfq.weight=8:16 10 or io.weight=8:16 1",
		  "blkio:blkio.weight_device=8:16 10 or blkio.bfq.weight_device=8:16 10",
		  "io.bfq.weight=8:16 10 or io.weight=8:16 1" },
		{ "read bytes",
		  "{'blockIO':{'throttleReadBpsDevice':[{'major':8,'minor':16,'rate':1000}]}}",
		  "io.max=8:16 rbps=1000", "blkio:blkio.throttle.read_bps_device=8:16 1000",
		  "io.max=8:16 rbps=1000" },
		{ "written bytes",
		  "{'blockIO':{'throttleWriteBpsDevice':[{'major':8,'minor':16,'rate':18446744073709551615}]}}",
		  "io.max=8:16 wbps=18446744073709551615",
		  "blkio:blkio.throttle.write_bps_device=8:16 18446744073709551615",
		  "io.max=8:16 wbps=18446744073709551615" },
		{ "reads",
		  "{'blockIO':{'throttleReadIOPSDevice':[{'major':8,'minor':16,'rate':10}]}}",
		  "io.max=8:16 riops=10", "blkio:blkio.throttle.read_iops_device=8:16 10",
		  "io.max=8:16 riops=10" },
		{ "writes", "{'blockIO':{'throttleWriteIOPSDevice':[{'major':8,'minor':16}]}}",
		  "io.max=8:16 wiops=max", "blkio:blkio.throttle.write_iops_device=8:16 0",
		  "io.max=8:16 wiops=max" },
		{ "no device", "{'blockIO':{'throttleWriteIOPSDevice':[{'major':8,'minor':-1}]}}",
		  NULL, NULL, NULL },
	};

	check_rows(rows, COUNT(rows));
}

TEST(pids)
{
	const struct row rows[] = {
		{ "limit", "{'pids':{'limit':10}}", "late pids.max=10", "pids:late pids.max=10",
		  "pids:late pids.max=10" },
		{ "none", "{'pids':{'limit':0}}", "late pids.max=0", "pids:late pids.max=0",
		  "pids:late pids.max=0" },
		{ "any", "{'pids':{'limit':-1}}", "late pids.max=max ?", "pids:late pids.max=max ?",
		  "pids:late pids.max=max ?" },
		{ "not set", "{'pids':{}}", "", "", "" },
	};

	check_rows(rows, COUNT(rows));
}

TEST(hugetlb)
{
	const struct row rows[] = {
		{ "2MB", "{'hugepageLimits':[{'pageSize':'2MB','limit':4194304}]}",
		  "hugetlb.2MB.rsvd.max=4194304 ? | hugetlb.2MB.max=4194304",
		  "hugetlb:hugetlb.2MB.rsvd.limit_in_bytes=4194304 ? | "
		  "hugetlb:hugetlb.2MB.limit_in_bytes=4194304",
		  "hugetlb.2MB.rsvd.max=4194304 ? | hugetlb.2MB.max=4194304" },
	};

	check_rows(rows, COUNT(rows));
}

TEST(network)
{
	const struct row rows[] = {
		{ "class", "{'network':{'classID':1048577}}", "",
		  "net_cls,net_prio:net_cls.classid=1048577", "", .warns = "network.classID" },
		{ "no class", "{'network':{'classID':0}}", "", "", "" },
		{ "priority", "{'network':{'priorities':[{'name':'eth0','priority':7}]}}", "",
		  "net_cls,net_prio:net_prio.ifpriomap=eth0 7", "", .warns = "network.priorities" },
	};
	const char *bad = "{'network':{'priorities':[{'name':'a b','priority':7}]}}";
	auto_arena a = arena_make();
	struct cgroup_plan p;
	struct err e = { 0 };

	check_rows(rows, COUNT(rows));
	CHECK_INT(plan_resources(&a, plan_host_v1, bad, "/x", false, &p, &e), -EINVAL);
	CHECK_HAS(e.text, "'a b' is no name");
}

TEST(rdma)
{
	const struct row rows[] = {
		{ "two adapters",
		  "{'rdma':{'mlx5_1':{'hcaHandles':3,'hcaObjects':10000},'mlx4_0':{'hcaObjects':0}}}",
		  "rdma.max=mlx5_1 hca_handle=3 hca_object=10000 | rdma.max=mlx4_0 hca_object=0",
		  "rdma:rdma.max=mlx5_1 hca_handle=3 hca_object=10000 | "
		  "rdma:rdma.max=mlx4_0 hca_object=0",
		  "rdma.max=mlx5_1 hca_handle=3 hca_object=10000 | rdma.max=mlx4_0 hca_object=0" },
		{ "bad name", "{'rdma':{'a b':{'hcaHandles':3}}}", NULL, NULL, NULL },
	};

	check_rows(rows, COUNT(rows));
}

TEST(unified)
{
	const struct row rows[] = {
		{ "one", "{'unified':{'memory.high':'4096'}}", "memory.high=4096", NULL, NULL },
		{ "lines", "{'unified':{'io.max':'8:0 rbps=1\\n\\n8:16 wbps=2\\n'}}",
		  "io.max=8:0 rbps=1 | io.max=8:16 wbps=2", NULL,
		  "io.max=8:0 rbps=1 | io.max=8:16 wbps=2" },
		{ "v2 on hybrid", "{'unified':{'misc.max':'sev 1'}}", "misc.max=sev 1", NULL,
		  "misc.max=sev 1" },
		{ "late", "{'unified':{'pids.max':'0'}}", "late pids.max=0", NULL, NULL },
		{ "core", "{'unified':{'cgroup.max.depth':'3'}}", "cgroup.max.depth=3", NULL,
		  "cgroup.max.depth=3" },
		{ "path", "{'unified':{'../memory.max':'1'}}", NULL, NULL, NULL },
		{ "slash", "{'unified':{'a/memory.max':'1'}}", NULL, NULL, NULL },
		{ "up", "{'unified':{'..':'1'}}", NULL, NULL, NULL },
		{ "empty", "{'unified':{'':'1'}}", NULL, NULL, NULL },
		{ "no controller", "{'unified':{'memory':'1'}}", NULL, NULL, NULL },
		{ "processes", "{'unified':{'cgroup.procs':'1'}}", NULL, NULL, NULL },
		{ "kill", "{'unified':{'cgroup.kill':'1'}}", NULL, NULL, NULL },
	};

	check_rows(rows, COUNT(rows));
}

/* Each weight of v1 has one of v2, the ends and the middle meet, and the order is kept. */
TEST(weights)
{
	uint64_t last = 0;

	CHECK_INT(ctl_weight_of_shares(0), 0);
	CHECK_INT(ctl_weight_of_shares(1), 1);
	CHECK_INT(ctl_weight_of_shares(2), 1);
	CHECK_INT(ctl_weight_of_shares(1024), 100);
	CHECK_INT(ctl_weight_of_shares(512), 59);
	CHECK_INT(ctl_weight_of_shares(2048), 174);
	CHECK_INT(ctl_weight_of_shares(262143), 10000);
	CHECK_INT(ctl_weight_of_shares(262144), 10000);
	CHECK_INT(ctl_weight_of_shares(UINT64_MAX), 10000);
	for (uint64_t s = 1; s <= 262144; s++) {
		uint64_t w = ctl_weight_of_shares(s);

		if (w < last || w < 1 || w > 10000)
			CHECK_INT(s, 0);
		last = w;
	}
	CHECK_INT(ctl_weight_of_blkio(0), 1);
	CHECK_INT(ctl_weight_of_blkio(10), 1);
	CHECK_INT(ctl_weight_of_blkio(1000), 10000);
}
