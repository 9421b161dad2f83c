/* SPDX-License-Identifier: Apache-2.0 */
/* help - the tables as text for people, and as JSON for completion and the man page */
#include <stdio.h>

#include "base/str.h"
#include "cli/cli.h"

/* Where the explanations begin. */
#define HELP_COLUMN 32

static void add_option(struct output *o, const struct option_row *row)
{
	char left[80], letter[] = "    ";

	if (!row->help)
		return;
	if (row->letter)
		snprintf(letter, sizeof(letter), "-%c, ", row->letter);
	snprintf(left, sizeof(left), "  %s--%s%s%s", letter, row->name, row->value ? " " : "",
		 row->value ? row->value : "");
	output_printf(o, "%-*s%s%s\n", HELP_COLUMN, left, strlen(left) < HELP_COLUMN ? "" : "  ",
		      row->help);
}

static void add_options(struct output *o, const struct option_table *t)
{
	for (size_t i = 0; i < t->n; i++)
		add_option(o, &t->rows[i]);
	output_printf(o, "%-*s%s\n", HELP_COLUMN, "  -h, --help", "print this help");
}

static void add_commands(struct output *o)
{
	for (size_t i = 0; i < cli_n_commands; i++)
		output_printf(o, "  %-12s%s\n", cli_commands[i]->name, cli_commands[i]->summary);
}

const char *cli_help(struct arena *a, const struct command *c)
{
	struct output o = { .arena = a };

	if (!c) {
		output_add(&o, "Usage: cleat [OPTIONS] COMMAND ...\n\n"
			       "cleat runs containers as the OCI runtime specification "
			       "describes them.\n\nCommands:\n");
		add_commands(&o);
		output_add(&o, "\nOptions:\n");
		add_options(&o, &cli_global_options);
		output_add(&o, "\nSee 'cleat COMMAND --help' and cleat(1).\n");
		return o.text;
	}
	output_printf(&o, "Usage: cleat [OPTIONS] %s [OPTIONS]%s%s\n\n%s\n\nOptions:\n", c->name,
		      c->operands[0] ? " " : "", c->operands, c->summary);
	add_options(&o, &c->options);
	return o.text;
}

static void dump_row(struct output *o, const struct option_row *row)
{
	output_add(o, "{\"name\":");
	output_json_string(o, row->name);
	if (row->letter)
		output_printf(o, ",\"letter\":\"%c\"", row->letter);
	if (row->value) {
		output_add(o, ",\"value\":");
		output_json_string(o, row->value);
	}
	for (size_t i = 0; i < row->n_names; i++) {
		output_add(o, i ? "," : ",\"words\":[");
		output_json_string(o, row->names[i].name);
	}
	output_add(o, row->n_names ? "]" : "");
	output_add(o, ",\"help\":");
	if (row->help)
		output_json_string(o, row->help);
	else
		output_add(o, "null");
	output_add(o, "}");
}

static void dump_table(struct output *o, const struct option_table *t)
{
	output_add(o, "\"options\":[");
	for (size_t i = 0; i < t->n; i++) {
		output_add(o, i ? "," : "");
		dump_row(o, &t->rows[i]);
	}
	output_add(o, "]");
}

const char *cli_dump_options(struct arena *a)
{
	struct output o = { .arena = a };

	output_add(&o, "{");
	dump_table(&o, &cli_global_options);
	output_add(&o, ",\"commands\":[");
	for (size_t i = 0; i < cli_n_commands; i++) {
		const struct command *c = cli_commands[i];

		output_add(&o, i ? ",{\"name\":" : "{\"name\":");
		output_json_string(&o, c->name);
		output_add(&o, ",\"operands\":");
		output_json_string(&o, c->operands);
		output_add(&o, ",\"summary\":");
		output_json_string(&o, c->summary);
		output_add(&o, ",");
		dump_table(&o, &c->options);
		output_add(&o, "}");
	}
	output_add(&o, "],\"errors\":[");
	for (size_t i = 0; i < err_n_kinds; i++) {
		output_add(&o, i ? ",{\"code\":" : "{\"code\":");
		output_json_string(&o, err_kinds[i].id);
		output_add(&o, ",\"meaning\":");
		output_json_string(&o, err_kinds[i].meaning);
		output_add(&o, "}");
	}
	output_add(&o, "]}\n");
	return o.text;
}

static int help_run(struct invocation *inv, struct err *e)
{
	const struct command *c = NULL;
	const char *text;

	if (inv->n_operands) {
		c = cli_find_command(inv->operands[0]);
		if (!c)
			return cli_unknown_command(inv->operands[0], e);
	}
	text = cli_help(inv->arena, c);
	return output_print(text, strlen(text), e);
}

const struct command command_help = {
	.name = "help",
	.operands = "[COMMAND]",
	.summary = "explain a command",
	.max_operands = 1,
	.run = help_run,
};
