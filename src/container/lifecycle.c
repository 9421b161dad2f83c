/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lifecycle - which verb is allowed in which status
 *
 * The table is the whole rule. The words of a refusal are an interface: engines search
 * for "container not running", "container not paused" and the like (docs/contract.md,
 * rows 38, 72 and 84), so each begins a message and the details follow.
 */
#include <stdlib.h>

#include "base/str.h"
#include "container/container.h"

static const char *const status_names[STATUS_N] = {
	[STATUS_CREATING] = "creating", [STATUS_CREATED] = "created", [STATUS_RUNNING] = "running",
	[STATUS_PAUSED] = "paused",	[STATUS_STOPPED] = "stopped",
};

const char *container_status_name(enum container_status s)
{
	return s < STATUS_N ? status_names[s] : "unknown";
}

enum answer {
	NO_ANSWER, /* a row that was forgotten */
	ALLOWED,
	NOT_RUNNING,
	EXEC_STOPPED,
	EXEC_PAUSED,
	NOT_PAUSED,
	IS_PAUSED,
	HAS_STOPPED,
	IS_STARTED,
	HAS_PAUSED,
	NOT_READY,
	NOT_STOPPED,
};

/* clang-format off */
static const unsigned char rules[VERB_N][STATUS_N] = {
	/*                    creating     created      running      paused       stopped     */
	[VERB_START]      = { NOT_READY,   ALLOWED,     IS_STARTED,  HAS_PAUSED,  HAS_STOPPED },
	[VERB_KILL]       = { NOT_READY,   ALLOWED,     ALLOWED,     ALLOWED,     NOT_RUNNING },
	[VERB_DELETE]     = { NOT_STOPPED, ALLOWED,     NOT_STOPPED, NOT_STOPPED, ALLOWED     },
	[VERB_EXEC]       = { NOT_READY,   ALLOWED,     ALLOWED,     EXEC_PAUSED, EXEC_STOPPED },
	[VERB_PAUSE]      = { NOT_READY,   ALLOWED,     ALLOWED,     IS_PAUSED,   NOT_RUNNING },
	[VERB_RESUME]     = { NOT_PAUSED,  NOT_PAUSED,  NOT_PAUSED,  ALLOWED,     NOT_PAUSED  },
	[VERB_UPDATE]     = { NOT_READY,   ALLOWED,     ALLOWED,     ALLOWED,     NOT_RUNNING },
	[VERB_PS]         = { ALLOWED,     ALLOWED,     ALLOWED,     ALLOWED,     ALLOWED     },
	[VERB_EVENTS]     = { NOT_READY,   ALLOWED,     ALLOWED,     ALLOWED,     NOT_RUNNING },
	[VERB_CHECKPOINT] = { NOT_READY,   NOT_RUNNING, ALLOWED,     ALLOWED,     NOT_RUNNING },
};
/* clang-format on */

static int refuse(const struct container *c, enum answer why, struct err *e)
{
	const char *status = container_status_name(c->status);

	switch (why) {
	case NOT_RUNNING:
		return err_user(e, c->id, "container not running: '%s' is %s", c->id, status);
	case EXEC_STOPPED:
		return err_user(e, c->id,
				"container not running: cannot exec in a stopped container: '%s'",
				c->id);
	case EXEC_PAUSED:
		return err_user(e, c->id,
				"cannot exec in a paused container: '%s' (see --ignore-paused)",
				c->id);
	case NOT_PAUSED:
		return err_user(e, c->id, "container not paused: '%s' is %s", c->id, status);
	case IS_PAUSED:
		return err_user(e, c->id, "container paused: '%s'", c->id);
	case HAS_STOPPED:
		return err_user(e, c->id, "cannot start a container that has stopped: '%s'", c->id);
	case IS_STARTED:
		return err_user(e, c->id, "cannot start an already running container: '%s' is %s",
				c->id, status);
	case HAS_PAUSED: /* it may have been started or not */
		return err_user(e, c->id, "cannot start a container in the paused state: '%s'",
				c->id);
	case NOT_READY:
		return err_user(e, c->id, "container not running: '%s' is still being created",
				c->id);
	case NOT_STOPPED:
		return err_user(e, c->id, "cannot delete container %s that is not stopped: %s",
				c->id, status);
	case ALLOWED:
	case NO_ANSWER:
		break;
	}
	abort();
}

int container_allows(const struct container *c, enum container_verb verb, struct err *e)
{
	enum answer answer = (enum answer)rules[verb][c->status];

	if (answer == ALLOWED)
		return 0;
	refuse(c, answer, e);
	return err_set_id(e, "container-state");
}
