/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/capability.h>
#include <sched.h>
#include <sys/resource.h>

#include "unit/spec/bundle.h"
#include "unit/unit.h"

TEST(template)
{
	const uint64_t caps =
		1ULL << CAP_AUDIT_WRITE | 1ULL << CAP_KILL | 1ULL << CAP_NET_BIND_SERVICE;
	auto_arena a = arena_make();
	struct spec *s = NULL;
	struct err e = { 0 };

	REQUIRE_OK(bundle_load_text(&a, spec_template(&a, false, 0, 0), &s, &e), &e);
	CHECK_STR(s->hostname, "cleat");
	CHECK(s->readonly_root);
	REQUIRE(s->has_process);
	CHECK(s->process.terminal);
	CHECK(s->process.no_new_privileges);
	CHECK_STR(s->process.oci->args[0], "sh");
	CHECK_INT(s->process.oci->n_args, 1);
	CHECK(s->process.caps.bounding == caps && s->process.caps.effective == caps);
	CHECK(s->process.caps.permitted == caps);
	CHECK(!s->process.caps.inheritable && !s->process.caps.ambient);
	REQUIRE(s->process.n_rlimits == 1);
	CHECK_INT(s->process.rlimits[0].resource, RLIMIT_NOFILE);
	CHECK_INT(s->process.rlimits[0].soft, 1024);
	CHECK(s->ns_new == (uint64_t)(CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
				      CLONE_NEWNS | CLONE_NEWCGROUP));
	CHECK(!s->ns_joined);
	CHECK_INT(s->config->n_mounts, 7);
	CHECK_INT(s->config->linux->n_masked_paths, 11);
	CHECK_INT(s->config->linux->n_readonly_paths, 5);
	CHECK(s->config->linux->resources != NULL);
}

TEST(template_rootless)
{
	auto_arena a = arena_make();
	struct spec *s = NULL;
	struct err e = { 0 };

	REQUIRE_OK(bundle_load_text(&a, spec_template(&a, true, 1000, 1001), &s, &e), &e);
	CHECK(s->ns_new == (uint64_t)(CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS |
				      CLONE_NEWCGROUP | CLONE_NEWUSER));
	REQUIRE(s->n_uid_maps == 1 && s->n_gid_maps == 1);
	CHECK_INT(s->uid_maps[0].inside, 0);
	CHECK_INT(s->uid_maps[0].outside, 1000);
	CHECK_INT(s->gid_maps[0].outside, 1001);
	CHECK_INT(s->gid_maps[0].size, 1);
	CHECK(s->config->linux->resources == NULL);
	CHECK(!strstr(s->text, "gid=5"));
	CHECK(!strstr(s->text, "sysfs"));
}
