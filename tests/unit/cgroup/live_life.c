/* SPDX-License-Identifier: Apache-2.0 */
/* Birth, freezing and signals. */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "sys/sys.h"
#include "unit/cgroup/live.h"

/* --- birth ------------------------------------------------------------------------------------------- */

static int see_cgroups(void *arg)
{
	char text[4096];
	int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof(text) - 1);
	const char *want = arg;
	int ours = 0;

	if (n <= 0)
		return 200;
	text[n] = '\0';
	for (char *line = text; *line; line = strchr(line, '\n') + 1) {
		char *path = strchr(strchr(line, ':') + 1, ':') + 1;

		ours += strncmp(path, want, strlen(want)) == 0 && path[strlen(want)] == '\n';
	}
	return ours;
}

/* Everywhere at once: in the v2 tree by birth, in each v1 hierarchy by joining. */
LIVE(birth)
{
	char path[128];
	struct live l;

	snprintf(path, sizeof(path), "%s/a/b", live_base());
	live_make(&l, "/a/b");
	CHECK_INT(cgroup_needs_join(l.cg), view != VIEW_V2);
	CHECK_INT(cgroup_v2_fd(l.cg) >= 0, view != VIEW_V1);
	CHECK(cgroup_matches(l.cg));
	CHECK(!cgroup_is_none(l.cg));
	CHECK_INT(live_wait(live_spawn(&l, see_cgroups, path)), l.plan.n_dirs);
	live_destroy(&l);
	CHECK(!live_exists(live_host.n_v1 ? live_host.v1[0].dir : NULL, "/a/b"));
}

LIVE(refuses_populated)
{
	struct live l, second;
	struct err e = { 0 };
	pid_t pid;

	live_make(&l, "");
	pid = live_spawn(&l, live_idle, NULL);
	CHECK_INT(live_create(&second, "", "{}", &e), -EBUSY);
	CHECK_HAS(e.text, "container's cgroup is not empty: ");
	CHECK_HAS(e.text, "exists and holds processes");
	CHECK(live_is_alive(pid));
	CHECK_INT(cgroup_is_populated(l.cg), 1);
	live_destroy(&l);
	waitpid(pid, NULL, 0);
}

/* A nested process counts as well. */
LIVE(refuses_populated_below)
{
	struct live outer, inner, second;
	struct err e = { 0 };
	pid_t pid;

	if (view == VIEW_V1)
		unit_skip("v1 tells of a directory alone");
	live_make(&outer, "");
	live_make(&inner, "/in");
	pid = live_spawn(&inner, live_idle, NULL);
	CHECK_INT(live_create(&second, "", "{}", &e), -EBUSY);
	CHECK_HAS(e.text, "exists and holds processes");
	cgroup_close(inner.cg);
	live_destroy(&outer);
	waitpid(pid, NULL, 0);
}

LIVE(refuses_frozen)
{
	struct live l, second;
	struct err e = { 0 };

	live_make(&l, "");
	CHECK_OK(cgroup_freeze(l.cg, true, &e), &e);
	CHECK_INT(live_create(&second, "", "{}", &e), -EBUSY);
	CHECK_HAS(e.text, "container's cgroup unexpectedly frozen: ");
	CHECK_HAS(e.text, "exists and is frozen");
	CHECK_OK(cgroup_freeze(l.cg, false, &e), &e);
	CHECK_OK(live_create(&second, "", "{}", &e), &e);
	cgroup_close(second.cg);
	live_destroy(&l);
}

/* A former container that has not quite gone is waited for. */
LIVE(waits_for_the_former)
{
	struct live l, second;
	struct err e = { 0 };
	pid_t pid, killer;

	live_make(&l, "");
	pid = live_spawn(&l, live_idle, NULL);
	killer = fork();
	REQUIRE(killer >= 0);
	if (killer == 0) {
		sys_ppoll(NULL, 0, 100);
		kill(pid, SIGKILL);
		_exit(0);
	}
	CHECK_OK(live_create(&second, "", "{}", &e), &e);
	waitpid(pid, NULL, 0);
	waitpid(killer, NULL, 0);
	cgroup_close(second.cg);
	live_destroy(&l);
}

