/* SPDX-License-Identifier: Apache-2.0 */
/* Which namespaces are made by clone3, which are unshared, which are joined. */
#include <errno.h>
#include <linux/sched.h>
#include <string.h>

#include "base/arena.h"
#include "ns/ns.h"
#include "unit/unit.h"

/* <sched.h> of older C libraries has none */
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

#define ALL (CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS)

struct scene {
	struct arena arena;
	struct oci_config config;
	struct oci_linux linux_block;
	struct spec spec;
	struct host host;
	struct ns_plan plan;
	struct err e;
};

static struct id_map one = { .inside = 0, .outside = 1000, .size = 1 };
static struct id_map many = { .inside = 0, .outside = 100000, .size = 65536 };

static void begin(struct scene *s, uint64_t created)
{
	memset(s, 0, sizeof(*s));
	s->config.linux = &s->linux_block;
	s->spec.config = &s->config;
	s->spec.ns_new = created;
}

static void map(struct scene *s, struct id_map *m)
{
	s->spec.uid_maps = s->spec.gid_maps = m;
	s->spec.n_uid_maps = s->spec.n_gid_maps = 1;
}

static int make(struct scene *s)
{
	return ns_plan_make(&s->arena, &s->spec, &s->host, &s->plan, &s->e);
}

TEST(everything_that_clone3_can_make)
{
	struct scene s;

	begin(&s, ALL | CLONE_NEWCGROUP);
	CHECK_OK(make(&s), &s.e);
	CHECK_INT(s.plan.clone_flags, ALL | CLONE_NEWCGROUP);
	CHECK(!s.plan.new_user && !s.plan.late_cgroup);
}

TEST(cgroup_namespace_comes_late_on_v1)
{
	struct scene s;

	begin(&s, ALL | CLONE_NEWCGROUP);
	s.host.n_v1 = 1;
	CHECK_OK(make(&s), &s.e);
	CHECK(s.plan.late_cgroup);
	CHECK_INT(s.plan.clone_flags, ALL);
}

TEST(cgroup_namespace_comes_early_above_the_processes)
{
	struct oci_string_entry entry = { SPEC_ANNOTATION_DELEGATE, "a" };
	struct oci_string_map map = { .entries = &entry, .n = 1 };
	struct scene s;

	begin(&s, ALL | CLONE_NEWCGROUP);
	s.config.annotations = &map;
	CHECK_OK(make(&s), &s.e);
	CHECK(s.plan.early_cgroup);
	CHECK(!s.plan.late_cgroup);
	CHECK_INT(s.plan.clone_flags, ALL);
	entry.value = "";
	CHECK_OK(make(&s), &s.e);
	CHECK(!s.plan.early_cgroup);
	CHECK_INT(s.plan.clone_flags, ALL | CLONE_NEWCGROUP);
}

TEST(cgroup_namespace_comes_late_with_a_named_hierarchy)
{
	struct oci_string_entry entry = { SPEC_ANNOTATION_CGROUP_V1, "/sys/fs/cgroup" };
	struct oci_string_map map = { .entries = &entry, .n = 1 };
	struct scene s;

	begin(&s, ALL | CLONE_NEWCGROUP);
	s.config.annotations = &map;
	CHECK_OK(make(&s), &s.e);
	CHECK(s.plan.late_cgroup);
	CHECK_INT(s.plan.clone_flags, ALL);
}

TEST(user_and_time_are_unshared)
{
	struct scene s;

	begin(&s, ALL | CLONE_NEWUSER | CLONE_NEWTIME);
	map(&s, &many);
	CHECK_OK(make(&s), &s.e);
	CHECK_INT(s.plan.clone_flags, ALL);
	CHECK(s.plan.new_user);
	CHECK(!s.plan.single_uid);
}

TEST(user_namespace_needs_maps)
{
	struct scene s;

	begin(&s, CLONE_NEWUSER);
	CHECK_INT(make(&s), -EINVAL);
	CHECK_HAS(s.e.text, "uidMappings");
}

TEST(own_id_alone_needs_no_helper)
{
	struct scene s;

	begin(&s, CLONE_NEWUSER);
	map(&s, &one);
	s.host.euid = 1000;
	s.host.egid = 1001;
	CHECK_OK(make(&s), &s.e);
	CHECK(s.plan.unprivileged);
	CHECK(s.plan.single_uid);
	CHECK(!s.plan.single_gid);
}

TEST(time_offsets)
{
	struct oci_linux_time_offset mono = { .secs = -5, .nanosecs = 7 };
	struct oci_linux_time_offset boot = { .secs = 60 };
	struct oci_linux_time_offsets offsets = { .monotonic = &mono, .boottime = &boot };
	struct scene s;

	begin(&s, CLONE_NEWTIME);
	s.linux_block.time_offsets = &offsets;
	CHECK_OK(make(&s), &s.e);
	CHECK_STR(s.plan.time_offsets, "monotonic -5 7\nboottime 60 0\n");
	s.spec.ns_new = 0;
	CHECK_INT(make(&s), -EINVAL);
	CHECK_HAS(s.e.text, "needs a new time namespace");
}

TEST(paths_are_joined)
{
	const struct spec_namespace list[] = {
		{ .type = CLONE_NEWNET, .path = "/run/netns/a" },
		{ .type = CLONE_NEWPID },
		{ .type = CLONE_NEWIPC, .path = "/proc/7/ns/ipc" },
	};
	struct scene s;

	begin(&s, CLONE_NEWPID);
	memcpy(s.spec.namespaces, list, sizeof(list));
	s.spec.n_namespaces = COUNT(list);
	CHECK_OK(make(&s), &s.e);
	CHECK_INT(s.plan.n_join, 2);
	CHECK_INT(s.plan.join[0].type, CLONE_NEWNET);
	CHECK_STR(s.plan.join[1].path, "/proc/7/ns/ipc");
	CHECK_INT(s.plan.join[1].fd, -1);
}
