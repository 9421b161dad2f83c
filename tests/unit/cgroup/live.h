/* SPDX-License-Identifier: Apache-2.0 */
/*
 * live - tests with real cgroups, on each kind of host that this machine can show
 *
 * A hybrid machine shows three: itself; the v2 tree alone, bound on /sys/fs/cgroup; the
 * v1 hierarchies alone, with the v2 tree covered. A v2 machine shows itself. Each test
 * has a process and a mount namespace of its own. At its end, however it ends, what is
 * left below its base path is killed and removed, and the controllers that it enabled
 * at the root are disabled.
 */
#ifndef CLEAT_TESTS_CGROUP_LIVE_H
#define CLEAT_TESTS_CGROUP_LIVE_H

#include "base/arena.h"
#include "cgroup/cgroup.h"
#include "cgroup/internal.h"
#include "unit/unit.h"

enum view { VIEW_HYBRID, VIEW_V2, VIEW_V1 };

/* One function, a test for each kind of host. */
#define LIVE(name)                               \
	static void live_##name(enum view view); \
	TEST(name##_on_hybrid)                   \
	{                                        \
		live_begin(VIEW_HYBRID);         \
		live_##name(VIEW_HYBRID);        \
		live_end();                      \
	}                                        \
	TEST(name##_on_v2)                       \
	{                                        \
		live_begin(VIEW_V2);             \
		live_##name(VIEW_V2);            \
		live_end();                      \
	}                                        \
	TEST(name##_on_v1)                       \
	{                                        \
		live_begin(VIEW_V1);             \
		live_##name(VIEW_V1);            \
		live_end();                      \
	}                                        \
	static void live_##name(enum view view __attribute__((unused)))

/* Skips the test where the machine cannot show that kind of host. */
void live_begin(enum view view);
/* Leaves nothing behind, and fails the test when something is left all the same. */
void live_end(void);
extern struct arena live_arena;
extern struct host live_host;
/* "/cleat-unit-<pid>": below it everything is ours. */
const char *live_base(void);

struct live {
	struct cgroup_plan plan;
	struct cgroup *cg;
};

/* Plan and create with resources as JSON (' for "); @path below the base, "" for itself. */
int live_create(struct live *l, const char *path, const char *json, struct err *e);
int live_create_with(struct live *l, const char *path, const char *json,
		     const struct cgroup_plan_options *opt, struct err *e);

/* The directory that live_create*() give to cgroup_create(); -1 at first. */
extern int live_hints;

/* Without resources, which must work; and kill, wait, remove and close, likewise. */
void live_make(struct live *l, const char *path);
void live_destroy(struct live *l);

/*
 * A process inside that runs @fn and exits with its result. It starts when it has been
 * moved to all directories and the late values are written.
 */
pid_t live_spawn(struct live *l, int (*fn)(void *arg), void *arg);
/* Exit status, or 128 + signal. */
int live_wait(pid_t pid);
bool live_is_alive(pid_t pid);
/* Waits for a signal for ever. */
int live_idle(void *arg);

/* The path of a file of the host's tree: hierarchy NULL for v2. */
const char *live_file(const char *hierarchy, const char *path, const char *file);
/* What the file says, without the last line end; "" and a failed check when it cannot. */
const char *live_read(const char *hierarchy, const char *path, const char *file);
bool live_exists(const char *hierarchy, const char *path);
/* Is the controller to be had on this host, and where? */
bool live_has(const char *controller, const char **ret_hierarchy);

#endif
