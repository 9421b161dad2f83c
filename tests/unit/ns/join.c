/* SPDX-License-Identifier: Apache-2.0 */
/* What is given by path is looked at before anything is made. */
#include <errno.h>
#include <sched.h>

#include "ns/ns.h"
#include "unit/unit.h"

static struct ns_plan plan_of(int type, const char *path)
{
	return (struct ns_plan){ .n_join = 1, .join = { { type, path, -1 } } };
}

TEST(our_own_namespace_is_dropped)
{
	struct ns_plan p = plan_of(CLONE_NEWNET, "/proc/self/ns/net");
	struct err e = { 0 };

	CHECK_OK(ns_open(&p, &e), &e);
	CHECK_INT(p.n_join, 0);
	ns_close(&p);
}

TEST(wrong_type)
{
	struct ns_plan p = plan_of(CLONE_NEWNET, "/proc/self/ns/ipc");
	struct err e = { 0 };

	CHECK_INT(ns_open(&p, &e), -EINVAL);
	CHECK_HAS(e.text, "'/proc/self/ns/ipc' is not a network namespace");
	ns_close(&p);
}

TEST(no_namespace_at_all)
{
	struct ns_plan p = plan_of(CLONE_NEWPID, "/dev/null");
	struct err e = { 0 };

	CHECK_INT(ns_open(&p, &e), -EINVAL);
	CHECK_HAS(e.text, "is not a pid namespace");
	p = plan_of(CLONE_NEWPID, "/nowhere/at/all");
	CHECK_INT(ns_open(&p, &e), -ENOENT);
	CHECK_HAS(e.text, "open the pid namespace");
}