/* --- without permission -------------------------------------------------------------------------------- */

LIVE(rootless)
{
	struct cgroup_plan_options opt = { .id = "unit", .rootless = true };
	static const char json[] = "{'memory':{'limit':8388608},'pids':{'limit':4}}";
	struct err e = { 0 };
	struct live l;

	REQUIRE(seteuid(65534) == 0);
	CHECK_OK(live_create_with(&l, "", json, &opt, &e), &e);
	CHECK(cgroup_is_none(l.cg));
	CHECK_INT(cgroup_v2_fd(l.cg), -1);
	CHECK(!cgroup_needs_join(l.cg));
	CHECK_OK(cgroup_kill(l.cg, &e), &e);
	CHECK_OK(cgroup_wait_empty(l.cg, 0, &e), &e);
	CHECK_OK(cgroup_remove(l.cg, &e), &e);
	cgroup_close(l.cg);
	opt.require_limits = true;
	CHECK_INT(live_create_with(&l, "", json, &opt, &e), -EACCES);
	CHECK_HAS(e.text, "make cgroup '");
	REQUIRE(seteuid(0) == 0);
}

static void write_pid(const char *path, pid_t pid)
{
	auto_dir d = DIR_NONE;
	char text[16];
	struct err e = { 0 };

	snprintf(text, sizeof(text), "%d", (int)pid);
	REQUIRE_OK(dir_open(path, &d, &e), &e);
	REQUIRE_OK(file_write_at(&d, "cgroup.procs", text, strlen(text), &e), &e);
}

#define USER 65534

static char home[PATH_MAX]; /* the v2 cgroup that we were in */

/* What a user's service manager does: a subtree of one's own, oneself in a part of it. */
static void delegate(bool enter)
{
	const char *all = live_file(NULL, "", ""), *self = live_file(NULL, "/self", "");
	char name[PATH_MAX];

	host_probe(&live_host, HOST_OWN_CGROUP);
	snprintf(home, sizeof(home), CGROUP_ROOT "%s%s",
		 live_host.cgroups == HOST_CGROUP_HYBRID ? "/unified" : "", live_host.v2_self);
	REQUIRE(mkdir(all, 0755) == 0 && mkdir(self, 0755) == 0);
	for (const char *file = "/cgroup.procs"; file; file = *file ? "" : NULL) {
		snprintf(name, sizeof(name), "%s%s", all, file);
		REQUIRE(chown(name, USER, USER) == 0);
		snprintf(name, sizeof(name), "%s%s", self, file);
		REQUIRE(chown(name, USER, USER) == 0);
	}
	if (enter)
		write_pid(self, getpid());
	host_probe(&live_host, HOST_OWN_CGROUP);
	REQUIRE(seteuid(USER) == 0);
}

/* Before the clean-up, which wants to remove all of it. */
static void come_back(void)
{
	REQUIRE(seteuid(0) == 0);
	write_pid(home, getpid());
}

static int create_beside(struct live *l, struct err *e)
{
	const struct oci_config c = { 0 };
	const struct spec s = { .config = &c };
	const struct cgroup_plan_options opt = { .id = "unit", .rootless = true };

	REQUIRE_OK(cgroup_plan_make(&live_arena, &s, &live_host, &opt, &l->plan, e), e);
	l->plan.n_dirs = 1; /* the v2 tree alone */
	return cgroup_create(&live_arena, &l->plan, -1, &l->cg, e);
}

LIVE(rootless_delegated)
{
	struct live l;
	struct err e = { 0 };
	pid_t pid;

	if (view == VIEW_V1)
		unit_skip("v1 cannot be delegated");
	delegate(true);
	CHECK_OK(create_beside(&l, &e), &e);
	CHECK(!cgroup_is_none(l.cg));
	CHECK_STR(l.plan.dirs[0].path, arena_printf(&live_arena, "%s/cleat-unit", live_base()));
	l.cg->n_dirs = 1;
	pid = live_spawn(&l, live_idle, NULL);
	CHECK_INT(cgroup_is_populated(l.cg), 1);
	live_destroy(&l);
	CHECK_INT(live_wait(pid), 128 + SIGKILL);
	come_back();
}

