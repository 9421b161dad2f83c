/* SPDX-License-Identifier: Apache-2.0 */
/* stop - ask containers to end, kill those that do not */
#include "base/str.h"
#include "cli/cli.h"

#define DEFAULT_SECONDS 10

struct stop_args {
	const char *time;
	int64_t timeout_ms;
};

static const struct option_row rows[] = {
	{ "time", 't', OPTION_STRING, offsetof(struct stop_args, time), "SECONDS",
	  "time before it is killed (default: 10)" },
};

static int stop_one(struct invocation *inv, const char *id, struct err *e)
{
	const struct stop_args *args = inv->args;

	return container_stop(&inv->globals.context, id, args->timeout_ms, e);
}

static int stop_run(struct invocation *inv, struct err *e)
{
	struct stop_args *args = inv->args;
	uint32_t seconds = DEFAULT_SECONDS;

	if (args->time && str_to_u32(args->time, &seconds) < 0)
		return cli_usage(e, args->time,
				 "option '--time' needs a number of seconds, not '%s'", args->time);
	args->timeout_ms = (int64_t)seconds * 1000;
	return cli_each(inv, inv->n_operands, stop_one, e);
}

const struct command command_stop = {
	.name = "stop",
	.operands = "ID...",
	.summary = "ask containers to end, and kill those that have not after some time",
	.min_operands = 1,
	.max_operands = SIZE_MAX,
	.options = { rows, COUNT(rows) },
	.args_size = sizeof(struct stop_args),
	.run = stop_run,
};
