/* SPDX-License-Identifier: Apache-2.0 */
/* Limits: what the kernel's files say after create, and what happens beyond them. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "unit/cgroup/live.h"

/* --- read back ------------------------------------------------------------------------------------ */

static const struct {
	const char *controller, *v1_controller, *json;
	struct {
		const char *file, *text;
	} v1[4], v2[4];
} rows[] = {
	{ "cpu",
	  "cpu",
	  "{'cpu':{'shares':512,'quota':50000,'period':200000,'burst':1000}}",
	  { { "cpu.shares", "512" },
	    { "cpu.cfs_quota_us", "50000" },
	    { "cpu.cfs_period_us", "200000" },
	    { "cpu.cfs_burst_us", "1000" } },
	  { { "cpu.weight", "59" }, { "cpu.max", "50000 200000" }, { "cpu.max.burst", "1000" } } },
	{ "cpu",
	  "cpu",
	  "{'cpu':{'idle':1,'shares':77}}",
	  { { "cpu.idle", "1" } },
	  { { "cpu.idle", "1" } } },
	{ "cpuset",
	  "cpuset",
	  "{'cpu':{'cpus':'0','mems':'0'}}",
	  { { "cpuset.cpus", "0" }, { "cpuset.mems", "0" } },
	  { { "cpuset.cpus", "0" }, { "cpuset.mems", "0" } } },
	{ "memory",
	  "memory",
	  "{'memory':{'limit':33554432,'reservation':16777216,'swap':67108864}}",
	  { { "memory.limit_in_bytes", "33554432" },
	    { "memory.soft_limit_in_bytes", "16777216" },
	    { "memory.memsw.limit_in_bytes", "67108864" } },
	  { { "memory.max", "33554432" },
	    { "memory.low", "16777216" },
	    { "memory.swap.max", "33554432" } } },
	{ "memory",
	  "memory",
	  "{'memory':{'limit':-1}}",
	  { { "memory.limit_in_bytes", "9223372036854771712" } },
	  { { "memory.max", "max" }, { "memory.swap.max", "max" } } },
	{ "pids",
	  "pids",
	  "{'pids':{'limit':-1}}",
	  { { "pids.max", "max" } },
	  { { "pids.max", "max" } } },
	{ "cpu",
	  "cpu",
	  "{'cpu':{'quota':-1}}",
	  { { "cpu.cfs_quota_us", "-1" } },
	  { { "cpu.max", "max 100000" } } },
	{ "hugetlb",
	  "hugetlb",
	  "{'hugepageLimits':[{'pageSize':'2MB','limit':4194304}]}",
	  { { "hugetlb.2MB.limit_in_bytes", "4194304" },
	    { "hugetlb.2MB.rsvd.limit_in_bytes", "4194304" } },
	  { { "hugetlb.2MB.max", "4194304" }, { "hugetlb.2MB.rsvd.max", "4194304" } } },
};

/* Asked for and not there: one line that names file and controller, and nothing left. */
static void check_unavailable(struct live *l, const char *controller, const char *json)
{
	struct err e = { 0 };
	int r = live_create(l, "/sub", json, &e);

	CHECK_INT(r, -ENOTSUP);
	CHECK_HAS(e.text, controller);
	CHECK_HAS(e.text, live_host.cgroups == HOST_CGROUP_V1 ? "no hierarchy" : "write '");
	CHECK(!strstr(e.text, "no such file or directory"));
	CHECK(!live_exists(NULL, ""));
}

/* What cannot be limited has no limit. */
static void check_unlimited(struct live *l, const char *json)
{
	struct err e = { 0 };

	if (!CHECK_OK(live_create(l, "/sub", json, &e), &e))
		return;
	CHECK_OK(cgroup_remove(l->cg, &e), &e);
	cgroup_close(l->cg);
}

LIVE(values)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *hierarchy, *json = rows[i].json;
		struct live l;
		struct err e = { 0 };

		unit_row("%s", json);
		if (!live_has(rows[i].v1_controller, &hierarchy) &&
		    (!live_has(rows[i].controller, &hierarchy) || hierarchy)) {
			if (strstr(json, ":-1"))
				check_unlimited(&l, json);
			else if (!hierarchy && view != VIEW_V1)
				check_unavailable(&l, rows[i].controller, json);
			continue;
		}
		if (!CHECK_OK(live_create(&l, "/sub", json, &e), &e))
			continue;
		for (size_t k = 0; k < 4; k++) {
			const char *file = hierarchy ? rows[i].v1[k].file : rows[i].v2[k].file;
			const char *want = hierarchy ? rows[i].v1[k].text : rows[i].v2[k].text;

			if (file)
				CHECK_STR(live_read(hierarchy, "/sub", file), want);
		}
		CHECK_OK(cgroup_remove(l.cg, &e), &e);
		cgroup_close(l.cg);
	}
}

