/* SPDX-License-Identifier: Apache-2.0 */
/* What a configuration may not say, and what it means when it may. */
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "base/log.h"
#include "unit/spec/bundle.h"
#include "unit/unit.h"

struct bad_row {
	struct bundle_parts parts;
	const char *want;
};

static void check_bad(const struct bad_row *rows, size_t n)
{
	auto_arena a = arena_make();

	for (size_t i = 0; i < n; i++) {
		struct spec *s = NULL;
		struct err e = { 0 };

		unit_row("%zu: %s", i, rows[i].want);
		CHECK(bundle_load(&a, &rows[i].parts, &s, &e) < 0);
		CHECK_HAS(e.text, rows[i].want);
		CHECK(s == NULL);
	}
}

static struct spec *load(struct arena *a, const struct bundle_parts parts)
{
	struct spec *s = NULL;
	struct err e = { 0 };

	REQUIRE_OK(bundle_load(a, &parts, &s, &e), &e);
	return s;
}

/* --- process --------------------------------------------------------------------------------- */

TEST(process_refused)
{
	static const struct bad_row rows[] = {
		{ { .process = "\"env\": [ \"A=1\", \"SECRET\" ]" }, "process.env[1]: no '='" },
		{ { .process = "\"env\": [ \"=secret\" ]" }, "process.env[0]: no name" },
		{ { .process = "\"user\": { \"uid\": 4294967295 }" }, "process.user.uid" },
		{ { .process = "\"user\": { \"gid\": 4294967295 }" }, "process.user.gid" },
		{ { .process = "\"user\": { \"uid\": 4294967296 }" }, "process.user.uid" },
		{ { .process = "\"user\": { \"additionalGids\": [ 1, 4294967295 ] }" },
		  "process.user.additionalGids[1]" },
		{ { .process = "\"user\": { \"umask\": 512 }" }, "process.user.umask" },
		{ { .process = "\"rlimits\": [ { \"type\": \"RLIMIT_X\", \"soft\": 1, "
			       "\"hard\": 1 } ]" },
		  "process.rlimits[0].type: unknown 'RLIMIT_X'" },
		{ { .process = "\"rlimits\": [ { \"type\": \"RLIMIT_CORE\", \"soft\": 1, "
			       "\"hard\": 1 }, { \"type\": \"RLIMIT_CORE\", \"soft\": 1, "
			       "\"hard\": 1 } ]" },
		  "process.rlimits[1]: a second RLIMIT_CORE" },
		{ { .process = "\"rlimits\": [ { \"type\": \"RLIMIT_CORE\", \"soft\": 2, "
			       "\"hard\": 1 } ]" },
		  "RLIMIT_CORE soft 2 is above hard 1" },
		{ { .process = "\"oomScoreAdj\": 1001" }, "process.oomScoreAdj: 1001" },
		{ { .process = "\"oomScoreAdj\": -1001" }, "process.oomScoreAdj: -1001" },
		{ { .process = "\"terminal\": true, \"consoleSize\": { \"height\": 65536, "
			       "\"width\": 1 }" },
		  "process.consoleSize: 1x65536" },
	};

	check_bad(rows, COUNT(rows));
}

TEST(process_args_and_cwd)
{
	static const struct {
		const char *process, *want;
	} rows[] = {
		{ "{ \"cwd\": \"/\" }", "process.args is missing" },
		{ "{ \"cwd\": \"/\", \"args\": [] }", "process.args is empty" },
		{ "{ \"cwd\": \"tmp\", \"args\": [ \"a\" ] }", "process.cwd: 'tmp'" },
		{ "{ \"cwd\": \"\", \"args\": [ \"a\" ] }", "process.cwd" },
		{ "{ \"args\": [ \"a\" ] }", "cwd" },
	};
	auto_arena a = arena_make();

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct spec *s = NULL;
		struct err e = { 0 };
		const char *text = arena_printf(&a,
						"{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":"
						"\"r\"},\"process\":%s}",
						rows[i].process);

		unit_row("%s", rows[i].process);
		CHECK(bundle_load_text(&a, text, &s, &e) < 0);
		CHECK_HAS(e.text, rows[i].want);
	}
}

