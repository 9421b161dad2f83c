/* SPDX-License-Identifier: Apache-2.0 */
/* From the words of a configuration to what the kernel takes. */
#include <sched.h>
#include <sys/personality.h>

#include "proc/parts.h"
#include "unit/spec/bundle.h"
#include "unit/unit.h"

static int make(struct arena *a, struct bundle_parts parts, const struct host *host,
		struct proc_plan *ret, struct err *e)
{
	static const struct host root = { 0 };
	struct spec *s = NULL;

	REQUIRE_OK(bundle_load(a, &parts, &s, e), e);
	return proc_plan_make(a, s, &s->process, host ? host : &root, ret, e);
}

static struct proc_plan plan(struct arena *a, struct bundle_parts parts)
{
	struct proc_plan p = { 0 };
	struct err e = { 0 };

	REQUIRE_OK(make(a, parts, NULL, &p, &e), &e);
	return p;
}

TEST(plan_defaults)
{
	auto_arena a = arena_make();
	struct proc_plan p = plan(&a, (struct bundle_parts){ 0 });

	CHECK(!p.has_sched && !p.has_mempolicy && !p.exec);
	CHECK_INT(p.ioprio, -1);
	CHECK_INT(p.personality, PER_LINUX);
	CHECK_INT(p.n_args, 1);
	CHECK_STR(p.args[0], "sh");
	CHECK(p.args[1] == NULL);
	CHECK_INT(p.n_env, 0);
	CHECK_INT(p.n_sysctls, 0);
	CHECK(!p.hostname && !p.domainname && !p.keep_groups);
}

TEST(plan_env_last_wins)
{
	auto_arena a = arena_make();
	struct proc_plan p = plan(
		&a, (struct bundle_parts){ .process = "\"env\": [ \"A=1\", \"AB=2\", \"A=3\", "
						      "\"C=\", \"A=x=y\", \"a=low\", \"C=4\" ]" });

	REQUIRE(p.n_env == 4);
	CHECK_STR(p.env[0], "A=x=y");
	CHECK_STR(p.env[1], "AB=2");
	CHECK_STR(p.env[2], "C=4");
	CHECK_STR(p.env[3], "a=low");
	CHECK(p.env[4] == NULL);
}

TEST(plan_env_of_many)
{
	auto_arena a = arena_make();
	const char *list = "\"V0=0\"";
	struct proc_plan p;

	for (int i = 1; i < 1000; i++)
		list = arena_printf(&a, "%s, \"V%d=%d\"", list, i % 700, i);
	p = plan(&a, (struct bundle_parts){ .process = arena_printf(&a, "\"env\": [ %s ]", list) });
	REQUIRE(p.n_env == 700);
	CHECK_STR(p.env[0], "V0=700");
	CHECK_STR(p.env[299], "V299=999");
	CHECK_STR(p.env[699], "V699=699");
}

TEST(plan_scheduler)
{
	auto_arena a = arena_make();
	struct proc_plan p =
		plan(&a, (struct bundle_parts){
				 .process = "\"scheduler\": { \"policy\": \"SCHED_DEADLINE\", "
					    "\"runtime\": 10000000, \"deadline\": 20000000, "
					    "\"period\": 18446744073709551615, \"flags\": "
					    "[ \"SCHED_FLAG_RESET_ON_FORK\", "
					    "\"SCHED_FLAG_UTIL_CLAMP_MAX\" ] }" });

	CHECK(p.has_sched);
	CHECK_INT(p.sched.size, 56);
	CHECK_INT(p.sched.policy, 6);
	CHECK_INT(p.sched.flags, 0x41);
	CHECK_INT(p.sched.runtime, 10000000);
	CHECK_INT(p.sched.deadline, 20000000);
	CHECK(p.sched.period == UINT64_MAX);
	p = plan(&a, (struct bundle_parts){ .process = "\"scheduler\": { \"policy\": \"SCHED_RR\", "
						       "\"priority\": 3, \"nice\": -20 }" });
	CHECK_INT(p.sched.policy, 2);
	CHECK_INT(p.sched.priority, 3);
	CHECK_INT(p.sched.nice, -20);
}

