/* SPDX-License-Identifier: Apache-2.0 */
/* state - one container as JSON */
#include "cli/cli.h"
#include "ocispec/encode.h"

static int state_one(struct invocation *inv, const char *id, struct err *e)
{
	struct output o = { .arena = inv->arena };
	struct oci_state *state;

	if (container_state(inv->arena, &inv->globals.context, id, &state, e) < 0)
		return -e->code;
	if (output_encode(&o, &oci_state_type, state, OCISPEC_PRETTY, e) < 0)
		return -e->code;
	return output_flush(&o, e);
}

static int state_run(struct invocation *inv, struct err *e)
{
	return cli_each(inv, inv->n_operands, state_one, e);
}

const struct command command_state = {
	.name = "state",
	.operands = "ID...",
	.summary = "print the state of a container as JSON",
	.min_operands = 1,
	.max_operands = SIZE_MAX,
	.run = state_run,
};