/* A secret that makes a configuration wrong does not get into a log. */
TEST(process_env_is_secret)
{
	const struct bundle_parts parts = { .process = "\"env\": [ \"hunter2\" ]" };
	auto_arena a = arena_make();
	struct spec *s = NULL;
	struct err e = { 0 };

	CHECK(bundle_load(&a, &parts, &s, &e) < 0);
	CHECK(!strstr(e.text, "hunter2"));
	CHECK(!strstr(e.subject, "hunter2"));
}

TEST(process_values)
{
	auto_arena a = arena_make();
	const struct spec_process *p =
		&load(&a,
		      (struct bundle_parts){
			      .process = "\"user\": { \"uid\": 4294967294, \"gid\": 5, "
					 "\"umask\": 63, \"additionalGids\": [ 9, 8 ] },"
					 "\"terminal\": true, \"consoleSize\": "
					 "{ \"height\": 24, \"width\": 80 },"
					 "\"rlimits\": [ { \"type\": \"RLIMIT_NOFILE\", "
					 "\"soft\": 7, \"hard\": 18446744073709551615 } ],"
					 "\"noNewPrivileges\": true, \"oomScoreAdj\": 0,"
					 "\"capabilities\": { \"bounding\": [ \"CAP_KILL\", "
					 "\"CAP_FLY\" ], \"ambient\": [ \"CAP_CHOWN\" ] }" })
			 ->process;

	CHECK(p->uid == 4294967294U);
	CHECK_INT(p->gid, 5);
	CHECK_INT(p->umask, 077);
	REQUIRE(p->n_groups == 2);
	CHECK_INT(p->groups[0], 9);
	CHECK_INT(p->groups[1], 8);
	CHECK(p->terminal);
	CHECK_INT(p->rows, 24);
	CHECK_INT(p->cols, 80);
	REQUIRE(p->n_rlimits == 1);
	CHECK_INT(p->rlimits[0].resource, RLIMIT_NOFILE);
	CHECK_INT(p->rlimits[0].soft, 7);
	CHECK(p->rlimits[0].hard == UINT64_MAX);
	CHECK(p->no_new_privileges);
	CHECK(p->has_oom_score_adj && p->oom_score_adj == 0);
	CHECK(p->has_caps);
	CHECK(p->caps.bounding == 1ULL << CAP_KILL);
	CHECK(p->caps.ambient == 1ULL << CAP_CHOWN);
	CHECK(p->caps.effective == 0);
}

TEST(process_defaults)
{
	auto_arena a = arena_make();
	const struct spec_process *p =
		&load(&a, (struct bundle_parts){ .process = "\"consoleSize\": { \"height\": 24, "
							    "\"width\": 99999 }" })
			 ->process;

	CHECK_INT(p->uid, 0);
	CHECK_INT(p->umask, -1);
	CHECK_INT(p->n_groups, 0);
	CHECK(!p->terminal && !p->rows && !p->cols); /* a size without a terminal says nothing */
	CHECK(!p->has_caps && !p->caps.bounding);
	CHECK(!p->has_oom_score_adj);
	CHECK(!p->no_new_privileges);
	CHECK_STR(p->cwd, "/");
}

/* --- linux ----------------------------------------------------------------------------------- */

#define USER_NS "{ \"type\": \"user\" }"

