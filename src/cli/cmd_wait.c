/* SPDX-License-Identifier: Apache-2.0 */
/* wait - the end of containers, and how they ended */
#include "base/str.h"
#include "cli/cli.h"

struct wait_args {
	const char *time;
	int64_t timeout_ms;
};

static const struct option_row rows[] = {
	{ "time", 't', OPTION_STRING, offsetof(struct wait_args, time), "SECONDS",
	  "fail when one has not ended by then" },
};

static int wait_one(struct invocation *inv, const char *id, struct err *e)
{
	const struct wait_args *args = inv->args;
	struct output o = { .arena = inv->arena };
	int status = -1;

	if (container_wait(&inv->globals.context, id, args->timeout_ms, &status, e) < 0)
		return -e->code;
	if (status < 0)
		output_add(&o, "unknown\n");
	else
		output_printf(&o, "%d\n", status);
	return output_flush(&o, e);
}

static int wait_run(struct invocation *inv, struct err *e)
{
	struct wait_args *args = inv->args;
	uint32_t seconds;

	args->timeout_ms = -1;
	if (args->time) {
		if (str_to_u32(args->time, &seconds) < 0)
			return err_user(e, args->time,
					"option '--time' needs a number of seconds, not '%s'",
					args->time);
		args->timeout_ms = (int64_t)seconds * 1000;
	}
	return cli_each(inv, inv->n_operands, wait_one, e);
}

const struct command command_wait = {
	.name = "wait",
	.operands = "ID...",
	.summary = "wait until containers have ended, and print their exit statuses",
	.min_operands = 1,
	.max_operands = SIZE_MAX,
	.options = { rows, COUNT(rows) },
	.args_size = sizeof(struct wait_args),
	.run = wait_run,
};
