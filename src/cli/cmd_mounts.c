/* SPDX-License-Identifier: Apache-2.0 */
/* mounts - add, remove and list mounts of a container that runs */
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "cli/cli.h"
#include "ocispec/decode.h"

#define MOUNTS_MAX (1 << 20)

enum format { FORMAT_TABLE, FORMAT_JSON };

struct mounts_args {
	int format;
};

static const struct name_row formats[] = { { "table", FORMAT_TABLE }, { "json", FORMAT_JSON } };

static const struct option_row rows[] = {
	{ "format", 'f', OPTION_NAME, offsetof(struct mounts_args, format), "FORMAT",
	  "of list: table or json (default: table)", formats, COUNT(formats) },
};

/* An array like "mounts" of config.json, from a file, "-" or the word itself. */
static int read_mounts(struct arena *a, const char *name, struct oci_mounts **ret, struct err *e)
{
	const struct ocispec_allocator alloc = { arena_ocispec_alloc, a };
	bool standard = str_eq(name, "-"), literal = name[0] == '[';
	struct ocispec_error oe = { 0 };
	char *text = (char *)name;
	void *object;
	ssize_t len = (ssize_t)strlen(name);

	if (!literal)
		len = file_read_named(AT_FDCWD, name, a, MOUNTS_MAX, &text, e);
	if (len < 0)
		return (int)len;
	if (ocispec_decode(&oci_mounts_type, text, (size_t)len, &alloc, NULL, &object, &oe) < 0)
		return err_user(e, name, "%s:%u:%u: %s%s%s",
				standard  ? "standard input"
				: literal ? "mounts"
					  : name,
				oe.line, oe.column, oe.path, *oe.path ? ": " : "", oe.text);
	*ret = object;
	return 0;
}

/* --- list ------------------------------------------------------------------------------------- */

struct line { /* of mountinfo; proc_pid_mountinfo(5) */
	char *target, *type, *source, *options;
};

static char *take_word(char **rest)
{
	char *word = *rest;

	*rest += strcspn(word, " ");
	if (**rest)
		*(*rest)++ = '\0';
	return word;
}

/* "4711 1 0:21 / /proc rw,nosuid shared:1 - proc proc rw" */
static bool parse_line(char *text, struct line *ret)
{
	char *rest = text, *after = strstr(text, " - ");

	if (!after)
		return false;
	for (int i = 0; i < 4; i++)
		take_word(&rest);
	ret->target = take_word(&rest);
	ret->options = take_word(&rest);
	rest = after + 3;
	ret->type = take_word(&rest);
	ret->source = take_word(&rest);
	return true;
}

static void add_json(struct output *o, const struct line *l, bool first)
{
	output_add(o, first ? "\n    { \"destination\": " : ",\n    { \"destination\": ");
	output_json_string(o, str_unescape_octal(l->target));
	output_add(o, ", \"type\": ");
	output_json_string(o, str_unescape_octal(l->type));
	output_add(o, ", \"source\": ");
	output_json_string(o, str_unescape_octal(l->source));
	output_add(o, ", \"options\": ");
	output_json_string(o, l->options);
	output_add(o, " }");
}

struct cells {
	const char **v;
	size_t n, cap;
};

/* As in mountinfo, where a blank is "\040"; the rest is whatever somebody inside chose. */
static void add_cells(struct arena *a, struct cells *cells, const struct line *l)
{
	char *const words[] = { l->target, l->type, l->source, l->options };

	for (size_t i = 0; i < COUNT(words); i++) {
		str_escape_control(words[i]);
		*vec_push(a, cells) = words[i];
	}
}

static int list(struct invocation *inv, const char *id, enum format format, struct err *e)
{
	struct output out = { .arena = inv->arena };
	struct cells cells = { 0 };
	static const char *const heads[] = { "DESTINATION", "TYPE", "SOURCE", "OPTIONS" };
	char *text;
	bool first = true;

	if (container_mountinfo(inv->arena, &inv->globals.context, id, &text, e) < 0)
		return -e->code;
	for (size_t i = 0; i < COUNT(heads); i++)
		*vec_push(inv->arena, &cells) = heads[i];
	output_add(&out, format == FORMAT_JSON ? "[" : "");
	while (*text) {
		size_t n = strcspn(text, "\n");
		struct line l;

		if (parse_line(arena_strndup(inv->arena, text, n), &l)) {
			if (format == FORMAT_JSON)
				add_json(&out, &l, first);
			else
				add_cells(inv->arena, &cells, &l);
			first = false;
		}
		text += n + (text[n] == '\n');
	}
	if (format == FORMAT_JSON)
		output_add(&out, "\n]\n");
	else
		output_table(&out, cells.v, cells.n / COUNT(heads), COUNT(heads));
	return output_flush(&out, e);
}

/* --- the command ------------------------------------------------------------------------------ */

static int mounts_run(struct invocation *inv, struct err *e)
{
	const struct mounts_args *args = inv->args;
	const struct context *ctx = &inv->globals.context;
	const char *action = inv->operands[0], *id = inv->operands[1];
	const char *file = inv->n_operands > 2 ? inv->operands[2] : NULL;
	bool add = str_eq(action, "add");
	struct oci_mounts *mounts = NULL;

	if (str_eq(action, "list") && !file)
		return list(inv, id, (enum format)args->format, e);
	if (!add && !str_eq(action, "remove") && !str_eq(action, "list"))
		return cli_usage(e, action, "mounts: unknown action '%s': add, remove or list",
				 action);
	if (str_eq(action, "list"))
		return cli_usage(e, file, "mounts: unexpected argument '%s'", file);
	if (!file)
		return cli_usage(e, action, "mounts %s requires: ID FILE", action);
	if (read_mounts(inv->arena, file, &mounts, e) < 0)
		return -e->code;
	return add ? container_mounts_add(ctx, id, mounts, e)
		   : container_mounts_remove(ctx, id, mounts, e);
}

const struct command command_mounts = {
	.name = "mounts",
	.operands = "add|remove|list ID [FILE]",
	.summary = "change or show the mounts of a running container; FILE has an array of mounts",
	.min_operands = 2,
	.max_operands = 3,
	.options = { rows, COUNT(rows) },
	.args_size = sizeof(struct mounts_args),
	.run = mounts_run,
};