static int take_name(const char *name, unsigned char type, void *arg)
{
	(void)type;
	snprintf(arg, 300, "/sys/block/%s/dev", name);
	return 1;
}

/* Any block device will do. */
static bool find_disk(char *numbers, size_t size)
{
	auto_dir blocks = DIR_NONE;
	char path[300] = "";

	if (dir_open("/sys/block", &blocks, NULL) == 0)
		dir_each(&blocks, take_name, path, NULL);
	return *path && file_read_small(AT_FDCWD, path, numbers, size) > 0;
}

LIVE(throttles)
{
	const char *hierarchy, *json, *io;
	char disk[32], *minor, *major;
	struct live l;
	struct err e = { 0 };

	if (!live_has("blkio", &hierarchy) && !live_has("io", &hierarchy))
		unit_skip("no io controller on this kind of host");
	if (!find_disk(disk, sizeof(disk)))
		unit_skip("no block device");
	minor = strchr(disk, ':') + 1;
	major = arena_strndup(&live_arena, disk, (size_t)(minor - disk - 1));
	json = arena_printf(
		&live_arena,
		"{'blockIO':{'throttleReadBpsDevice':[{'major':%s,'minor':%s,'rate':1048576}],"
		"'throttleWriteIOPSDevice':[{'major':%s,'minor':%s,'rate':77}]}}",
		major, minor, major, minor);
	REQUIRE_OK(live_create(&l, "", json, &e), &e);
	if (hierarchy) {
		CHECK_STR(live_read(hierarchy, "", "blkio.throttle.read_bps_device"),
			  arena_printf(&live_arena, "%s 1048576", disk));
		CHECK_STR(live_read(hierarchy, "", "blkio.throttle.write_iops_device"),
			  arena_printf(&live_arena, "%s 77", disk));
	} else {
		io = arena_printf(&live_arena, "%s rbps=1048576 wbps=max riops=max wiops=77", disk);
		CHECK_STR(live_read(NULL, "", "io.max"), io);
	}
	cgroup_remove(l.cg, &e);
	cgroup_close(l.cg);
}

/* A directory that is there has values already, and the new ones must get past them. */
LIVE(values_over_values)
{
	static const char *const texts[] = {
		"{'memory':{'limit':33554432,'swap':33554432},'cpu':{'quota':5000,'period':10000}}",
		"{'memory':{'limit':67108864,'swap':67108864},'cpu':{'quota':200000,'period':900000}}",
		"{'memory':{'limit':-1},'cpu':{'quota':1000,'burst':1000}}",
		"{'memory':{'limit':16777216,'swap':16777216},'cpu':{'quota':3000,'burst':3000}}",
	};
	const char *memory, *cpu;

	if (!live_has("memory", &memory) || !live_has("cpu", &cpu))
		unit_skip("no memory or cpu controller on this kind of host");
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct live l;
		struct err e = { 0 };

		unit_row("%s", texts[i]);
		if (CHECK_OK(live_create(&l, "", texts[i], &e), &e))
			cgroup_close(l.cg);
	}
	CHECK_STR(live_read(memory, "", memory ? "memory.limit_in_bytes" : "memory.max"),
		  "16777216");
}

LIVE(refused_value)
{
	const char *hierarchy;
	struct live l;
	struct err e = { 0 };

	if (!live_has("cpuset", &hierarchy))
		unit_skip("no cpuset controller on this kind of host");
	CHECK(live_create(&l, "/a/b", "{'cpu':{'cpus':'77777'}}", &e) < 0);
	CHECK_HAS(e.text, "write '77777' to cpuset.cpus of cgroup '");
	CHECK_HAS(e.text, "/a/b': ");
	for (size_t i = 0; i < live_host.n_v1; i++)
		CHECK(!live_exists(live_host.v1[i].dir, ""));
	if (view != VIEW_V1)
		CHECK(!live_exists(NULL, ""));
}

