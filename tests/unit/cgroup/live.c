/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/cgroup/live.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "sys/sys.h"
#include "unit/cgroup/config.h"

struct arena live_arena;
struct host live_host;
static char enabled_before[256];

const char *live_base(void)
{
	static char base[64];

	if (!*base)
		snprintf(base, sizeof(base), "/cleat-unit-%d", (int)getpid());
	return base;
}

/* --- hosts ------------------------------------------------------------------------------------ */

static void bind_over(const char *from, const char *to)
{
	if (mount(from, to, NULL, MS_BIND, NULL) < 0)
		unit_skip("mount '%s': %s", to, errno_text(errno));
}

static void show(enum view view)
{
	struct host real = { 0 };

	host_probe(&real, HOST_OWN_CGROUP);
	if (real.cgroups == HOST_CGROUP_NONE)
		unit_skip("no cgroups are mounted");
	if (view == VIEW_V2 && real.cgroups == HOST_CGROUP_V2)
		return;
	if (real.cgroups != HOST_CGROUP_HYBRID)
		unit_skip("this machine is not a hybrid one");
	if (view == VIEW_HYBRID)
		return;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		unit_skip("no mount namespace: %s", errno_text(errno));
	if (view == VIEW_V2)
		bind_over(CGROUP_ROOT "/unified", CGROUP_ROOT);
	else
		bind_over(unit_dir(), CGROUP_ROOT "/unified");
}

static const char *v2_root(void)
{
	return live_host.cgroups == HOST_CGROUP_HYBRID ? CGROUP_ROOT "/unified" : CGROUP_ROOT;
}

/* --- leaving nothing behind --------------------------------------------------------------------- */

static int kill_listed(const char *path)
{
	char text[8192], *end;

	if (file_read_small(AT_FDCWD, path, text, sizeof(text)) <= 0)
		return 0;
	for (char *at = text; *at; at = *end ? end + 1 : end) {
		long pid = strtol(at, &end, 10);

		if (end == at || pid <= 1)
			break;
		kill((pid_t)pid, SIGKILL);
		waitpid((pid_t)pid, NULL, 0);
	}
	return 0;
}

static int clean_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	char file[PATH_MAX];

	(void)st;
	(void)ftw;
	if (type != FTW_DP)
		return 0;
	snprintf(file, sizeof(file), "%s/cgroup.procs", path);
	kill_listed(file);
	rmdir(path);
	return 0;
}

static void clean_tree(const char *root)
{
	char path[PATH_MAX], thaw[PATH_MAX + 32];
	int fd;

	snprintf(path, sizeof(path), "%s%s", root, live_base());
	snprintf(thaw, sizeof(thaw), "%s/cgroup.kill", path);
	fd = open(thaw, O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		CHECK(write(fd, "1", 1) == 1);
		close(fd);
	}
	nftw(path, clean_one, 16, FTW_DEPTH | FTW_PHYS);
	if (!CHECK(faccessat(AT_FDCWD, path, F_OK, 0) < 0))
		fprintf(stderr, "# left: %s\n", path);
}