TEST(linux_refused)
{
	static const struct bad_row rows[] = {
		{ { .linux = "\"uidMappings\": [ { \"containerID\": 0, \"hostID\": 0, "
			     "\"size\": 1 } ]" },
		  "linux.uidMappings needs a user namespace" },
		{ { .linux = "\"gidMappings\": [ { \"containerID\": 0, \"hostID\": 0, "
			     "\"size\": 1 } ]" },
		  "linux.gidMappings needs a user namespace" },
		{ { .linux = "\"rootfsPropagation\": \"up\"" },
		  "linux.rootfsPropagation: unknown 'up'" },
		{ { .linux = "\"maskedPaths\": [ \"/proc/x\", \"proc\" ]" },
		  "linux.maskedPaths[1]: 'proc'" },
		{ { .linux = "\"readonlyPaths\": [ \"\" ]" }, "linux.readonlyPaths[0]: ''" },
		{ { .linux = "\"timeOffsets\": { \"boottime\": { \"nanosecs\": 1000000000 } }" },
		  "linux.timeOffsets.boottime.nanosecs" },
		{ { .top = "\"hostname\": \"x\"" }, "hostname needs a uts namespace" },
		{ { .top = "\"domainname\": \"x\"" }, "domainname needs a uts namespace" },
		{ { .top = "\"annotations\": { \"\": \"x\" }" }, "a key is empty" },
	};

	check_bad(rows, COUNT(rows));
}

static int load_linux(struct arena *a, const char *members, struct spec **ret, struct err *e)
{
	const char *text = arena_printf(a,
					"{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"},"
					"\"linux\":{%s}}",
					members);

	return bundle_load_text(a, text, ret, e);
}

TEST(namespaces)
{
	auto_arena a = arena_make();
	struct spec *s = NULL;
	struct err e = { 0 };

	REQUIRE_OK(
		load_linux(&a,
			   "\"namespaces\": [ { \"type\": \"pid\" }, { \"type\": \"network\", "
			   "\"path\": \"/run/netns/x\" }, { \"type\": \"ipc\", \"path\": \"\" }, "
			   "{ \"type\": \"time\" } ]",
			   &s, &e),
		&e);
	REQUIRE(s->n_namespaces == 4);
	CHECK(s->ns_new == (uint64_t)(CLONE_NEWPID | CLONE_NEWIPC | 0x80));
	CHECK(s->ns_joined == CLONE_NEWNET);
	CHECK_STR(s->namespaces[1].path, "/run/netns/x");
	CHECK(s->namespaces[2].path == NULL);
	CHECK_INT(s->namespaces[3].type, 0x80);
}

TEST(namespaces_refused)
{
	static const struct {
		const char *list, *want;
	} rows[] = {
		{ "{ \"type\": \"net\" }", "linux.namespaces[0].type" },
		{ "{ \"type\": \"pid\" }, { \"type\": \"pid\" }",
		  "linux.namespaces[1]: a second 'pid'" },
		{ "{ \"type\": \"pid\" }, { \"type\": \"pid\", \"path\": \"/x\" }",
		  "linux.namespaces[1]: a second 'pid'" },
		{ "{ \"type\": \"pid\", \"path\": \"x/y\" }", "linux.namespaces[0].path: 'x/y'" },
	};
	auto_arena a = arena_make();

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct spec *s = NULL;
		struct err e = { 0 };

		unit_row("%s", rows[i].list);
		CHECK(load_linux(&a, arena_printf(&a, "\"namespaces\": [ %s ]", rows[i].list), &s,
				 &e) < 0);
		CHECK_HAS(e.text, rows[i].want);
	}
}

static const char *mapping(struct arena *a, unsigned inside, unsigned outside, unsigned size)
{
	return arena_printf(a, "{ \"containerID\": %u, \"hostID\": %u, \"size\": %u }", inside,
			    outside, size);
}

static int load_maps(struct arena *a, const char *maps, struct spec **ret, struct err *e)
{
	const char *members = arena_printf(a,
					   "\"namespaces\": [ " USER_NS " ], "
					   "\"uidMappings\": [ %s ], \"gidMappings\": [ %s ]",
					   maps, maps);

	return load_linux(a, members, ret, e);
}