TEST(plan_attributes)
{
	auto_arena a = arena_make();
	struct proc_plan p =
		plan(&a, (struct bundle_parts){
				 .process = "\"ioPriority\": { \"class\": \"IOPRIO_CLASS_RT\", "
					    "\"priority\": 7 }, \"execCPUAffinity\": "
					    "{ \"initial\": \"1\", \"final\": \"0-1\" }",
				 .linux = "\"personality\": { \"domain\": \"LINUX32\", \"flags\": "
					  "[ \"X\" ] }, \"memoryPolicy\": { \"mode\": "
					  "\"MPOL_BIND\", \"nodes\": \"0,65\", \"flags\": "
					  "[ \"MPOL_F_STATIC_NODES\" ] }" });

	CHECK_INT(p.ioprio, 1 << 13 | 7);
	CHECK_INT(p.exec_initial.words[0], 2);
	CHECK_INT(p.exec_final.words[0], 3);
	CHECK_INT(p.personality, PER_LINUX32);
	CHECK(p.has_mempolicy);
	CHECK_INT(p.mempolicy.mode, 2 | 1 << 15);
	REQUIRE(p.mempolicy.nodes.n_words == 65 / WORD_BITS + 1);
	CHECK_INT(p.mempolicy.nodes.words[65 / WORD_BITS], 2);
}

TEST(plan_refused)
{
	static const struct {
		struct bundle_parts parts;
		const char *want;
	} rows[] = {
		{ { .process = "\"scheduler\": { \"policy\": \"SCHED_X\" }" },
		  "process.scheduler.policy: unknown 'SCHED_X'" },
		{ { .process = "\"scheduler\": { \"policy\": \"SCHED_OTHER\", \"nice\": 20 }" },
		  "process.scheduler.nice: 20" },
		{ { .process = "\"scheduler\": { \"policy\": \"SCHED_OTHER\", \"priority\": 1 }" },
		  "process.scheduler.priority is for" },
		{ { .process = "\"scheduler\": { \"policy\": \"SCHED_FIFO\", \"priority\": -1 }" },
		  "process.scheduler.priority: -1" },
		{ { .process = "\"scheduler\": { \"policy\": \"SCHED_FIFO\", \"runtime\": 1 }" },
		  "process.scheduler: runtime" },
		{ { .process = "\"scheduler\": { \"policy\": \"SCHED_FIFO\", "
			       "\"flags\": [ \"X\" ] }" },
		  "process.scheduler.flags[0]: unknown 'X'" },
		{ { .process = "\"ioPriority\": { \"class\": \"X\" }" },
		  "process.ioPriority.class: unknown 'X'" },
		{ { .process = "\"ioPriority\": { \"class\": \"IOPRIO_CLASS_BE\", "
			       "\"priority\": 8 }" },
		  "process.ioPriority.priority: 8" },
		{ { .process = "\"execCPUAffinity\": { \"final\": \"x\" }" },
		  "process.execCPUAffinity.final: 'x'" },
		{ { .linux = "\"personality\": { \"domain\": \"X\" }" },
		  "linux.personality.domain: unknown 'X'" },
		{ { .linux = "\"memoryPolicy\": { \"mode\": \"X\" }" },
		  "linux.memoryPolicy.mode: unknown 'X'" },
		{ { .linux = "\"memoryPolicy\": { \"mode\": \"MPOL_BIND\", \"nodes\": \"-\" }" },
		  "linux.memoryPolicy.nodes: '-'" },
		{ { .linux = "\"memoryPolicy\": { \"mode\": \"MPOL_BIND\", "
			     "\"flags\": [ \"X\" ] }" },
		  "linux.memoryPolicy.flags[0]: unknown 'X'" },
	};
	auto_arena a = arena_make();

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct proc_plan p = { 0 };
		struct err e = { 0 };

		unit_row("%s", rows[i].want);
		CHECK(make(&a, rows[i].parts, NULL, &p, &e) < 0);
		CHECK_HAS(e.text, rows[i].want);
		CHECK(p.process == NULL);
	}
}

/* --- sysctls --------------------------------------------------------------------------------- */

