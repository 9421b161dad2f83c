/* SPDX-License-Identifier: Apache-2.0 */
/* Names of system calls: which look like slips, and which may be calls to come. */
#include "sec/sec.h"
#include "unit/unit.h"

/* Only what is sure: where the arguments decide, it may be run. */
TEST(kills_exec)
{
	static const struct {
		const char *name, *action, *other; /* of the one rule; the default */
		size_t n_args;
		bool want;
	} rows[] = {
		{ "execve", "SCMP_ACT_KILL", "SCMP_ACT_ALLOW", 0, true },
		{ "execve", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_ALLOW", 0, true },
		{ "execve", "SCMP_ACT_TRAP", "SCMP_ACT_ALLOW", 0, true },
		{ "execve", "SCMP_ACT_ERRNO", "SCMP_ACT_ALLOW", 0, false },
		{ "execve", "SCMP_ACT_LOG", "SCMP_ACT_KILL", 0, false },
		{ "execve", "SCMP_ACT_KILL", "SCMP_ACT_ALLOW", 1, false },
		{ "execve", "SCMP_ACT_ALLOW", "SCMP_ACT_KILL", 1, false },
		{ "execveat", "SCMP_ACT_KILL", "SCMP_ACT_ALLOW", 0, false },
		{ "read", "SCMP_ACT_ALLOW", "SCMP_ACT_KILL_PROCESS", 0, true },
		{ "read", "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", 0, false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_arena a = arena_make();
		struct oci_linux_syscall_arg arg = { .op = "SCMP_CMP_EQ", .value = 1 };
		struct oci_linux_syscall_arg *args[] = { &arg };
		struct oci_linux_syscall rule = {
			.names = (const char **)(uintptr_t)&rows[i].name,
			.n_names = 1,
			.action = rows[i].action,
			.args = args,
			.n_args = rows[i].n_args,
		};
		struct oci_linux_syscall *rules[] = { &rule };
		struct oci_linux_seccomp s = {
			.default_action = rows[i].other,
			.syscalls = rules,
			.n_syscalls = 1,
		};
		struct seccomp_filter f = { 0 };
		struct err e = { 0 };

		unit_row("%s %s, else %s", rows[i].name, rows[i].action, rows[i].other);
		CHECK(!seccomp_kills_exec(&f));
		REQUIRE_OK(seccomp_compile(&a, &(struct seccomp_source){ .profile = &s }, &f, &e),
			   &e);
		CHECK(seccomp_kills_exec(&f) == rows[i].want);
	}
}

TEST(name_doubt)
{
	static const struct {
		const char *name, *want;
	} rows[] = {
		{ "read", NULL },
		{ "erad", "read" },
		{ "kil", "kill" },
		{ "unshrae", "unshare" },
		{ "opennat", "openat" },
		{ "Mount", "mount" },
		{ "clock_setime", "clock_settime" },
		{ "socketcal", "socketcall" }, /* of 32 bits */
		{ "s390_runtime_inst", "s390_runtime_instr" },
		{ "listmonut", "listmount" }, /* newer than libseccomp, perhaps */
		{ "rd", NULL },		      /* in short names one letter may be wrong */
		{ "", NULL },
		{ "frobnicate", NULL },
		{ "aVeryLongNameOfMoreThanFortyCharactersInAll", NULL },
		/* new ones are named so */
		{ "openat3", NULL },
		{ "clone4", NULL },
		{ "epoll_pwait3", NULL },
		{ "unlinkatat", NULL },
		{ "fchmodat2", NULL },
		/* known to Linux 6.18, whatever libseccomp has */
		{ "futex_wait", NULL },
		{ "file_setattr", NULL },
		{ "getxattrat", NULL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		auto_arena a = arena_make();

		unit_row("%s", rows[i].name);
		CHECK_STR(seccomp_name_doubt(&a, rows[i].name), rows[i].want);
	}
}