/* Somebody made the parents and no more: they take the values of the root, and ours is in them. */
LIVE(empty_cpuset_above)
{
	static const char *const texts[] = { "{'cpu':{'cpus':'0'}}", "{'cpu':{'mems':'0'}}",
					     "{'cpu':{'cpus':'0','mems':'0'}}", "{}" };
	const char *hierarchy;

	if (!live_has("cpuset", &hierarchy) || !hierarchy)
		unit_skip("no cpuset hierarchy on this kind of host");
	for (size_t i = 0; i < COUNT(texts); i++) {
		const char *parent = arena_printf(&live_arena, "/p%zu", i);
		const char *path = arena_printf(&live_arena, "%s/c", parent);
		struct err e = { 0 };
		struct live l;

		unit_row("%s", texts[i]);
		mkdir(live_file(hierarchy, "", ""), 0755);
		REQUIRE(mkdir(live_file(hierarchy, parent, ""), 0755) == 0);
		CHECK_STR(live_read(hierarchy, parent, "cpuset.cpus"), "");
		if (!CHECK_OK(live_create(&l, path, texts[i], &e), &e))
			continue;
		CHECK_STR(live_read(hierarchy, path, "cpuset.mems"), "0");
		CHECK_STR(live_read(hierarchy, path, "cpuset.cpus"),
			  strstr(texts[i], "cpus") ? "0"
						   : live_read(hierarchy, parent, "cpuset.cpus"));
		CHECK(*live_read(hierarchy, path, "cpuset.cpus"));
		live_destroy(&l);
	}
}

/* --- beyond the limit ------------------------------------------------------------------------------- */

#define MANY (64 << 20)

static int eat_memory(void *arg)
{
	char *p = mmap(NULL, MANY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)arg;
	if (p == MAP_FAILED)
		return 1;
	for (size_t i = 0; i < MANY; i += 4096)
		p[i] = 1;
	return 0;
}

LIVE(memory)
{
	const char *hierarchy;
	int64_t limit = 0, peak = 0;
	struct live l;
	struct err e = { 0 };

	if (!live_has("memory", &hierarchy))
		unit_skip("no memory controller on this kind of host");
	REQUIRE_OK(live_create(&l, "", "{'memory':{'limit':8388608,'swap':8388608}}", &e), &e);
	CHECK_INT(live_wait(live_spawn(&l, eat_memory, NULL)), 128 + SIGKILL);
	CHECK(cgroup_oom_killed(l.cg, &limit, &peak));
	CHECK_INT(limit, 8388608);
	CHECK(peak > 4 << 20 && peak <= 8388608);
	CHECK_OK(cgroup_remove(l.cg, &e), &e);
	cgroup_close(l.cg);
	REQUIRE_OK(live_create(&l, "", "{}", &e), &e);
	CHECK_INT(live_wait(live_spawn(&l, eat_memory, NULL)), 0);
	CHECK(!cgroup_oom_killed(l.cg, &limit, &peak));
	cgroup_close(l.cg);
}

static int count_forks(void *arg)
{
	int n = 0;

	(void)arg;
	while (n < 10) {
		pid_t pid = fork();

		if (pid == 0)
			live_idle(NULL);
		if (pid < 0)
			break;
		n++;
	}
	return n;
}

LIVE(pids)
{
	static const struct {
		const char *json;
		int forks;
	} limits[] = {
		{ "{'pids':{'limit':0}}", 0 },	 { "{'pids':{'limit':1}}", 0 },
		{ "{'pids':{'limit':2}}", 1 },	 { "{'pids':{'limit':5}}", 4 },
		{ "{'pids':{'limit':-1}}", 10 },
	};
	const char *hierarchy;

	if (!live_has("pids", &hierarchy))
		unit_skip("no pids controller on this kind of host");
	for (size_t i = 0; i < COUNT(limits); i++) {
		struct live l;
		struct err e = { 0 };

		unit_row("%s", limits[i].json);
		REQUIRE_OK(live_create(&l, "", limits[i].json, &e), &e);
		CHECK_INT(live_wait(live_spawn(&l, count_forks, NULL)), limits[i].forks);
		CHECK_OK(cgroup_kill(l.cg, &e), &e);
		CHECK_OK(cgroup_wait_empty(l.cg, 5000, &e), &e);
		CHECK_OK(cgroup_remove(l.cg, &e), &e);
		cgroup_close(l.cg);
	}
}

/* --- devices ------------------------------------------------------------------------------------------ */

struct access {
	unsigned type, major, minor;
	int flags;
};

