/* SPDX-License-Identifier: Apache-2.0 */
/* start - execute the program of a created container */
#include "cli/cli.h"

static int start_one(struct invocation *inv, const char *id, struct err *e)
{
	return container_start(&inv->globals.context, id, e);
}

static int start_run(struct invocation *inv, struct err *e)
{
	return cli_each(inv, inv->n_operands, start_one, e);
}

const struct command command_start = {
	.name = "start",
	.operands = "ID...",
	.summary = "run the program of a created container",
	.min_operands = 1,
	.max_operands = SIZE_MAX,
	.run = start_run,
};
