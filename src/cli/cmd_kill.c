/* SPDX-License-Identifier: Apache-2.0 */
/* kill - send a signal */
#include "base/str.h"
#include "cli/cli.h"
#include "spec/spec.h"

struct kill_args {
	bool all;
};

static const struct option_row rows[] = {
	{ "all", 'a', OPTION_BOOL, offsetof(struct kill_args, all), NULL,
	  "to all processes of the container, also when it has stopped" },
};

static int kill_run(struct invocation *inv, struct err *e)
{
	const struct kill_args *args = inv->args;
	const char *name = inv->operands[1];
	int sig = CONTAINER_STOP_SIGNAL;

	if (name) {
		sig = spec_signal_from_name(name);
		if (sig < 0)
			return err_user(e, name, "unknown signal '%s'", name);
	}
	return container_kill(&inv->globals.context, inv->operands[0], sig, args->all, e);
}

const struct command command_kill = {
	.name = "kill",
	.operands = "ID [SIGNAL]",
	.summary = "send a signal (a number, TERM, SIGTERM; default: TERM) to a container",
	.min_operands = 1,
	.max_operands = 2,
	.options = { rows, COUNT(rows) },
	.args_size = sizeof(struct kill_args),
	.run = kill_run,
};
