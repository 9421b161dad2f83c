/* SPDX-License-Identifier: Apache-2.0 */
/* Whole command lines, as engines are known to write them. */
#include "base/str.h"
#include "cli/cli.h"
#include "unit/unit.h"

#define WORDS 24

static const struct {
	const char *argv[WORDS];
	const char *command, *root, *log;
	enum cgroup_manager manager;
	const char *operands[4];
} good[] = {
	/* containerd's shim */
	{ { "cleat", "--root", "/run/d", "--log", "/b/log.json", "--log-format", "json",
	    "--systemd-cgroup", "create", "--bundle", "/b", "--pid-file", "/b/init.pid", "c1" },
	  "create",
	  "/run/d",
	  "/b/log.json",
	  CGROUP_SYSTEMD,
	  { "c1" } },
	{ { "cleat", "--root", "/run/d", "--log", "/b/log.json", "--log-format", "json", "kill",
	    "--all", "c1", "9" },
	  "kill",
	  "/run/d",
	  "/b/log.json",
	  CGROUP_FS,
	  { "c1", "9" } },
	{ { "cleat", "--rootless=true", "--criu", "/x", "delete", "--force", "c1" },
	  "delete",
	  NULL,
	  NULL,
	  CGROUP_FS,
	  { "c1" } },
	/* conmon with podman's arguments */
	{ { "cleat", "--log-format=json", "--log", "/o", "--cgroup-manager", "disabled", "create",
	    "--bundle", "/b", "--pid-file", "/p", "--no-new-keyring", "--preserve-fds", "2", "c" },
	  "create",
	  NULL,
	  "/o",
	  CGROUP_DISABLED,
	  { "c" } },
	/* conmon-rs: everything twice */
	{ { "cleat", "--log=journald:x", "--log-level=debug", "--root=/a", "--systemd-cgroup",
	    "--root=/b", "--systemd-cgroup", "create", "--bundle", "/b", "--pid-file", "/p",
	    "--console-socket=/s", "c" },
	  "create",
	  "/b",
	  "journald:x",
	  CGROUP_SYSTEMD,
	  { "c" } },
	/* BuildKit */
	{ { "cleat", "--log", "/l", "--log-format", "json", "run", "--bundle", "/b", "--keep",
	    "--no-pivot", "c" },
	  "run",
	  NULL,
	  "/l",
	  CGROUP_FS,
	  { "c" } },
	{ { "cleat", "kill", "-a", "c", "KILL" }, "kill", NULL, NULL, CGROUP_FS, { "c", "KILL" } },
	{ { "cleat", "list", "--format=json" }, "list", NULL, NULL, CGROUP_FS, { NULL } },
	{ { "cleat", "features" }, "features", NULL, NULL, CGROUP_FS, { NULL } },
	{ { "cleat", "start", "--", "-c" }, "start", NULL, NULL, CGROUP_FS, { "-c" } },
	/* by hand, and in scripts: options behind the id */
	{ { "cleat", "update", "c", "--memory", "1g", "--pids-limit=5" },
	  "update",
	  NULL,
	  NULL,
	  CGROUP_FS,
	  { "c" } },
	{ { "cleat", "delete", "c", "--force" }, "delete", NULL, NULL, CGROUP_FS, { "c" } },
	{ { "cleat", "kill", "c", "-a", "--", "KILL", "-a" },
	  "kill",
	  NULL,
	  NULL,
	  CGROUP_FS,
	  { "c", "KILL", "-a" } },
	/* but these are read by another program */
	{ { "cleat", "exec", "-d", "c", "sh", "-c" },
	  "exec",
	  NULL,
	  NULL,
	  CGROUP_FS,
	  { "c", "sh", "-c" } },
	{ { "cleat", "ps", "c", "-f", "-e" }, "ps", NULL, NULL, CGROUP_FS, { "c", "-f", "-e" } },
};

static const struct {
	const char *argv[WORDS];
	const char *words;
} bad[] = {
	{ { "cleat" }, "no command given" },
	{ { "cleat", "--root", "/x" }, "no command given" },
	{ { "cleat", "creat" }, "unknown command 'creat'; did you mean 'create'?" },
	{ { "cleat", "--bogus", "create" }, "unknown option '--bogus'" },
	{ { "cleat", "create" }, "create requires: ID" },
	{ { "cleat", "create", "a", "b" }, "create: unexpected argument 'b'" },
	{ { "cleat", "run", "a", "--bogus" }, "run: unknown option '--bogus'" },
	{ { "cleat", "run", "--", "a", "--keep" }, "run: unexpected argument '--keep'" },
	{ { "cleat", "update", "a", "--memory" }, "option '--memory' requires an argument" },
	{ { "cleat", "create", "--bundle" }, "create: option '--bundle' requires an argument" },
	{ { "cleat", "list", "-f", "xml" }, "option '--format': unknown value 'xml'" },
	{ { "cleat", "--cgroup-manager", "none", "list" }, "unknown value 'none'" },
};

static bool same(const char *a, const char *b)
{
	return a && b ? str_eq(a, b) : a == b;
}

TEST(callers_lines)
{
	for (size_t i = 0; i < COUNT(good); i++) {
		auto_arena a = arena_make();
		struct invocation inv = { .arena = &a };
		const struct context *ctx = &inv.globals.context;
		struct err e = { 0 };
		size_t n = 0;

		unit_row("%zu: %s", i, good[i].command);
		REQUIRE_OK(cli_parse(&inv, (char **)good[i].argv, &e), &e);
		CHECK_STR(inv.command->name, good[i].command);
		CHECK(same(ctx->root, good[i].root));
		CHECK(same(inv.globals.log, good[i].log));
		CHECK_INT(ctx->cgroup_manager, good[i].manager);
		for (; good[i].operands[n]; n++)
			CHECK_STR(inv.operands[n], good[i].operands[n]);
		CHECK_INT(inv.n_operands, n);
	}
}

TEST(bad_lines)
{
	for (size_t i = 0; i < COUNT(bad); i++) {
		auto_arena a = arena_make();
		struct invocation inv = { .arena = &a };
		struct err e = { 0 };

		unit_row("%zu", i);
		CHECK_INT(cli_parse(&inv, (char **)bad[i].argv, &e), -EINVAL);
		CHECK_HAS(e.text, bad[i].words);
	}
}

/* A mistake does not hide where the log is: what came before it counts. */
TEST(globals_before_a_mistake)
{
	const char *argv[] = { "cleat", "--log", "/l", "--log-format=json", "--bogus", NULL };
	auto_arena a = arena_make();
	struct invocation inv = { .arena = &a };

	CHECK_INT(cli_parse(&inv, (char **)argv, NULL), -EINVAL);
	CHECK_STR(inv.globals.log, "/l");
	CHECK_INT(inv.globals.log_format, LOG_JSON);
}
