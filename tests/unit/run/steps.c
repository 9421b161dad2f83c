/* SPDX-License-Identifier: Apache-2.0 */
/* A table of steps runs in order, ends at the first failure and says where it was. */
#include "run/steps.h"

#include <errno.h>

#include "unit/unit.h"

static bool when_told(const void *role)
{
	return *(const int *)role == 1;
}

static int add_one(void *role, struct err *e)
{
	(void)e;
	++*(int *)role;
	return 0;
}

static int fail(void *role, struct err *e)
{
	(void)role;
	return err_sys(e, EBUSY, "/x", "open");
}

TEST(steps_in_order)
{
	static const struct step steps[] = {
		{ "first", NULL, add_one },
		{ "only at one", when_told, add_one },
		{ "not any more", when_told, fail },
		{ "last", NULL, add_one },
	};
	struct run_progress page = { 0 };
	struct err e = { 0 };
	int count = 0;

	CHECK_INT(steps_run(steps, COUNT(steps), ROLE_INIT, &count, &page, &e), 0);
	CHECK_INT(count, 3);
	CHECK_INT(page.role, ROLE_INIT);
	CHECK_STR(page.step, "last");
}

TEST(failure_names_its_step)
{
	static const struct step steps[] = {
		{ "first", NULL, add_one },
		{ "second", NULL, fail },
		{ "third", NULL, add_one },
	};
	struct run_progress page = { 0 };
	struct err e = { 0 };
	int count = 0;

	CHECK_INT(steps_run(steps, COUNT(steps), ROLE_MIDDLE, &count, &page, &e), -EBUSY);
	CHECK_INT(count, 1);
	CHECK_STR(e.step, "second");
	CHECK_STR(page.step, "second");
	CHECK_STR(run_role_name((enum run_role)page.role), "middle");
}