/* Makes the node and opens it; the errno of what failed, + 100 for opening. */
static int open_device(void *arg)
{
	const struct access *d = arg;
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/node", unit_dir());
	unlink(path);
	if (mknod(path, d->type | 0666, makedev(d->major, d->minor)) < 0)
		return errno;
	fd = open(path, d->flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? 100 + errno : 0;
}

static void check_device(struct live *l, const char *what, struct access d, int want)
{
	unit_row("%s", what);
	CHECK_INT(live_wait(live_spawn(l, open_device, &d)), want);
}

LIVE(devices)
{
	struct live l;
	struct err e = { 0 };

	/* where nodes may be made and opened, wherever the test's directory is */
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", unit_dir(), "tmpfs", 0, NULL) < 0)
		unit_skip("no mount namespace: %s", errno_text(errno));

	/* what happens where nobody has said anything about devices */
	REQUIRE_OK(live_create(&l, "", "{'devices':[{'allow':true}]}", &e), &e);
	check_device(&l, "all: null", (struct access){ S_IFCHR, 1, 3, O_RDWR }, 0);
	check_device(&l, "all: kmsg", (struct access){ S_IFCHR, 1, 11, O_RDONLY }, 0);
	cgroup_remove(l.cg, &e);
	cgroup_close(l.cg);

	REQUIRE_OK(live_create(&l, "", "{}", &e), &e);
	check_device(&l, "default: null", (struct access){ S_IFCHR, 1, 3, O_RDWR }, 0);
	check_device(&l, "default: kmsg", (struct access){ S_IFCHR, 1, 11, O_RDONLY }, 100 + EPERM);
	check_device(&l, "default: a disk", (struct access){ S_IFBLK, 7, 0, O_RDONLY },
		     100 + EPERM);
	cgroup_remove(l.cg, &e);
	cgroup_close(l.cg);

	REQUIRE_OK(live_create(&l, "",
			       "{'devices':[{'allow':false,'access':'rwm'},"
			       "{'allow':true,'type':'c','major':1,'minor':11,'access':'r'}]}",
			       &e),
		   &e);
	check_device(&l, "rule: kmsg", (struct access){ S_IFCHR, 1, 11, O_RDONLY }, 0);
	check_device(&l, "rule: kmsg, written", (struct access){ S_IFCHR, 1, 11, O_RDWR },
		     100 + EPERM);
	check_device(&l, "rule: neighbour", (struct access){ S_IFCHR, 1, 4, O_RDONLY },
		     100 + EPERM);
	check_device(&l, "rule: null", (struct access){ S_IFCHR, 1, 3, O_RDWR }, 0);
	/* the same directory again: the former program goes */
	cgroup_close(l.cg);
	REQUIRE_OK(live_create(&l, "", "{'devices':[{'allow':true}]}", &e), &e);
	if (view != VIEW_V1)
		check_device(&l, "again, all", (struct access){ S_IFCHR, 1, 11, O_RDWR }, 0);
	cgroup_remove(l.cg, &e);
	cgroup_close(l.cg);
}

/* --- looked at before --------------------------------------------------------------------------- */

/* By a file that any v2 cgroup has, and says what we want. */
LIVE(usage_above_a_limit)
{
	static const struct {
		const char *field, *limit, *words;
	} checks[] = {
		{ "memory.limit", "7", NULL },
		{ "memory.limit", "6",
		  "linux.resources.memory.limit: rejecting memory limit 6: cgroup.max.depth of" },
		{ "memory.swap", "6", "memory.swap: rejecting memory+swap limit 6: " },
	};
	struct err e = { 0 };
	struct live l;

	if (view == VIEW_V1)
		return;
	REQUIRE_OK(live_create(&l, "", "{'unified':{'cgroup.max.depth':'7'}}", &e), &e);
	for (size_t i = 0; i < COUNT(checks); i++) {
		const struct cgroup_value v = { .file = "cgroup.max.depth",
						.value = checks[i].limit,
						.op = CGROUP_USAGE_BELOW,
						.field = checks[i].field };
		int r = cgroup_write_values(l.cg, cgroup_dir_v2(l.cg), &v, 1, &e);

		unit_row("%s %s", checks[i].field, checks[i].limit);
		CHECK_INT(r, checks[i].words ? -EBUSY : 0);
		if (checks[i].words)
			CHECK_HAS(e.text, checks[i].words);
		err_clear(&e);
	}
	live_destroy(&l);
}