static int plan_sysctl(struct arena *a, const char *namespaces, const char *top,
		       const char *sysctls, struct proc_plan *ret, struct err *e)
{
	static const struct host root = { 0 };
	struct spec *s = NULL;
	const char *text =
		arena_printf(a,
			     "{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"},"
			     "\"process\":{\"cwd\":\"/\",\"args\":[\"a\"]},%s"
			     "\"linux\":{\"namespaces\":[%s],\"sysctl\":{%s},"
			     "\"uidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":1}],"
			     "\"gidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":1}]}}",
			     top, namespaces, sysctls);

	REQUIRE_OK(bundle_load_text(a, text, &s, e), e);
	return proc_plan_make(a, s, &s->process, &root, ret, e);
}

#define ALL_NS                                                                              \
	"{\"type\":\"network\"},{\"type\":\"ipc\"},{\"type\":\"uts\"},{\"type\":\"user\"}," \
	"{\"type\":\"mount\"}"
#define NO_NS "{\"type\":\"user\"},{\"type\":\"mount\"}"

TEST(sysctl_keys)
{
	static const struct {
		const char *key, *want;
	} rows[] = {
		{ "net.ipv4.ip_forward", "net/ipv4/ip_forward" },
		{ "net/ipv4/ip_forward", "net/ipv4/ip_forward" },
		{ "net.ipv4.conf.eth0/100.forwarding", "net/ipv4/conf/eth0.100/forwarding" },
		{ "net/ipv4/conf/eth0.100/forwarding", "net/ipv4/conf/eth0.100/forwarding" },
		{ "kernel.msgmax", "kernel/msgmax" },
		{ "kernel.shm_rmid_forced", "kernel/shm_rmid_forced" },
		{ "fs.mqueue.msg_max", "fs/mqueue/msg_max" },
		{ "kernel.domainname", "kernel/domainname" },
		{ "user.max_user_namespaces", "user/max_user_namespaces" },
	};
	auto_arena a = arena_make();

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct proc_plan p = { 0 };
		struct err e = { 0 };

		unit_row("%s", rows[i].key);
		REQUIRE_OK(plan_sysctl(&a, ALL_NS, "",
				       arena_printf(&a, "\"%s\":\"a b\"", rows[i].key), &p, &e),
			   &e);
		REQUIRE(p.n_sysctls == 1);
		CHECK_STR(p.sysctls[0].path, rows[i].want);
		CHECK_STR(p.sysctls[0].key, rows[i].key);
		CHECK_STR(p.sysctls[0].value, "a b");
	}
}

TEST(sysctl_keys_refused)
{
	static const struct {
		const char *namespaces, *key, *want;
	} rows[] = {
		{ ALL_NS, "kernel.core_pattern", "not kept apart" },
		{ ALL_NS, "vm.overcommit_memory", "not kept apart" },
		{ ALL_NS, "kernel.hostname", "is set by hostname" },
		{ ALL_NS, "kernel/hostname", "is set by hostname" },
		{ ALL_NS, "net", "not kept apart" },
		{ ALL_NS, "network.x", "not kept apart" },
		{ ALL_NS, "kernel.msgmax.x", "not kept apart" },
		{ ALL_NS, "kernel.semx", "not kept apart" },
		{ ALL_NS, "", "is not a key" },
		{ ALL_NS, "net.", "is not a key" },
		{ ALL_NS, ".net.ipv4", "is not a key" },
		{ ALL_NS, "/net/ipv4", "is not a key" },
		{ ALL_NS, "net..ipv4", "is not a key" },
		{ ALL_NS, "net/../kernel/core_pattern", "is not a key" },
		{ ALL_NS, "net.//.kernel.core_pattern", "is not a key" },
		{ ALL_NS, "net/./ipv4", "is not a key" },
		{ NO_NS, "net.ipv4.ip_forward", "needs a network namespace of the container" },
		{ NO_NS, "kernel.sem", "needs a ipc namespace" },
		{ NO_NS, "fs.mqueue.msg_max", "needs a ipc namespace" },
		{ NO_NS, "kernel.domainname", "needs a uts namespace" },
		/* a path that leads to our own */
		{ NO_NS ",{\"type\":\"network\",\"path\":\"/proc/self/ns/net\"}",
		  "net.ipv4.ip_forward", "needs a network namespace of the container" },
		{ NO_NS ",{\"type\":\"network\",\"path\":\"/proc/thread-self/ns/net\"}",
		  "net.ipv4.ip_forward", "needs a network namespace of the container" },
	};
	auto_arena a = arena_make();

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct proc_plan p = { 0 };
		struct err e = { 0 };

		unit_row("%s", rows[i].key);
		CHECK(plan_sysctl(&a, rows[i].namespaces, "",
				  arena_printf(&a, "\"%s\":\"1\"", rows[i].key), &p, &e) < 0);
		CHECK_HAS(e.text, rows[i].want);
		CHECK_HAS(e.text, arena_printf(&a, "'%s'", rows[i].key));
	}
}

