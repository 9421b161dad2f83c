/* SPDX-License-Identifier: Apache-2.0 */
/* start - execute the program of a created container */
#include "cli/cli.h"

static int start_run(struct invocation *inv, struct err *e)
{
	return container_start(&inv->globals.context, inv->operands[0], e);
}

const struct command command_start = {
	.name = "start",
	.operands = "ID",
	.summary = "run the program of a created container",
	.min_operands = 1,
	.max_operands = 1,
	.run = start_run,
};
