/* SPDX-License-Identifier: Apache-2.0 */
/* What a process given as a file has of the container's own, where the file is silent. */
#include <stdio.h>
#include <sys/resource.h>

#include "base/str.h"
#include "container/internal.h"
#include "unit/unit.h"

#define HEAD "{ \"args\": [\"x\"], \"cwd\": \"/\", \"user\": { \"uid\": 3, \"gid\": 4 }"

#define BOUNDS                                                                      \
	", \"rlimits\": [{ \"type\": \"RLIMIT_CORE\", \"soft\": 1, \"hard\": 2 }]," \
	" \"scheduler\": { \"policy\": \"SCHED_OTHER\" },"                          \
	" \"ioPriority\": { \"class\": \"IOPRIO_CLASS_BE\" }, \"execCPUAffinity\": {}"

static const struct {
	const char *text;
	const char *profile, *label;
	bool caps; /* the container's own */
	int score;
	bool bounds; /* the container's own limits, processors and priorities */
} rows[] = {
	{ HEAD " }", "own", "own:l", true, 77, true },
	{ HEAD ", \"apparmorProfile\": \"\", \"selinuxLabel\": \"\", \"rlimits\": [] }", "own",
	  "own:l", true, 77, true },
	{ HEAD ", \"apparmorProfile\": \"other\", \"selinuxLabel\": \"other:l\" }", "other",
	  "other:l", true, 77, true },
	{ HEAD ", \"capabilities\": {}, \"oomScoreAdj\": 0 }", "own", "own:l", false, 0, true },
	{ HEAD BOUNDS " }", "own", "own:l", true, 77, false },
};

static void write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	REQUIRE(f != NULL);
	REQUIRE(fputs(text, f) >= 0);
	REQUIRE(fclose(f) == 0);
}

TEST(what_confines_the_container_confines_the_process_of_a_file)
{
	auto_arena a = arena_make();
	struct oci_capabilities caps = { 0 };
	struct oci_rlimit limit = {
		.type = "RLIMIT_NOFILE", .soft = 7, .has_soft = true, .hard = 7, .has_hard = true
	};
	struct oci_rlimit *limits[] = { &limit };
	struct oci_scheduler scheduler = { .policy = "SCHED_BATCH" };
	struct oci_io_priority io = { .class = "IOPRIO_CLASS_IDLE" };
	struct oci_exec_cpu_affinity cpus = { .initial = "0" };
	struct oci_process own = { .apparmor_profile = "own",
				   .selinux_label = "own:l",
				   .capabilities = &caps,
				   .has_oom_score_adj = true,
				   .oom_score_adj = 77,
				   .rlimits = limits,
				   .n_rlimits = 1,
				   .scheduler = &scheduler,
				   .io_priority = &io,
				   .exec_cpu_affinity = &cpus,
				   .cwd = "/elsewhere" };
	const struct oci_config config = { .process = &own };
	const struct spec spec = { .config = &config };
	const char *path = arena_printf(&a, "%s/process.json", unit_dir());
	const struct exec_options options = { .process = path };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct spec_process p = { 0 };
		struct err e = { 0 };

		unit_row("%s", rows[i].text);
		write_text(path, rows[i].text);
		REQUIRE_OK(exec_process(&a, NULL, &spec, &options, &p, &e), &e);
		CHECK_STR(p.oci->apparmor_profile, rows[i].profile);
		CHECK_STR(p.oci->selinux_label, rows[i].label);
		CHECK_INT(p.oci->capabilities == &caps, rows[i].caps);
		CHECK(p.has_oom_score_adj);
		CHECK_INT(p.oom_score_adj, rows[i].score);
		CHECK_INT(p.n_rlimits, 1);
		CHECK_INT(p.rlimits[0].resource == RLIMIT_NOFILE, rows[i].bounds);
		CHECK_INT(p.oci->scheduler == &scheduler, rows[i].bounds);
		CHECK_INT(p.oci->io_priority == &io, rows[i].bounds);
		CHECK_INT(p.oci->exec_cpu_affinity == &cpus, rows[i].bounds);
		CHECK_STR(p.cwd, "/");
	}
}
