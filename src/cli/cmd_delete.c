/* SPDX-License-Identifier: Apache-2.0 */
/* delete - remove everything that was made for a container */
#include "base/str.h"
#include "cli/cli.h"

struct delete_args {
	bool force;
};

static const struct option_row rows[] = {
	{ "force", 'f', OPTION_BOOL, offsetof(struct delete_args, force), NULL,
	  "kill it first; a container that does not exist is no error" },
};

static int delete_run(struct invocation *inv, struct err *e)
{
	const struct delete_args *args = inv->args;

	return container_delete(&inv->globals.context, inv->operands[0], args->force, e);
}

const struct command command_delete = {
	.name = "delete",
	.operands = "ID",
	.summary = "remove a container that was not started or has stopped",
	.min_operands = 1,
	.max_operands = 1,
	.options = { rows, COUNT(rows) },
	.args_size = sizeof(struct delete_args),
	.run = delete_run,
};
