/* SPDX-License-Identifier: Apache-2.0 */
/* linux.seccomp as decoded, its meaning or the one thing that is wrong with it. */
#include "sec/seccomp_profile.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>

#include "ocispec/decode.h"
#include "ocispec/runtime.h"
#include "sec/sec.h"
#include "sys/missing.h"
#include "unit/unit.h"

static int read_profile(struct arena *a, const struct oci_linux_seccomp *oci,
			struct seccomp_profile *ret, struct err *e)
{
	const struct seccomp_source source = { .profile = oci, .receiver = oci->listener_path };

	return seccomp_profile_read(a, &source, ret, e);
}

TEST(actions)
{
	static const struct {
		const char *action;
		int errno_ret; /* -1: not given */
		int want;
		uint32_t value;
	} rows[] = {
		{ "SCMP_ACT_KILL", -1, 0, SECCOMP_RET_KILL_THREAD },
		{ "SCMP_ACT_KILL_THREAD", -1, 0, SECCOMP_RET_KILL_THREAD },
		{ "SCMP_ACT_KILL_PROCESS", -1, 0, SECCOMP_RET_KILL_PROCESS },
		{ "SCMP_ACT_TRAP", -1, 0, SECCOMP_RET_TRAP },
		{ "SCMP_ACT_ERRNO", -1, 0, SECCOMP_RET_ERRNO | EPERM },
		{ "SCMP_ACT_ERRNO", 0, 0, SECCOMP_RET_ERRNO },
		{ "SCMP_ACT_ERRNO", 38, 0, SECCOMP_RET_ERRNO | 38 },
		{ "SCMP_ACT_ERRNO", 65535, 0, SECCOMP_RET_ERRNO | 65535 },
		{ "SCMP_ACT_ERRNO", 65536, -EINVAL, 0 },
		{ "SCMP_ACT_TRACE", -1, 0, SECCOMP_RET_TRACE | EPERM },
		{ "SCMP_ACT_TRACE", 7, 0, SECCOMP_RET_TRACE | 7 },
		{ "SCMP_ACT_ALLOW", -1, 0, SECCOMP_RET_ALLOW },
		{ "SCMP_ACT_LOG", -1, 0, SECCOMP_RET_LOG },
		{ "SCMP_ACT_ALLOW", 1, -EINVAL, 0 },
		{ "SCMP_ACT_LOG", 0, -EINVAL, 0 },
		{ "SCMP_ACT_KILL_PROCESS", 1, -EINVAL, 0 },
		{ "SCMP_ACT_NOTIFY", -1, -EINVAL, 0 },
		{ "SCMP_ACT_allow", -1, -EINVAL, 0 },
		{ "", -1, -EINVAL, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_arena a = arena_make();
		struct seccomp_profile p;
		struct err e = { 0 };
		struct oci_linux_seccomp oci = {
			.default_action = rows[i].action,
			.has_default_errno_ret = rows[i].errno_ret >= 0,
			.default_errno_ret = (uint32_t)rows[i].errno_ret,
		};

		unit_row("%s %d", rows[i].action, rows[i].errno_ret);
		CHECK_INT(read_profile(&a, &oci, &p, &e), rows[i].want);
		if (rows[i].want == 0)
			CHECK_INT(p.default_action, rows[i].value);
	}
}

TEST(flags)
{
	static const struct {
		const char *flag; /* NULL: no property */
		int want;
		unsigned value;
	} rows[] = {
		{ NULL, 0, SECCOMP_FILTER_FLAG_SPEC_ALLOW },
		{ "SECCOMP_FILTER_FLAG_TSYNC", 0, 0 },
		{ "SECCOMP_FILTER_FLAG_LOG", 0, SECCOMP_FILTER_FLAG_LOG },
		{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW", 0, SECCOMP_FILTER_FLAG_SPEC_ALLOW },
		/* without a listener it has no effect, and the kernel refuses it */
		{ "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", 0, 0 },
		{ "SECCOMP_FILTER_FLAG_NEW_LISTENER", -EINVAL, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_arena a = arena_make();
		const char *flags[] = { rows[i].flag };
		struct seccomp_profile p;
		struct err e = { 0 };
		struct oci_linux_seccomp oci = {
			.default_action = "SCMP_ACT_ALLOW",
			.flags = rows[i].flag ? flags : NULL,
			.n_flags = rows[i].flag ? 1 : 0,
		};

		unit_row("%s", rows[i].flag ? rows[i].flag : "none");
		CHECK_INT(read_profile(&a, &oci, &p, &e), rows[i].want);
		if (rows[i].want == 0)
			CHECK_INT(p.flags, rows[i].value);
	}
}

static int read_archs(struct seccomp_profile *p, struct arena *a, const char **archs, size_t n)
{
	struct err e = { 0 };
	struct oci_linux_seccomp oci = {
		.default_action = "SCMP_ACT_ALLOW",
		.architectures = archs,
		.n_architectures = n,
	};

	return read_profile(a, &oci, p, &e);
}

TEST(architectures)
{
	auto_arena a = arena_make();
	const char *all[SECCOMP_N_ARCHS], *twice[] = { "SCMP_ARCH_X32", "SCMP_ARCH_X32" };
	const char *bad[] = { "SCMP_ARCH_Z80" };
	struct seccomp_profile p;

	for (size_t i = 0; i < SECCOMP_N_ARCHS; i++)
		all[i] = seccomp_archs[i].name;
	CHECK_INT(read_archs(&p, &a, all, SECCOMP_N_ARCHS), 0);
	CHECK_INT(p.n_archs, SECCOMP_N_ARCHS);
	CHECK_INT(read_archs(&p, &a, twice, 2), 0);
	CHECK_INT(p.n_archs, 1);
	CHECK_INT(read_archs(&p, &a, bad, 1), -EINVAL);
}

static int read_call(struct seccomp_profile *p, struct arena *a, struct oci_linux_syscall *call,
		     const char *listener, struct err *e)
{
	struct oci_linux_syscall **calls = arena_new(a, struct oci_linux_syscall *);
	struct oci_linux_seccomp *oci = arena_new(a, struct oci_linux_seccomp);

	*calls = call;
	*oci = (struct oci_linux_seccomp){
		.default_action = "SCMP_ACT_ERRNO",
		.syscalls = calls,
		.n_syscalls = 1,
		.listener_path = listener,
	};
	return read_profile(a, oci, p, e);
}

TEST(conditions)
{
	auto_arena a = arena_make();
	const char *names[] = { "personality" };
	struct oci_linux_syscall_arg args[2] = {
		{ .index = 0, .value = UINT64_MAX, .op = "SCMP_CMP_EQ" },
		{ .index = 5, .value = 8, .value_two = 9, .op = "SCMP_CMP_MASKED_EQ" },
	};
	struct oci_linux_syscall_arg *list[] = { &args[0], &args[1] };
	struct oci_linux_syscall call = {
		.names = names,
		.n_names = 1,
		.action = "SCMP_ACT_ALLOW",
		.args = list,
		.n_args = 2,
	};
	struct seccomp_profile p;
	struct err e = { 0 };

	REQUIRE_OK(read_call(&p, &a, &call, NULL, &e), &e);
	REQUIRE(p.n_rules == 1 && p.rules[0].n_conds == 2);
	CHECK(!p.rules[0].each_cond);
	CHECK(p.rules[0].conds[0].value == UINT64_MAX);
	CHECK_INT(p.rules[0].conds[0].op, SECCOMP_OP_EQ);
	CHECK_INT(p.rules[0].conds[1].index, 5);
	CHECK_INT(p.rules[0].conds[1].value_two, 9);
	args[1].index = 0;
	REQUIRE_OK(read_call(&p, &a, &call, NULL, &e), &e);
	CHECK(p.rules[0].each_cond);
	args[1].index = 6;
	CHECK_INT(read_call(&p, &a, &call, NULL, &e), -EINVAL);
	CHECK_HAS(e.text, "linux.seccomp.syscalls[0].args[1].index");
	args[1].index = 1;
	args[1].op = "SCMP_CMP_EQUAL";
	CHECK_INT(read_call(&p, &a, &call, NULL, &e), -EINVAL);
	CHECK_HAS(e.text, "linux.seccomp.syscalls[0].args[1].op");
}

TEST(listener)
{
	auto_arena a = arena_make();
	const char *names[] = { "mknod" }, *writes[] = { "mknod", "write" };
	struct oci_linux_syscall call = {
		.names = names,
		.n_names = 1,
		.action = "SCMP_ACT_NOTIFY",
	};
	struct seccomp_profile p;
	struct err e = { 0 };

	REQUIRE_OK(read_call(&p, &a, &call, "/run/agent", &e), &e);
	CHECK(p.notify);
	CHECK_STR(p.listener_path, "/run/agent");
	CHECK_INT(read_call(&p, &a, &call, NULL, &e), -EINVAL);
	CHECK_INT(read_call(&p, &a, &call, "agent", &e), -EINVAL);
	call.names = writes;
	call.n_names = 2;
	CHECK_INT(read_call(&p, &a, &call, "/run/agent", &e), -EINVAL);
	call.action = "SCMP_ACT_ALLOW";
	REQUIRE_OK(read_call(&p, &a, &call, "agent", &e), &e); /* ignored without NOTIFY */
	CHECK(!p.notify && !p.listener_path);
}

/* As decoded from JSON: an empty list of flags is not the same as none. */
TEST(from_json)
{
	static const struct {
		const char *json;
		unsigned flags;
	} rows[] = {
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\"}", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[]}", 0 },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\","
		  "\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\"]}",
		  SECCOMP_FILTER_FLAG_LOG },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_arena a = arena_make();
		const struct ocispec_allocator alloc = { arena_ocispec_alloc, &a };
		struct oci_linux_seccomp *oci;
		struct seccomp_profile p;
		struct ocispec_error bad;
		struct err e = { 0 };

		unit_row("%s", rows[i].json);
		REQUIRE(ocispec_decode(&oci_linux_seccomp_type, rows[i].json, strlen(rows[i].json),
				       &alloc, NULL, (void **)&oci, &bad) == 0);
		REQUIRE_OK(read_profile(&a, oci, &p, &e), &e);
		CHECK_INT(p.flags, rows[i].flags);
	}
}