static void disable_again(void)
{
	char now[256], *save = NULL, path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.subtree_control", v2_root());
	if (file_read_small(AT_FDCWD, path, now, sizeof(now)) <= 0)
		return;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	for (char *w = strtok_r(now, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		char minus[64];

		snprintf(minus, sizeof(minus), "-%s", w);
		if (!strstr(enabled_before, w) && write(fd, minus, strlen(minus)) < 0)
			fprintf(stderr, "# %s stays enabled\n", w);
	}
	close(fd);
}

static pid_t tester;

void live_end(void)
{
	char root[256];

	/* the processes that a test makes exit as well */
	if (getpid() != tester)
		return;
	tester = 0;
	if (live_host.cgroups != HOST_CGROUP_V1)
		clean_tree(v2_root());
	for (size_t i = 0; i < live_host.n_v1; i++) {
		snprintf(root, sizeof(root), CGROUP_ROOT "/%s", live_host.v1[i].dir);
		clean_tree(root);
	}
	if (live_host.cgroups != HOST_CGROUP_V1)
		disable_again();
	arena_drop(&live_arena);
}

void live_begin(enum view view)
{
	char path[256];

	if (geteuid() != 0)
		unit_skip("making cgroups needs root");
	show(view);
	host_probe(&live_host, HOST_OWN_CGROUP);
	if (view == VIEW_V1)
		REQUIRE(live_host.cgroups == HOST_CGROUP_V1);
	snprintf(path, sizeof(path), "%s/cgroup.subtree_control", v2_root());
	file_read_small(AT_FDCWD, path, enabled_before, sizeof(enabled_before));
	tester = getpid();
	atexit(live_end);
}

/* --- cgroups and processes in them --------------------------------------------------------------- */

int live_hints = -1;

int live_create_with(struct live *l, const char *path, const char *json,
		     const struct cgroup_plan_options *opt, struct err *e)
{
	struct oci_linux linux_part = {
		.resources = config_resources(&live_arena, json),
		.cgroups_path = arena_printf(&live_arena, "%s%s", live_base(), path),
	};
	const struct oci_config c = { .linux = &linux_part };
	const struct spec s = { .config = &c };

	l->cg = NULL;
	REQUIRE_OK(cgroup_plan_make(&live_arena, &s, &live_host, opt, &l->plan, e), e);
	return cgroup_create(&live_arena, &l->plan, live_hints, &l->cg, e);
}

int live_create(struct live *l, const char *path, const char *json, struct err *e)
{
	const struct cgroup_plan_options opt = { .id = "unit" };

	return live_create_with(l, path, json, &opt, e);
}

int live_idle(void *arg)
{
	(void)arg;
	for (;;)
		pause();
}

pid_t live_spawn(struct live *l, int (*fn)(void *arg), void *arg)
{
	struct clone_args args = { .exit_signal = SIGCHLD };
	struct err e = { 0 };
	int go[2];
	pid_t pid;
	char c;

	REQUIRE(sys_pipe2(go, 0) == 0);
	if (cgroup_v2_fd(l->cg) >= 0) {
		args.flags = CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)cgroup_v2_fd(l->cg);
	}
	pid = sys_clone3(&args, sizeof(args));
	REQUIRE(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(go[1]);
		if (read(go[0], &c, 1) != 1)
			_exit(99);
		_exit(fn(arg));
	}
	close(go[0]);
	CHECK_OK(cgroup_join(l->cg, pid, &e), &e);
	CHECK_OK(cgroup_apply_late(l->cg, &l->plan, &e), &e);
	CHECK(write(go[1], "", 1) == 1);
	close(go[1]);
	return pid;
}

int live_wait(pid_t pid)
{
	int status = 0;

	REQUIRE(waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void live_make(struct live *l, const char *path)
{
	struct err e = { 0 };

	REQUIRE_OK(live_create(l, path, "{}", &e), &e);
}

void live_destroy(struct live *l)
{
	struct err e = { 0 };

	CHECK_OK(cgroup_kill(l->cg, &e), &e);
	CHECK_OK(cgroup_wait_empty(l->cg, 5000, &e), &e);
	CHECK_OK(cgroup_remove(l->cg, &e), &e);
	cgroup_close(l->cg);
}

bool live_is_alive(pid_t pid)
{
	siginfo_t si = { 0 };

	return waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT) == 0 && !si.si_pid;
}

/* --- files ----------------------------------------------------------------------------------------- */

const char *live_file(const char *hierarchy, const char *path, const char *file)
{
	const char *root =
		hierarchy ? arena_printf(&live_arena, CGROUP_ROOT "/%s", hierarchy) : v2_root();

	return arena_printf(&live_arena, "%s%s%s%s%s", root, live_base(), path, *file ? "/" : "",
			    file);
}

const char *live_read(const char *hierarchy, const char *path, const char *file)
{
	const char *name = live_file(hierarchy, path, file);
	char *text = arena_alloc(&live_arena, 4096);

	unit_row("%s", name);
	CHECK(file_read_small(AT_FDCWD, name, text, 4096) >= 0);
	return text;
}

bool live_exists(const char *hierarchy, const char *path)
{
	return faccessat(AT_FDCWD, live_file(hierarchy, path, ""), F_OK, 0) == 0;
}

static bool has_word(const char *words, const char *word, char separator)
{
	size_t n = strlen(word);

	for (const char *at = strstr(words, word); at; at = strstr(at + 1, word))
		if ((at == words || at[-1] == separator) && (at[n] == separator || !at[n]))
			return true;
	return false;
}

bool live_has(const char *controller, const char **ret_hierarchy)
{
	char text[256], path[256];

	for (size_t i = 0; i < live_host.n_v1; i++) {
		if (!has_word(live_host.v1[i].controllers, controller, ','))
			continue;
		*ret_hierarchy = live_host.v1[i].dir;
		return true;
	}
	*ret_hierarchy = NULL;
	if (live_host.cgroups == HOST_CGROUP_V1)
		return false;
	snprintf(path, sizeof(path), "%s/cgroup.controllers", v2_root());
	return file_read_small(AT_FDCWD, path, text, sizeof(text)) > 0 &&
	       has_word(text, controller, ' ');
}