/* It could be made, but nobody could be born there. */
LIVE(rootless_from_outside)
{
	struct live l;
	struct err e = { 0 };

	if (view == VIEW_V1)
		unit_skip("v1 cannot be delegated");
	delegate(false);
	CHECK_OK(live_create_with(&l, "/self/c", "{}",
				  &(struct cgroup_plan_options){ .id = "unit", .rootless = true },
				  &e),
		 &e);
	CHECK(cgroup_is_none(l.cg));
	cgroup_close(l.cg);
	CHECK(!live_exists(NULL, "/self/c"));
	come_back();
}

/* init went into a nested cgroup and gave it controllers: exec has to follow. */
LIVE(follow_init)
{
	struct live l;
	struct err e = { 0 };
	struct stat a, b;
	pid_t pid;
	int fd;

	if (view == VIEW_V1)
		unit_skip("there is no such rule on v1");
	live_make(&l, "");
	pid = live_spawn(&l, live_idle, NULL);
	CHECK_INT(cgroup_open_below(l.cg, pid, &e), -EBUSY);
	CHECK_HAS(e.text, "not below it");
	REQUIRE(mkdir(live_file(NULL, "/init.scope", ""), 0755) == 0);
	write_pid(live_file(NULL, "/init.scope", ""), pid);
	fd = cgroup_open_below(l.cg, pid, &e);
	if (CHECK_OK(fd, &e)) {
		CHECK(fstat(fd, &a) == 0 && stat(live_file(NULL, "/init.scope", ""), &b) == 0);
		CHECK_INT(a.st_ino, b.st_ino);
		close(fd);
	}
	live_destroy(&l);
	waitpid(pid, NULL, 0);
}

TEST(managers_without_a_tree)
{
	struct cgroup_plan p = { .manager = CGROUP_DISABLED };
	auto_arena a = arena_make();
	struct cgroup *cg = NULL;
	struct err e = { 0 };

	REQUIRE_OK(cgroup_create(&a, &p, -1, &cg, &e), &e);
	CHECK(cgroup_is_none(cg));
	CHECK_OK(cgroup_remove(cg, &e), &e);
	cgroup_close(cg);
	p.manager = CGROUP_FS;
	CHECK_INT(cgroup_create(&a, &p, -1, &cg, &e), -ENOTSUP);
	CHECK_HAS(e.text, "no cgroup file system is mounted at '/sys/fs/cgroup'");
	p.rootless = true;
	REQUIRE_OK(cgroup_create(&a, &p, -1, &cg, &e), &e);
	cgroup_close(cg);
}

LIVE(systemd)
{
	const struct cgroup_plan_options opt = { .id = "unit", .manager = CGROUP_SYSTEMD };
	struct oci_linux linux_part = { .cgroups_path = "a.slice:b:c" };
	const struct oci_config c = { .linux = &linux_part };
	const struct spec s = { .config = &c };
	struct cgroup_plan p;
	struct cgroup *cg;
	struct err e = { 0 };

	REQUIRE_OK(cgroup_plan_make(&live_arena, &s, &live_host, &opt, &p, &e), &e);
	setenv("CLEAT_HELPER_DIR", "/nowhere", 1);
	CHECK_INT(cgroup_create(&live_arena, &p, -1, &cg, &e), -ENOTSUP);
	CHECK_STR(e.text, "the systemd cgroup manager needs '/nowhere/cleat-systemd', which "
			  "is not there");
}

/* --- freezing -------------------------------------------------------------------------------------------- */

static int count_for_ever(void *arg)
{
	volatile unsigned long *counter = arg;

	while (*counter < ULONG_MAX)
		++*counter;
	return 0;
}

