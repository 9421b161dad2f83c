/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ps - the processes of a container, as ids or as ps(1) shows them
 *
 * ps(1) is run with the caller's words and the lines of the container's processes are
 * kept: so every format that it knows can be had, as long as a column PID is in it.
 */
#include <fcntl.h>
#include <stdlib.h>

#include "base/helper.h"
#include "base/str.h"
#include "cli/cli.h"
#include "sys/sys.h"

#define PS_OUTPUT_MAX (16 << 20)
#define PS_TIMEOUT_MS 30000

enum ps_format { PS_TABLE, PS_JSON };

struct ps_args {
	int format;
};

static const struct name_row formats[] = { { "table", PS_TABLE }, { "json", PS_JSON } };

static const struct option_row rows[] = {
	{ "format", 'f', OPTION_NAME, offsetof(struct ps_args, format), "FORMAT",
	  "table or json (default: table)", formats, COUNT(formats) },
};

struct pids {
	pid_t *v;
	size_t n;
};

static int compare(const void *a, const void *b)
{
	const pid_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static bool contains(const struct pids *p, pid_t pid)
{
	return p->n && bsearch(&pid, p->v, p->n, sizeof(*p->v), compare);
}

/* No process at all is null, as callers know it. */
static void add_json(struct output *o, const struct pids *p)
{
	for (size_t i = 0; i < p->n; i++)
		output_printf(o, "%s%d", i ? "," : "[", (int)p->v[i]);
	output_add(o, p->n ? "]\n" : "null\n");
}

/* The word at position @column of a line, as a number; -1: none. */
static long number_at(const char *line, int column)
{
	const char *at = line + strspn(line, " \t");
	char *end;
	long n;

	for (int i = 0; i < column; i++) {
		at += strcspn(at, " \t");
		at += strspn(at, " \t");
	}
	n = strtol(at, &end, 10);
	return end == at ? -1 : n;
}

/* Which word of the heading is "PID"; -1: none. */
static int find_column(const char *heading)
{
	const char *at = heading + strspn(heading, " \t");

	for (int i = 0; *at; i++) {
		size_t len = strcspn(at, " \t");

		if (len == 3 && memcmp(at, "PID", 3) == 0)
			return i;
		at += len;
		at += strspn(at, " \t");
	}
	return -1;
}

static int add_table(struct output *o, char *text, const struct pids *p, struct err *e)
{
	char *rest = text, *line = strsep(&rest, "\n");
	int column = find_column(line);

	if (column < 0)
		return err_user(e, "PID", "ps: the heading '%.100s' has no column PID", line);
	output_printf(o, "%s\n", line);
	while ((line = strsep(&rest, "\n"))) {
		long pid = number_at(line, column);

		if (pid > 0 && contains(p, (pid_t)pid))
			output_printf(o, "%s\n", line);
	}
	return 0;
}

/* Not looked for in PATH, which some callers leave empty. */
static const char *find_ps(void)
{
	static const char *const paths[] = { "/usr/bin/ps", "/bin/ps", "/usr/local/bin/ps" };

	for (size_t i = 0; i < COUNT(paths); i++)
		if (sys_faccessat(AT_FDCWD, paths[i], X_OK, 0) == 0)
			return paths[i];
	return NULL;
}

static int run_ps(struct invocation *inv, const struct pids *p, struct output *o, struct err *e)
{
	char *const *words = inv->operands + 1;
	const char **argv = arena_new_n(inv->arena, inv->n_operands + 2, const char *);
	struct helper h = { .what = "ps",
			    .path = find_ps(),
			    .argv = argv,
			    .cwd_fd = -1,
			    .stdout_fd = -1,
			    .stderr_fd = -1,
			    .output = arena_alloc(inv->arena, PS_OUTPUT_MAX),
			    .output_size = PS_OUTPUT_MAX,
			    .timeout_ms = PS_TIMEOUT_MS };

	if (!h.path)
		return err_code(e, ENOENT, "ps",
				"ps(1) is not installed here; '--format json' does without");
	argv[0] = "ps";
	argv[1] = "-ef";
	for (size_t i = 0; words[i]; i++)
		argv[1 + i] = words[i];
	if (helper_run(&h, e) < 0)
		return -e->code;
	return add_table(o, h.output, p, e);
}

static int ps_run(struct invocation *inv, struct err *e)
{
	const struct ps_args *args = inv->args;
	struct output o = { .arena = inv->arena };
	struct pids p = { 0 };

	if (container_pids(inv->arena, &inv->globals.context, inv->operands[0], &p.v, &p.n, e) < 0)
		return -e->code;
	if (args->format == PS_JSON)
		add_json(&o, &p);
	else if (run_ps(inv, &p, &o, e) < 0)
		return -e->code;
	return output_flush(&o, e);
}

const struct command command_ps = {
	.name = "ps",
	.operands = "ID [PS-OPTION...]",
	.summary = "show the processes of a container",
	.min_operands = 1,
	.max_operands = SIZE_MAX,
	.flags = COMMAND_FOREIGN,
	.options = { rows, COUNT(rows) },
	.args_size = sizeof(struct ps_args),
	.run = ps_run,
};
