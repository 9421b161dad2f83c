/* SPDX-License-Identifier: Apache-2.0 */
/* kill - send a signal */
#include "base/str.h"
#include "cli/cli.h"
#include "spec/spec.h"

struct kill_args {
	bool all, regex;
	const char *signal;
	int number;
};

#define AT(field) offsetof(struct kill_args, field)

static const struct option_row rows[] = {
	{ "all", 'a', OPTION_BOOL, AT(all), NULL,
	  "to all processes of the container, also when it has stopped" },
	{ "regex", 'r', OPTION_BOOL, AT(regex), NULL, "ID is a regular expression" },
	{ "signal", 's', OPTION_STRING, AT(signal), "SIGNAL",
	  "the signal; all operands are ids then" },
};

static int kill_one(struct invocation *inv, const char *id, struct err *e)
{
	const struct kill_args *args = inv->args;

	return container_kill(&inv->globals.context, id, args->number, args->all, e);
}

/* As callers have it, the signal is the last of several operands. */
static int kill_run(struct invocation *inv, struct err *e)
{
	struct kill_args *args = inv->args;
	size_t n = inv->n_operands;

	if (!args->signal && n > 1)
		args->signal = inv->operands[--n];
	args->number = args->signal ? spec_signal_from_name(args->signal) : CONTAINER_STOP_SIGNAL;
	if (args->signal && args->number < 0)
		return cli_usage(e, args->signal, "unknown signal '%s'", args->signal);
	return args->regex ? cli_each_match(inv, n, false, kill_one, e)
			   : cli_each(inv, n, kill_one, e);
}

const struct command command_kill = {
	.name = "kill",
	.operands = "ID... [SIGNAL]",
	.summary = "send a signal (a number, TERM, SIGTERM; default: TERM) to a container",
	.min_operands = 1,
	.max_operands = SIZE_MAX,
	.options = { rows, COUNT(rows) },
	.args_size = sizeof(struct kill_args),
	.run = kill_run,
};