TEST(sysctl_and_domainname)
{
	auto_arena a = arena_make();
	struct proc_plan p = { 0 };
	struct err e = { 0 };

	CHECK_OK(plan_sysctl(&a, ALL_NS, "\"domainname\":\"d\",", "\"kernel.domainname\":\"d\"", &p,
			     &e),
		 &e);
	CHECK(plan_sysctl(&a, ALL_NS, "\"domainname\":\"d\",", "\"kernel.domainname\":\"x\"", &p,
			  &e) < 0);
	CHECK_HAS(e.text, "disagree");
}

TEST(hostname_of_our_own_namespace)
{
	auto_arena a = arena_make();
	struct proc_plan p = { 0 };
	struct err e = { 0 };

	CHECK(plan_sysctl(&a, NO_NS ",{\"type\":\"uts\",\"path\":\"/proc/self/ns/uts\"}",
			  "\"hostname\":\"h\",", "", &p, &e) < 0);
	CHECK_HAS(e.text, "hostname: the uts namespace is not the container's");
	err_clear(&e);
	/* cannot be looked at: joining it will say why */
	CHECK_OK(plan_sysctl(&a, NO_NS ",{\"type\":\"uts\",\"path\":\"/nowhere\"}",
			     "\"hostname\":\"h\",", "", &p, &e),
		 &e);
	CHECK_STR(p.hostname, "h");
	CHECK(!p.new_uts);
	CHECK(p.own_uts.ino != 0);
}

/* --- groups ---------------------------------------------------------------------------------- */

TEST(groups)
{
	static const struct host user = { .euid = 1000, .egid = 1000 };
	static const char single[] =
		"{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"},"
		"\"process\":{\"cwd\":\"/\",\"args\":[\"a\"],"
		"\"user\":{\"uid\":0,\"gid\":0%s}},"
		"\"annotations\":{\"run.oci.keep_original_groups\":\"%s\"},"
		"\"linux\":{\"namespaces\":[{\"type\":\"user\"}],"
		"\"uidMappings\":[{\"containerID\":0,\"hostID\":1000,\"size\":1}],"
		"\"gidMappings\":[{\"containerID\":0,\"hostID\":1000,\"size\":1}]}}";
	static const struct {
		const char *gids, *keep;
		const struct host *host;
		int want; /* keep_groups, or an error */
	} rows[] = {
		{ "", "0", &user, 1 },
		{ ",\"additionalGids\":[5]", "0", &user, -EINVAL },
		{ ",\"additionalGids\":[5]", "1", &user, 1 },
		{ "", "1", NULL, 1 },
		{ "", "true", NULL, 1 },
		{ "", "false", NULL, 0 },
		{ ",\"additionalGids\":[5]", "", NULL, 0 },
	};
	static const struct host root = { 0 };
	auto_arena a = arena_make();

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct proc_plan p = { 0 };
		struct spec *s = NULL;
		struct err e = { 0 };
		int r;

		unit_row("%zu", i);
		REQUIRE_OK(bundle_load_text(&a,
					    arena_printf(&a, single, rows[i].gids, rows[i].keep),
					    &s, &e),
			   &e);
		r = proc_plan_make(&a, s, &s->process, rows[i].host ? rows[i].host : &root, &p, &e);
		CHECK_INT(r < 0 ? r : p.keep_groups, rows[i].want);
	}
}
