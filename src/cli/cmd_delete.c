/* SPDX-License-Identifier: Apache-2.0 */
/* delete - remove everything that was made for a container */
#include "base/str.h"
#include "cli/cli.h"

struct delete_args {
	bool force, regex;
};

static const struct option_row rows[] = {
	{ "force", 'f', OPTION_BOOL, offsetof(struct delete_args, force), NULL,
	  "kill it first; a container that does not exist is no error" },
	{ "regex", 'r', OPTION_BOOL, offsetof(struct delete_args, regex), NULL,
	  "ID is a regular expression" },
};

static int delete_one(struct invocation *inv, const char *id, struct err *e)
{
	const struct delete_args *args = inv->args;

	return container_delete(&inv->globals.context, id, args->force, e);
}

static int delete_run(struct invocation *inv, struct err *e)
{
	const struct delete_args *args = inv->args;

	if (args->regex)
		return cli_each_match(inv, inv->n_operands, args->force, delete_one, e);
	return cli_each(inv, inv->n_operands, delete_one, e);
}

const struct command command_delete = {
	.name = "delete",
	.operands = "ID...",
	.summary = "remove a container that was not started or has stopped",
	.min_operands = 1,
	.max_operands = SIZE_MAX,
	.options = { rows, COUNT(rows) },
	.args_size = sizeof(struct delete_args),
	.run = delete_run,
};