LIVE(freeze)
{
	volatile unsigned long *counter =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct err e = { 0 };
	unsigned long before;
	struct live l;
	pid_t pid;

	REQUIRE(counter != MAP_FAILED);
	live_make(&l, "");
	pid = live_spawn(&l, count_for_ever, (void *)counter);
	CHECK_INT(cgroup_is_frozen(l.cg), 0);
	REQUIRE_OK(cgroup_freeze(l.cg, true, &e), &e);
	CHECK_INT(cgroup_is_frozen(l.cg), 1);
	before = *counter;
	sys_ppoll(NULL, 0, 50);
	CHECK_INT(*counter, before);
	REQUIRE_OK(cgroup_freeze(l.cg, false, &e), &e);
	CHECK_INT(cgroup_is_frozen(l.cg), 0);
	sys_ppoll(NULL, 0, 50);
	CHECK(*counter > before);
	/* killing reaches the frozen, and leaves nothing frozen */
	REQUIRE_OK(cgroup_freeze(l.cg, true, &e), &e);
	live_destroy(&l);
	CHECK_INT(live_wait(pid), 128 + SIGKILL);
	munmap((void *)counter, 4096);
}

/* --- signals ---------------------------------------------------------------------------------------------- */

/* Three processes: itself, a child, and one of that, which all wait. */
static int family(void *arg)
{
	(void)arg;
	if (fork() == 0)
		fork();
	return live_idle(NULL);
}

static size_t count_pids(struct live *l)
{
	auto_arena a = arena_make();
	struct err e = { 0 };
	pid_t *pids;
	size_t n = 0;

	CHECK_OK(cgroup_pids(l->cg, &a, &pids, &n, &e), &e);
	return n;
}

static void wait_for_pids(struct live *l, size_t n)
{
	for (int i = 0; i < 2000 && count_pids(l) != n; i++)
		sys_ppoll(NULL, 0, 5);
	CHECK_INT(count_pids(l), n);
}

LIVE(signal_all)
{
	struct live l, inner;
	struct err e = { 0 };
	pid_t first, second;

	live_make(&l, "");
	first = live_spawn(&l, family, NULL);
	live_make(&inner, "/in");
	second = live_spawn(&inner, live_idle, NULL);
	wait_for_pids(&l, 4);
	CHECK_INT(cgroup_signal(l.cg, SIGTERM, &e), 4);
	CHECK_INT(live_wait(first), 128 + SIGTERM);
	CHECK_INT(live_wait(second), 128 + SIGTERM);
	CHECK_OK(cgroup_wait_empty(l.cg, 5000, &e), &e);
	CHECK_INT(cgroup_is_populated(l.cg), 0);
	CHECK_INT(cgroup_signal(l.cg, SIGTERM, &e), 0);
	cgroup_close(inner.cg);
	live_destroy(&l);
}

/* More than one round of pidfds. */
static int crowd(void *arg)
{
	(void)arg;
	for (int i = 0; i < 150; i++)
		if (fork() == 0)
			live_idle(NULL);
	return live_idle(NULL);
}

LIVE(signal_crowd)
{
	struct live l;
	struct err e = { 0 };
	pid_t pid;

	live_make(&l, "");
	pid = live_spawn(&l, crowd, NULL);
	wait_for_pids(&l, 151);
	CHECK_INT(cgroup_signal(l.cg, SIGKILL, &e), 151);
	CHECK_INT(live_wait(pid), 128 + SIGKILL);
	live_destroy(&l);
}

static int bomb(void *arg)
{
	(void)arg;
	while (fork() >= 0 || errno == EAGAIN)
		;
	return errno;
}

/* Nobody outruns it. */
LIVE(kill_fork_bomb)
{
	const char *hierarchy;
	struct live l;
	struct err e = { 0 };
	pid_t pid;

	if (!live_has("pids", &hierarchy))
		unit_skip("no pids controller to bound the bomb on this kind of host");
	REQUIRE_OK(live_create(&l, "", "{'pids':{'limit':64}}", &e), &e);
	pid = live_spawn(&l, bomb, NULL);
	wait_for_pids(&l, 64);
	live_destroy(&l);
	CHECK_INT(live_wait(pid), 128 + SIGKILL);
}