TEST(mappings)
{
	auto_arena a = arena_make();
	struct spec *s = NULL;
	struct err e = { 0 };
	const char *many;

	REQUIRE_OK(load_maps(&a,
			     arena_printf(&a, "%s, %s", mapping(&a, 0, 1000, 1),
					  mapping(&a, 1, 100000, 65536)),
			     &s, &e),
		   &e);
	REQUIRE(s->n_uid_maps == 2 && s->n_gid_maps == 2);
	CHECK_INT(s->uid_maps[1].inside, 1);
	CHECK_INT(s->uid_maps[1].outside, 100000);
	CHECK_INT(s->gid_maps[1].size, 65536);
	/* one behind the other, in both directions */
	CHECK_OK(load_maps(&a,
			   arena_printf(&a, "%s, %s, %s", mapping(&a, 10, 1010, 5),
					mapping(&a, 0, 1000, 10), mapping(&a, 15, 990, 10)),
			   &s, &e),
		 &e);
	/* all that there is */
	CHECK_OK(load_maps(&a, mapping(&a, 0, 0, 4294967295U), &s, &e), &e);
	many = mapping(&a, 0, 0, 1);
	for (unsigned i = 1; i < 340; i++)
		many = arena_printf(&a, "%s, %s", many, mapping(&a, i * 2, i * 3, 1));
	CHECK_OK(load_maps(&a, many, &s, &e), &e);
	many = arena_printf(&a, "%s, %s", many, mapping(&a, 9999, 9999, 1));
	CHECK(load_maps(&a, many, &s, &e) < 0);
	CHECK_HAS(e.text, "linux.uidMappings: 341 entries, the kernel takes 340");
}

TEST(mappings_refused)
{
	auto_arena a = arena_make();
	const struct {
		const char *maps, *want;
	} rows[] = {
		{ mapping(&a, 0, 0, 0), "linux.uidMappings[0]: a size of 0" },
		{ mapping(&a, 1, 0, 4294967295U), "a size of 4294967295 makes no range" },
		{ mapping(&a, 0, 2, 4294967294U), "a size of 4294967294 makes no range" },
		{ arena_printf(&a, "%s, %s", mapping(&a, 5, 0, 10), mapping(&a, 0, 100, 6)),
		  "containerID 5 is mapped twice" },
		{ arena_printf(&a, "%s, %s", mapping(&a, 0, 7, 1), mapping(&a, 1, 7, 1)),
		  "hostID 7 is mapped twice" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct spec *s = NULL;
		struct err e = { 0 };

		unit_row("%s", rows[i].maps);
		CHECK(load_maps(&a, rows[i].maps, &s, &e) < 0);
		CHECK_HAS(e.text, rows[i].want);
	}
}

TEST(propagation)
{
	static const struct {
		const char *word;
		uint64_t want;
	} rows[] = {
		{ "", 0 },
		{ "shared", MS_SHARED },
		{ "rshared", MS_SHARED | MS_REC },
		{ "slave", MS_SLAVE },
		{ "rslave", MS_SLAVE | MS_REC },
		{ "private", MS_PRIVATE },
		{ "rprivate", MS_PRIVATE | MS_REC },
		{ "unbindable", MS_UNBINDABLE },
		{ "runbindable", MS_UNBINDABLE | MS_REC },
	};
	auto_arena a = arena_make();

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *members =
			arena_printf(&a, "\"rootfsPropagation\": \"%s\"", rows[i].word);

		unit_row("%s", rows[i].word);
		CHECK(load(&a, (struct bundle_parts){ .linux = members })->rootfs_propagation ==
		      rows[i].want);
	}
}

