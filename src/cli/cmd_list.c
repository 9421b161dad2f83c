/* SPDX-License-Identifier: Apache-2.0 */
/* list - the containers of the state root as a table, as ids or as JSON */
#include "base/str.h"
#include "cli/cli.h"

enum list_format { LIST_TABLE, LIST_JSON };

struct list_args {
	int format;
	bool quiet;
};

static const struct name_row formats[] = { { "table", LIST_TABLE }, { "json", LIST_JSON } };

static const struct option_row rows[] = {
	{ "format", 'f', OPTION_NAME, offsetof(struct list_args, format), "FORMAT",
	  "table or json (default: table)", formats, COUNT(formats) },
	{ "quiet", 'q', OPTION_BOOL, offsetof(struct list_args, quiet), NULL, "print ids only" },
};

#define COLUMNS 6
static const char *const header[COLUMNS] = { "ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER" };

static void add_table(struct output *o, struct oci_state *const *states, size_t n)
{
	const char **cells = arena_new_n(o->arena, (n + 1) * COLUMNS, const char *);

	memcpy(cells, header, sizeof(header));
	for (size_t i = 0; i < n; i++) {
		const struct oci_state *s = states[i];
		const char **row = cells + (i + 1) * COLUMNS;

		row[0] = s->id;
		row[1] = arena_printf(o->arena, "%lld", (long long)s->pid);
		row[2] = s->status;
		row[3] = s->bundle;
		row[4] = s->created ? s->created : "";
		row[5] = s->owner ? s->owner : "";
	}
	output_table(o, cells, n + 1, COLUMNS);
}

/* An empty list is null, as callers know it. */
static int add_json(struct output *o, struct oci_state **states, size_t n, struct err *e)
{
	const struct oci_states list = { .states = states, .n_states = n };

	if (n && output_encode(o, &oci_states_type, &list, 0, e) < 0)
		return -e->code;
	output_add(o, n ? "\n" : "null\n");
	return 0;
}

static int list_run(struct invocation *inv, struct err *e)
{
	const struct list_args *args = inv->args;
	struct output o = { .arena = inv->arena };
	struct oci_state **states = NULL;
	size_t n = 0;

	if (container_list(inv->arena, &inv->globals.context, &states, &n, e) < 0)
		return -e->code;
	if (args->quiet)
		for (size_t i = 0; i < n; i++)
			output_printf(&o, "%s\n", states[i]->id);
	else if (args->format == LIST_TABLE)
		add_table(&o, states, n);
	else if (add_json(&o, states, n, e) < 0)
		return -e->code;
	return output_flush(&o, e);
}

const struct command command_list = {
	.name = "list",
	.operands = "",
	.summary = "list the containers",
	.options = { rows, COUNT(rows) },
	.args_size = sizeof(struct list_args),
	.run = list_run,
};
