/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "hook/hook.h"
#include "sys/sys.h"
#include "unit/spec/bundle.h"
#include "unit/unit.h"

/* A hook that is a shell line, as JSON. */
static const char *shell(struct arena *a, const char *line, const char *more)
{
	return arena_printf(a, "{ \"path\": \"/bin/sh\", \"args\": [ \"sh\", \"-c\", \"%s\" ]%s }",
			    line, more);
}

static struct hook_plan plan(struct arena *a, const char *hooks)
{
	const struct bundle_parts parts = {
		.top = arena_printf(a, "\"hooks\": { %s }", hooks),
		.process = "\"env\": [ \"PAYLOAD=yes\", \"LD_PRELOAD=/evil.so\" ]",
	};
	struct hook_plan p = { 0 };
	struct spec *s = NULL;
	struct err e = { 0 };

	REQUIRE_OK(bundle_load(a, &parts, &s, &e), &e);
	hook_plan_make(s, &p);
	return p;
}

static const char *slurp(struct arena *a, const char *name)
{
	char *text = arena_alloc(a, 4096);
	int fd = open(arena_printf(a, "%s/%s", unit_dir(), name), O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return "(none)";
	REQUIRE(read(fd, text, 4095) >= 0);
	close(fd);
	return text;
}

static int bundle_fd(void)
{
	int fd = open(unit_dir(), O_PATH | O_DIRECTORY | O_CLOEXEC);

	REQUIRE(fd >= 0);
	return fd;
}

TEST(hooks_planned)
{
	auto_arena a = arena_make();
	struct hook_plan p = plan(&a, "\"createRuntime\": [ { \"path\": \"/a\" }, { \"path\": "
				      "\"/b\" } ], \"poststop\": [ { \"path\": \"/c\" } ], "
				      "\"prestart\": []");

	CHECK_INT(p.n[HOOK_PRESTART], 0);
	CHECK_INT(p.n[HOOK_CREATE_RUNTIME], 2);
	CHECK_INT(p.n[HOOK_POSTSTOP], 1);
	CHECK_STR(p.hooks[HOOK_CREATE_RUNTIME][1]->path, "/b");
	CHECK_STR(hook_kind_name(HOOK_CREATE_CONTAINER), "createContainer");
}

TEST(hooks_in_order_with_state)
{
	auto_arena a = arena_make();
	const char *hooks = arena_printf(&a, "\"poststart\": [ %s, %s ]",
					 shell(&a, "cat > one; pwd > where", ""),
					 shell(&a, "cat one > two; cat >> two", ""));
	struct hook_plan p = plan(&a, hooks);
	int dir = bundle_fd();
	struct err e = { 0 };

	CHECK_OK(hook_run_all(&p, HOOK_POSTSTART, "{\"a\":\"/b\"}",
			      &(struct hook_fds){ dir, -1, -1 }, &e),
		 &e);
	CHECK_STR(slurp(&a, "one"), "{\"a\":\"/b\"}");
	CHECK_STR(slurp(&a, "two"), "{\"a\":\"/b\"}{\"a\":\"/b\"}");
	CHECK_STR(slurp(&a, "where"), arena_printf(&a, "%s\n", unit_dir()));
	/* other kinds were not asked for */
	CHECK_OK(hook_run_all(&p, HOOK_PRESTART, "{}", &(struct hook_fds){ dir, -1, -1 }, &e), &e);
	close(dir);
}

/* Exactly its own environment; nothing of an image on the host (CVE-2025-23266). */
TEST(hooks_environment)
{
	static const struct {
		enum hook_kind kind;
		const char *env, *want;
	} rows[] = {
		{ HOOK_CREATE_CONTAINER, "", "--" },
		{ HOOK_CREATE_CONTAINER, ", \"env\": [ \"OWN=1\" ]", "-1-" },
		{ HOOK_START_CONTAINER, "", "-yes" },
		{ HOOK_START_CONTAINER, ", \"env\": [ \"OWN=1\" ]", "-1-" },
	};
	static const char *const program[] = { "PAYLOAD=yes", NULL };
	auto_arena a = arena_make();
	int dir = bundle_fd();

	setenv("OUTSIDE", "leaks", 1);
	for (size_t i = 0; i < COUNT(rows); i++) {
		/* LD_PRELOAD is in the payload's environment and would be reported on stderr */
		const char *line = "echo \\\"$OUTSIDE-$OWN-$PAYLOAD\\\" > env";
		struct hook_plan p =
			plan(&a, arena_printf(&a, "\"%s\": [ %s ]", hook_kind_name(rows[i].kind),
					      shell(&a, line, rows[i].env)));
		struct err e = { 0 };

		unit_row("%zu", i);
		p.start_env = program;
		CHECK_OK(
			hook_run_all(&p, rows[i].kind, "{}", &(struct hook_fds){ dir, -1, -1 }, &e),
			&e);
		CHECK_HAS(slurp(&a, "env"), rows[i].want);
		CHECK(!strstr(slurp(&a, "env"), "leaks"));
		if (i != 2)
			CHECK(!strstr(slurp(&a, "env"), "yes"));
	}
	close(dir);
}

TEST(hooks_args)
{
	auto_arena a = arena_make();
	int dir = bundle_fd();
	struct hook_plan p =
		plan(&a, "\"poststop\": [ { \"path\": \"/bin/sh\", \"args\": [ \"other-name\", "
			 "\"-c\", \"echo $0 $1 > args\", \"zero\", \"one\" ] } ]");
	struct err e = { 0 };

	CHECK_OK(hook_run_all(&p, HOOK_POSTSTOP, "{}", &(struct hook_fds){ dir, -1, -1 }, &e), &e);
	CHECK_STR(slurp(&a, "args"), "zero one\n");
	close(dir);
}

TEST(hooks_that_fail)
{
	auto_arena a = arena_make();
	const char *hooks =
		arena_printf(&a, "\"createRuntime\": [ %s, %s, %s ]", shell(&a, "true", ""),
			     shell(&a, "echo one >&2; echo the reason >&2; exit 3", ""),
			     shell(&a, "echo ran > third", ""));
	struct hook_plan p = plan(&a, hooks);
	int dir = bundle_fd();
	struct err e = { 0 };

	CHECK(hook_run_all(&p, HOOK_CREATE_RUNTIME, "{}", &(struct hook_fds){ dir, -1, -1 }, &e) <
	      0);
	CHECK_STR(
		e.text,
		"error running createRuntime hook #1: '/bin/sh': exited with status 3: 'the reason'");
	CHECK_STR(slurp(&a, "third"), "(none)");
	err_clear(&e);
	/* config.md: what a poststop hook does keeps nobody else from running */
	p = plan(&a, arena_printf(&a, "\"poststop\": [ { \"path\": \"/nowhere/hook\" }, %s ]",
				  shell(&a, "echo ran > fourth", "")));
	CHECK_INT(hook_run_all(&p, HOOK_POSTSTOP, "{}", &(struct hook_fds){ dir, -1, -1 }, &e), 0);
	CHECK_STR(e.text, "");
	CHECK_STR(slurp(&a, "fourth"), "ran\n");
	close(dir);
}

/* The whole group ends at the deadline, not only the hook. */
TEST(hooks_time_out)
{
	auto_arena a = arena_make();
	struct hook_plan p = plan(&a, arena_printf(&a, "\"prestart\": [ %s ]",
						   shell(&a, "sleep 50 & echo $! > child; wait",
							 ", \"timeout\": 1")));
	int dir = bundle_fd(), child = 0;
	int64_t start = clock_now_ms();
	struct err e = { 0 };
	struct pollfd gone = { .events = POLLIN };

	CHECK_INT(hook_run_all(&p, HOOK_PRESTART, "{}", &(struct hook_fds){ dir, -1, -1 }, &e),
		  -ETIMEDOUT);
	CHECK_HAS(e.text, "timed out after 1000 ms");
	CHECK(clock_now_ms() - start < 10000);
	REQUIRE(sscanf(slurp(&a, "child"), "%d", &child) == 1);
	gone.fd = sys_pidfd_open(child, 0);
	CHECK(gone.fd == -ESRCH || sys_ppoll(&gone, 1, 10000) == 1);
	if (gone.fd >= 0)
		close(gone.fd);
	close(dir);
}

/* A hook that does not read gets a state that no pipe can hold, and nobody minds. */
TEST(hooks_that_do_not_read)
{
	auto_arena a = arena_make();
	char *state = arena_alloc(&a, 300001);
	struct hook_plan p = plan(&a, "\"poststart\": [ { \"path\": \"/bin/true\" } ]");
	struct err e = { 0 };

	memset(state, ' ', 300000);
	CHECK_OK(hook_run_all(&p, HOOK_POSTSTART, state, &HOOK_FDS_NONE, &e), &e);
}

TEST(hook_state_text)
{
	const struct bundle_parts parts = {
		.top = "\"annotations\": { \"b/c\": \"d\\\"\\n/\", \"a\": \"\" }",
	};
	auto_arena a = arena_make();
	struct spec *s = NULL;
	struct err e = { 0 };

	REQUIRE_OK(bundle_load(&a, &parts, &s, &e), &e);
	CHECK_STR(hook_state(&a, s, "id-1", "creating", 77, "/run/b"),
		  "{\"ociVersion\":\"1.3.0\",\"id\":\"id-1\",\"pid\":77,\"status\":\"creating\","
		  "\"bundle\":\"/run/b\",\"annotations\":{\"b/c\":\"d\\\"\\n/\",\"a\":\"\"}}");
	REQUIRE_OK(bundle_load(&a, &(struct bundle_parts){ 0 }, &s, &e), &e);
	CHECK_STR(hook_state(&a, s, "x", "stopped", 0, "/b"),
		  "{\"ociVersion\":\"1.3.0\",\"id\":\"x\",\"status\":\"stopped\","
		  "\"bundle\":\"/b\"}");
}