TEST(uts_names)
{
	auto_arena a = arena_make();
	struct spec *s = NULL;
	struct err e = { 0 };
	char name[66];

	memset(name, 'n', sizeof(name));
	for (size_t n = 64; n <= 65; n++) {
		const char *text;

		name[n] = '\0';
		text = arena_printf(&a,
				    "{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"},"
				    "\"hostname\":\"%s\",\"domainname\":\"\","
				    "\"linux\":{\"namespaces\":[{\"type\":\"uts\"}]}}",
				    name);
		CHECK((bundle_load_text(&a, text, &s, &e) == 0) == (n == 64));
		if (n == 64)
			CHECK(str_eq(s->hostname, name) && !s->domainname);
		name[n] = 'n';
	}
	CHECK_HAS(e.text, "hostname: longer than 64");
}

/* --- mounts, hooks --------------------------------------------------------------------------- */

TEST(mounts_refused)
{
	static const struct bad_row rows[] = {
		{ { .top = "\"mounts\": [ { \"destination\": \"\" } ]" },
		  "mounts[0].destination is empty" },
		{ { .top = "\"mounts\": [ { \"destination\": \"/a\", \"type\": \"bind\" } ]" },
		  "mounts[0]: a bind of '/a' needs a source" },
		{ { .top = "\"mounts\": [ { \"destination\": \"/a\", \"source\": \"\", "
			   "\"options\": [ \"ro\", \"rbind\" ] } ]" },
		  "mounts[0]: a bind of '/a' needs a source" },
		{ { .top = "\"mounts\": [ { \"destination\": \"/a\", \"uidMappings\": [ "
			   "{ \"containerID\": 0, \"hostID\": 0, \"size\": 1 } ] } ]" },
		  "mounts[0]: uidMappings and gidMappings come together" },
	};

	check_bad(rows, COUNT(rows));
}

static char logged[512];

static void keep_line(void *arg, enum log_level level, const char *text)
{
	size_t n = strlen(logged);

	(void)arg;
	snprintf(logged + n, sizeof(logged) - n, "%d %s\n", level, text);
}

/* What podman and old configurations write: a warning at most. */
TEST(mounts_accepted)
{
	auto_arena a = arena_make();
	struct spec *s;

	REQUIRE(log_open(NULL, LOG_TEXT, LOG_LEVEL_WARNING, NULL) == 0);
	log_set_sink(keep_line, NULL);
	s = load(
		&a,
		(struct bundle_parts){
			.top = "\"mounts\": [ { \"destination\": \"relative\", "
			       "\"type\": \"tmpfs\", \"options\": [ \"\" ] }, { \"destination\": \"/b\", "
			       "\"source\": \"/x\", \"type\": \"bind\" } ]" });
	REQUIRE(s->config->n_mounts == 2);
	CHECK_STR(s->config->mounts[0]->destination, "relative");
	CHECK_INT(s->config->mounts[0]->n_options, 1);
	CHECK_STR(s->config->mounts[1]->source, "/x");
	CHECK_HAS(logged, "mounts[0].destination: 'relative' is not absolute");
	CHECK(strchr(logged, '\n') == strrchr(logged, '\n'));
}

TEST(hooks_refused)
{
	static const char *const kinds[] = { "prestart",       "createRuntime", "createContainer",
					     "startContainer", "poststart",	"poststop" };
	auto_arena a = arena_make();

	for (size_t i = 0; i < COUNT(kinds); i++) {
		const struct bad_row rows[] = {
			{ { .top = arena_printf(&a,
						"\"hooks\": { \"%s\": [ { \"path\": \"x\" } ] }",
						kinds[i]) },
			  arena_printf(&a, "hooks.%s[0].path: 'x' is not absolute", kinds[i]) },
			{ { .top = arena_printf(&a,
						"\"hooks\": { \"%s\": [ { \"path\": \"/x\" }, "
						"{ \"path\": \"/x\", \"timeout\": 0 } ] }",
						kinds[i]) },
			  arena_printf(&a, "hooks.%s[1].timeout", kinds[i]) },
		};

		check_bad(rows, COUNT(rows));
	}
}
