/* SPDX-License-Identifier: Apache-2.0 */
/* Names of system calls: which look like slips, and which may be calls to come. */
#include "sec/sec.h"
#include "unit/unit.h"

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
