/* SPDX-License-Identifier: Apache-2.0 */
/* Core scheduling: the calls in their order, and the words for what the kernel refuses. */
#include <stdio.h>

#include "proc/proc.h"
#include "unit/unit.h"

static char calls[200];
static int answer;

static int fake_prctl(int option, unsigned long a, unsigned long b, unsigned long c,
		      unsigned long d)
{
	size_t n = strlen(calls);

	snprintf(calls + n, sizeof(calls) - n, "%d %lu %lu %lu %lu;", option, a, b, c, d);
	return answer;
}

TEST(calls)
{
	static const struct {
		struct proc_cores cores;
		pid_t init;
		const char *want;
	} rows[] = {
		{ { .create = true }, 0, "62 1 0 1 0;" },
		{ { .create = true, .share_to = 9 }, 0, "62 1 0 1 0;62 2 9 1 0;" },
		{ { .share_from = 7 }, 0, "62 3 7 0 0;" },
		{ { .share_from = 7, .share_to = 9 }, 0, "62 3 7 0 0;62 2 9 1 0;" },
		/* exec: the container's, whatever made it */
		{ { .create = true, .share_to = 9 }, 5, "62 3 5 0 0;" },
	};

	answer = 0;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct proc_plan p = { .cores = rows[i].cores };
		struct err e = { 0 };

		p.cores.prctl = fake_prctl;
		calls[0] = '\0';
		unit_row("%s", rows[i].want);
		CHECK(proc_wants_cores(&p));
		CHECK_OK(proc_core_scheduling(&p, rows[i].init, &e), &e);
		CHECK_STR(calls, rows[i].want);
	}
	CHECK(!proc_wants_cores(&(struct proc_plan){ 0 }));
}

TEST(refused)
{
	static const struct {
		int answer, code;
		const char *want;
	} rows[] = {
		{ -EINVAL, -ENOTSUP, "this kernel was built without it" },
		{ -ENODEV, -ENOTSUP, "no core of this machine has threads" },
		{ -EPERM, -EPERM, "make a cookie for process 0: operation not permitted" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct proc_plan p = {
			.cores = { .create = true, .share_to = 9, .prctl = fake_prctl }
		};
		struct err e = { 0 };

		answer = rows[i].answer;
		calls[0] = '\0';
		unit_row("%s", rows[i].want);
		CHECK_INT(proc_core_scheduling(&p, 0, &e), rows[i].code);
		CHECK_HAS(e.text, rows[i].want);
		CHECK_STR(calls, "62 1 0 1 0;");
	}
}
