/* SPDX-License-Identifier: Apache-2.0 */
/* Figures of living cgroups, and being told of what happens to them. */
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>

#include "cgroup/stats.h"
#include "unit/cgroup/live.h"

#define EATEN	(64 << 20)
#define TOUCHED (4 << 20)
#define WAIT_MS 20000

static int touch(size_t size)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return 1;
	for (size_t i = 0; i < size; i += 4096)
		p[i] = 1;
	return 0;
}

static int eat_memory(void *arg)
{
	(void)arg;
	return touch(EATEN);
}

static int burn(void *arg)
{
	volatile unsigned n = 0;

	(void)arg;
	touch(TOUCHED);
	while (n < UINT32_MAX)
		n++;
	return live_idle(NULL);
}

LIVE(figures)
{
	const char *cpu, *memory, *pids, *cpuset;
	struct cgroup_stats s;
	struct err e = { 0 };
	struct live l;
	pid_t pid;

	REQUIRE_OK(live_create(&l, "", "{}", &e), &e);
	pid = live_spawn(&l, burn, NULL);
	/* the kernel tells of CPU time without any controller on v2 */
	if (live_has("cpuacct", &cpu) || view != VIEW_V1) {
		do
			REQUIRE_OK(cgroup_stats_read(&live_arena, l.cg, &s, &e), &e);
		while (s.cpu.total < 1000000 || !(s.cpu.user + s.cpu.kernel));
	}
	/* a millisecond may be over before the memory has been touched */
	do
		REQUIRE_OK(cgroup_stats_read(&live_arena, l.cg, &s, &e), &e);
	while (live_has("memory", &memory) && s.memory.memory.usage < TOUCHED);
	if (live_has("memory", &memory)) {
		CHECK(s.memory.memory.limit == CGROUP_UNLIMITED);
		CHECK(s.memory.all.n > 10);
	}
	if (live_has("pids", &pids))
		CHECK_INT(s.pids, 1);
	if (live_has("cpuset", &cpuset))
		CHECK(*s.cpuset.cpus && *s.cpuset.mems);
	if (view != VIEW_V1 && live_exists(NULL, "/cpu.pressure"))
		CHECK(s.cpu.pressure.has && s.memory.pressure.has && s.io.pressure.has);
	CHECK_OK(cgroup_kill(l.cg, &e), &e);
	live_wait(pid);
	CHECK_OK(cgroup_remove(l.cg, &e), &e);
	CHECK_INT(cgroup_stats_read(&live_arena, l.cg, &s, &e), -ENODEV);
	cgroup_close(l.cg);
}

static unsigned wait_for(struct cgroup_watch *w, unsigned wanted)
{
	unsigned what = 0;

	while (!(what & wanted)) {
		struct pollfd fds[CGROUP_WATCH_FDS];

		cgroup_watch_poll(w, fds);
		if (!CHECK(poll(fds, CGROUP_WATCH_FDS, WAIT_MS) > 0))
			break;
		what |= cgroup_watch_look(w);
	}
	return what;
}

LIVE(watched_memory)
{
	const char *hierarchy;
	struct cgroup_watch w;
	struct cgroup_stats s;
	struct err e = { 0 };
	struct live l;

	if (!live_has("memory", &hierarchy))
		unit_skip("no memory controller on this kind of host");
	REQUIRE_OK(live_create(&l, "", "{'memory':{'limit':8388608,'swap':8388608}}", &e), &e);
	REQUIRE_OK(cgroup_watch_open(l.cg, &w, &e), &e);
	CHECK_INT(cgroup_watch_look(&w) & CGROUP_WATCH_OOM, 0);
	CHECK_INT(live_wait(live_spawn(&l, eat_memory, NULL)), 128 + SIGKILL);
	CHECK(wait_for(&w, CGROUP_WATCH_OOM) & CGROUP_WATCH_OOM);
	CHECK_INT(cgroup_watch_look(&w) & CGROUP_WATCH_OOM, 0);
	REQUIRE_OK(cgroup_stats_read(&live_arena, l.cg, &s, &e), &e);
	CHECK_INT(s.memory.oom_kills, 1);
	CHECK(s.memory.memory.max > 4 << 20);
	CHECK_OK(cgroup_remove(l.cg, &e), &e);
	CHECK_INT(cgroup_watch_look(&w) & CGROUP_WATCH_OOM, 0);
	cgroup_watch_close(&w);
	cgroup_close(l.cg);
}

LIVE(watched_end)
{
	struct cgroup_watch w;
	struct err e = { 0 };
	struct live l;
	pid_t pid;

	if (view == VIEW_V1)
		unit_skip("v1 does not tell");
	live_make(&l, "");
	pid = live_spawn(&l, live_idle, NULL);
	REQUIRE_OK(cgroup_watch_open(l.cg, &w, &e), &e);
	CHECK_INT(cgroup_watch_look(&w), 0);
	CHECK_OK(cgroup_kill(l.cg, &e), &e);
	CHECK(wait_for(&w, CGROUP_WATCH_EMPTY) & CGROUP_WATCH_EMPTY);
	live_wait(pid);
	cgroup_watch_close(&w);
	live_destroy(&l);
}
