/* SPDX-License-Identifier: Apache-2.0 */
/* run - create, start, wait and delete in one go */
#include "base/str.h"
#include "cli/create_args.h"

static const struct option_row rows[] = {
	CREATE_ROWS,
	{ "detach", 'd', OPTION_BOOL, CREATE_AT(detach), NULL,
	  "do not wait for the container; it stays until it is deleted" },
	{ "keep", 0, OPTION_BOOL, CREATE_AT(keep), NULL,
	  "do not delete the container when it has ended" },
	{ "no-subreaper", 0, OPTION_BOOL, CREATE_AT(no_subreaper), NULL,
	  "do not adopt processes that the container leaves behind" },
};

static int run_run(struct invocation *inv, struct err *e)
{
	struct create_options *o = inv->args;

	if (create_subject(inv, o, e) < 0)
		return -e->code;
	return create_explain(o, container_run(&inv->globals.context, o, &inv->status, e), e);
}

const struct command command_run = {
	.name = "run",
	.operands = "ID|BUNDLE/",
	.summary = "create and start a container, wait for its end and delete it",
	.min_operands = 1,
	.max_operands = 1,
	.flags = COMMAND_PROTECT,
	.options = { rows, COUNT(rows) },
	.args_size = sizeof(struct create_options),
	.early = create_early,
	.run = run_run,
};
