/* SPDX-License-Identifier: Apache-2.0 */
/* wait - the end of containers, and how they ended */
#include "base/str.h"
#include "cli/cli.h"
#include "ocispec/encode.h"

enum wait_format { WAIT_STATUS, WAIT_JSON };

struct wait_args {
	const char *time;
	int format;
	int64_t timeout_ms;
};

static const struct name_row formats[] = { { "status", WAIT_STATUS }, { "json", WAIT_JSON } };

static const struct option_row rows[] = {
	{ "format", 'f', OPTION_NAME, offsetof(struct wait_args, format), "FORMAT",
	  "status or json (default: status)", formats, COUNT(formats) },
	{ "time", 't', OPTION_STRING, offsetof(struct wait_args, time), "SECONDS",
	  "fail when one has not ended by then" },
};

static int wait_one(struct invocation *inv, const char *id, struct err *e)
{
	const struct wait_args *args = inv->args;
	struct output o = { .arena = inv->arena };
	struct cleat_exit *end = NULL;

	if (container_wait(inv->arena, &inv->globals.context, id, args->timeout_ms, &end, e) < 0)
		return -e->code;
	if (!end)
		output_add(&o, args->format == WAIT_JSON ? "null\n" : "unknown\n");
	else if (args->format == WAIT_STATUS)
		output_printf(&o, "%u\n", end->status);
	else if (output_encode(&o, &cleat_exit_type, end, 0, e) == 0)
		output_add(&o, "\n");
	else
		return -e->code;
	return output_flush(&o, e);
}

static int wait_run(struct invocation *inv, struct err *e)
{
	struct wait_args *args = inv->args;
	uint32_t seconds;

	args->timeout_ms = -1;
	if (args->time) {
		if (str_to_u32(args->time, &seconds) < 0)
			return cli_usage(e, args->time,
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
