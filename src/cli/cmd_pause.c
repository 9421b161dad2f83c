/* SPDX-License-Identifier: Apache-2.0 */
/* pause, resume - freeze all processes of a container, let them go on */
#include "cli/cli.h"

static int pause_run(struct invocation *inv, struct err *e)
{
	return container_pause(&inv->globals.context, inv->operands[0], e);
}

static int resume_run(struct invocation *inv, struct err *e)
{
	return container_resume(&inv->globals.context, inv->operands[0], e);
}

const struct command command_pause = {
	.name = "pause",
	.operands = "ID",
	.summary = "freeze all processes of a container",
	.min_operands = 1,
	.max_operands = 1,
	.run = pause_run,
};

const struct command command_resume = {
	.name = "resume",
	.operands = "ID",
	.summary = "let the processes of a paused container go on",
	.min_operands = 1,
	.max_operands = 1,
	.run = resume_run,
};
