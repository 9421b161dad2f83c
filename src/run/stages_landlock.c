/* SPDX-License-Identifier: Apache-2.0 */
/* stages_landlock - the ruleset is made before the ids change and enforced after the gate */
#include "run/stages.h"

bool when_landlock(const void *role)
{
	return ((const struct child *)role)->plan->sec.landlock.wanted;
}

int step_landlock_rules(void *role, struct err *e)
{
	struct child *c = role;

	c->landlock = sec_landlock_make(&c->plan->sec.landlock, e);
	return c->landlock < 0 ? c->landlock : 0;
}

int step_landlock(void *role, struct err *e)
{
	return sec_landlock_enforce(((struct child *)role)->landlock, e);
}
