/* SPDX-License-Identifier: Apache-2.0 */
/* Every verb in every status: allowed, or refused in the words that engines look for. */
#include "base/str.h"
#include "container/container.h"
#include "unit/unit.h"

#define NO_START_STOPPED "cannot start a container that has stopped"
#define NO_START_RUNNING "cannot start an already running container"
#define NO_START_PAUSED	 "cannot start a container in the paused state: 'c1'"
#define NOT_RUNNING	 "container not running"
#define NO_EXEC_STOPPED	 "container not running: cannot exec in a stopped container: 'c1'"
#define NO_EXEC_PAUSED	 "cannot exec in a paused container: 'c1'"
#define NOT_PAUSED	 "container not paused"
#define PAUSED		 "container paused"
#define BEING_MADE	 "is still being created"
#define NOT_STOPPED(s)	 "cannot delete container c1 that is not stopped: " s

/* NULL: allowed */
static const struct {
	enum container_verb verb;
	const char *words[STATUS_N]; /* creating, created, running, paused, stopped */
} cases[] = {
	{ VERB_START, { BEING_MADE, NULL, NO_START_RUNNING, NO_START_PAUSED, NO_START_STOPPED } },
	{ VERB_KILL, { NOT_RUNNING, NULL, NULL, NULL, NOT_RUNNING } },
	{ VERB_DELETE,
	  { NOT_STOPPED("creating"), NULL, NOT_STOPPED("running"), NOT_STOPPED("paused"), NULL } },
	{ VERB_EXEC, { NOT_RUNNING, NULL, NULL, NO_EXEC_PAUSED, NO_EXEC_STOPPED } },
	{ VERB_PAUSE, { NOT_RUNNING, NULL, NULL, PAUSED, NOT_RUNNING } },
	{ VERB_RESUME, { NOT_PAUSED, NOT_PAUSED, NOT_PAUSED, NULL, NOT_PAUSED } },
	{ VERB_UPDATE, { NOT_RUNNING, NULL, NULL, NULL, NOT_RUNNING } },
	{ VERB_PS, { NULL, NULL, NULL, NULL, NULL } },
	{ VERB_EVENTS, { NOT_RUNNING, NULL, NULL, NULL, NOT_RUNNING } },
	{ VERB_CHECKPOINT, { NOT_RUNNING, NOT_RUNNING, NULL, NULL, NOT_RUNNING } },
};

static const char *const names[STATUS_N] = { "creating", "created", "running", "paused",
					     "stopped" };

TEST(every_verb_in_every_status)
{
	CHECK_INT(COUNT(cases), VERB_N);
	for (size_t i = 0; i < COUNT(cases); i++) {
		CHECK_INT(cases[i].verb, i);
		for (int s = 0; s < STATUS_N; s++) {
			struct container c = { .id = "c1", .status = (enum container_status)s };
			struct err e = { 0 };

			unit_row("verb %zu, %s", i, names[s]);
			CHECK_INT(container_allows(&c, cases[i].verb, &e),
				  cases[i].words[s] ? -EINVAL : 0);
			if (cases[i].words[s])
				CHECK_HAS(e.text, cases[i].words[s]);
		}
	}
}

TEST(status_names)
{
	for (int s = 0; s < STATUS_N; s++)
		CHECK_STR(container_status_name((enum container_status)s), names[s]);
}
