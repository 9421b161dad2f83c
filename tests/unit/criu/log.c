/* SPDX-License-Identifier: Apache-2.0 */
#include "criu/criu.h"
#include "unit/unit.h"

TEST(log_reason)
{
	static const struct {
		const char *log, *want;
	} rows[] = {
		{ "", "" },
		{ "(00.1) Dumping started\n(00.2) Warn  (criu/x.c:1): hm\n", "" },
		{ "(00.1) Error (criu/files-reg.c:1790): Can't lookup mount=24 for fd=0 path=/x\n",
		  "Can't lookup mount=24 for fd=0 path=/x" },
		{ "(00.1) fine\n(00.2)      1: Error (criu/tty.c:9): tty: no session: leader (3)\n"
		  "(00.3) Error (criu/cr-dump.c:1): Dumping FAILED.",
		  "tty: no session: leader (3); Dumping FAILED." },
		{ "Error (a:1): one\nError (a:2): two\nError (a:3): three\nError (a:4): four\n",
		  "one; two; three" },
		{ "(0) Error (criu/util.c:1534): rlimit: Can't setup RLIMIT_NOFILE for self: Ope\n"
		  "(0) Error (criu/a.c:1): the reason\n",
		  "the reason" },
		{ "Error (unfinished\n", "" },
		{ "Error: ipv4: Address already assigned.\n", "" },
	};
	auto_arena a = arena_make();

	for (size_t i = 0; i < COUNT(rows); i++) {
		unit_row("%zu", i);
		CHECK_STR(criu_log_reason(&a, rows[i].log), rows[i].want);
	}
}

TEST(names)
{
	CHECK_INT(criu_cgroups_from_name("soft"), CRIU_CGROUPS_SOFT);
	CHECK_INT(criu_cgroups_from_name("full"), CRIU_CGROUPS_FULL);
	CHECK_INT(criu_cgroups_from_name("strict"), CRIU_CGROUPS_STRICT);
	CHECK_INT(criu_cgroups_from_name("ignore"), CRIU_CGROUPS_IGNORE);
	CHECK_INT(criu_cgroups_from_name("hard"), -EINVAL);
	CHECK_INT(criu_network_lock_from_name("iptables"), 1);
	CHECK_INT(criu_network_lock_from_name("nftables"), 2);
	CHECK_INT(criu_network_lock_from_name("skip"), 3);
	CHECK_INT(criu_network_lock_from_name(""), -EINVAL);
}
