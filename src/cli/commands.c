/* SPDX-License-Identifier: Apache-2.0 */
/* commands - all commands, the global options, and how a command line is split */
#include "base/str.h"
#include "cli/cli.h"

/* sorted by name, one a line */
/* clang-format off */
const struct command *const cli_commands[] = {
	&command_check,
	&command_checkpoint,
	&command_create,
	&command_delete,
	&command_events,
	&command_exec,
	&command_features,
	&command_help,
	&command_kill,
	&command_list,
	&command_mounts,
	&command_pause,
	&command_ps,
	&command_restore,
	&command_resume,
	&command_run,
	&command_spec,
	&command_start,
	&command_state,
	&command_stats,
	&command_stop,
	&command_update,
	&command_wait,
};
/* clang-format on */
const size_t cli_n_commands = COUNT(cli_commands);

static const struct name_row log_formats[] = { { "text", LOG_TEXT }, { "json", LOG_JSON } };

static const struct name_row log_levels[] = {
	{ "error", LOG_LEVEL_ERROR },  { "warning", LOG_LEVEL_WARNING },
	{ "warn", LOG_LEVEL_WARNING }, { "info", LOG_LEVEL_INFO },
	{ "debug", LOG_LEVEL_DEBUG },
};

static const struct name_row cgroup_managers[] = {
	{ "cgroupfs", CGROUP_FS },
	{ "systemd", CGROUP_SYSTEMD },
	{ "disabled", CGROUP_DISABLED },
};

static const struct name_row rootless_words[] = {
	{ "auto", CGROUP_LENIENT_ROOTLESS },
	{ "true", CGROUP_LENIENT },
	{ "false", CGROUP_STRICT },
};

#define AT(field)    offsetof(struct globals, field)
#define NAMES(array) .names = (array), .n_names = COUNT(array)

static const struct option_row global_rows[] = {
	{ "root", 0, OPTION_WORD, AT(context.root), "DIR", "where containers are recorded" },
	{ "log", 0, OPTION_STRING, AT(log), "TARGET",
	  "FILE, file:FILE, journald:ID or syslog:ID; errors go to stderr as well" },
	{ "log-format", 0, OPTION_NAME, AT(log_format), "FORMAT", "text or json (default: text)",
	  NAMES(log_formats) },
	{ "log-level", 0, OPTION_NAME, AT(log_level), "LEVEL",
	  "error, warning, info or debug (default: error)", NAMES(log_levels) },
	{ "debug", 0, OPTION_BOOL, AT(debug), NULL, "the same as --log-level debug" },
	{ "systemd-cgroup", 0, OPTION_BOOL, AT(systemd_cgroup), NULL,
	  "the same as --cgroup-manager systemd" },
	{ "cgroup-manager", 0, OPTION_NAME, AT(cgroup_manager), "MANAGER",
	  "cgroupfs, systemd or disabled (default: cgroupfs)", NAMES(cgroup_managers) },
	{ "systemd-timeout", 0, OPTION_STRING, AT(systemd_timeout), "TIME",
	  "how long systemd may take to answer (default: 30s)" },
	{ "rootless", 0, OPTION_NAME, AT(rootless), "WORD",
	  "true, false or auto: go on where cgroups are not permitted? (default: auto)",
	  NAMES(rootless_words) },
	{ "criu", 0, OPTION_STRING, AT(criu), "PATH", NULL },
	{ "version", 'v', OPTION_BOOL, AT(version), NULL, "print the version" },
	{ "V", 0, OPTION_BOOL, AT(version), NULL, NULL },
	{ "dump-options", 0, OPTION_BOOL, AT(dump_options), NULL, NULL },
};

const struct option_table cli_global_options = { global_rows, COUNT(global_rows) };

const struct command *cli_find_command(const char *name)
{
	for (size_t i = 0; i < cli_n_commands; i++)
		if (str_eq(cli_commands[i]->name, name))
			return cli_commands[i];
	return NULL;
}

int cli_unknown_command(const char *name, struct err *e)
{
	struct name_row rows[64];
	const char *near;
	size_t n = 0;

	for (; n < cli_n_commands && n < COUNT(rows); n++)
		rows[n] = (struct name_row){ cli_commands[n]->name, 0 };
	near = name_nearest(rows, n, name);
	if (near)
		return cli_usage(e, name, "unknown command '%s'; did you mean '%s'?", name, near);
	return cli_usage(e, name, "unknown command '%s'; see 'cleat --help'", name);
}

static void settle_globals(struct globals *g)
{
	struct context *c = &g->context;

	c->cgroup_manager = g->systemd_cgroup ? CGROUP_SYSTEMD : CGROUP_FS;
	if (g->cgroup_manager >= 0)
		c->cgroup_manager = (enum cgroup_manager)g->cgroup_manager;
	c->leniency = (enum cgroup_leniency)g->rootless;
	if (g->debug)
		g->log_level = LOG_LEVEL_DEBUG;
	c->debug = g->log_level == LOG_LEVEL_DEBUG;
}

static int settle_timeout(const char *text, struct err *e)
{
	uint64_t ms;

	if (!text)
		return 0;
	if (str_to_duration_ms(text, &ms) < 0 || !ms || ms > INT32_MAX)
		return cli_usage(e, text,
				 "option '--systemd-timeout' needs a time such as 5s, not '%s'",
				 text);
	cgroup_systemd_timeout((unsigned)ms);
	return 0;
}

static int check_operands(const struct invocation *inv, struct err *e)
{
	const struct command *c = inv->command;
	const char *extra;

	if (inv->n_operands < c->min_operands)
		return err_user(e, c->operands, "%s requires: %s (see 'cleat %s --help')", c->name,
				c->operands, c->name);
	if (inv->n_operands <= c->max_operands)
		return 0;
	extra = inv->operands[c->max_operands];
	return err_user(e, extra, "%s: unexpected argument '%s'", c->name, extra);
}

static int split(struct invocation *inv, char **argv, size_t n, struct err *e)
{
	const struct command *c = inv->command;
	int used;
	int r;

	if (c->flags & COMMAND_FOREIGN) {
		r = options_parse(&c->options, inv->args, argv, &used, &inv->help, e);
		inv->operands = argv + used;
		return r;
	}
	inv->operands = arena_new_n(inv->arena, n + 1, char *);
	return options_parse_mixed(&c->options, inv->args, argv, inv->operands, &inv->help, e);
}

static int parse_command(struct invocation *inv, char **argv, struct err *e)
{
	const struct command *c = inv->command;
	size_t n = 0;

	while (argv[n])
		n++;
	inv->args = arena_alloc(inv->arena, c->args_size);
	options_prepare(inv->arena, &c->options, inv->args, n);
	if (split(inv, argv, n, e) < 0)
		return err_note(e, "%s", c->name);
	while (inv->operands[inv->n_operands])
		inv->n_operands++;
	return inv->help ? 0 : check_operands(inv, e);
}

int cli_parse(struct invocation *inv, char **argv, struct err *e)
{
	struct globals *g = &inv->globals;
	int used;
	int r;

	inv->argv = argv;
	g->cgroup_manager = -1;
	r = options_parse(&cli_global_options, g, argv + 1, &used, &inv->help, e);
	settle_globals(g);
	if (r == 0)
		r = settle_timeout(g->systemd_timeout, e);
	if (r < 0 || inv->help || g->version || g->dump_options)
		return r;
	argv += 1 + used;
	if (!argv[0])
		return err_user(e, NULL, "no command given; see 'cleat --help'");
	inv->command = cli_find_command(argv[0]);
	if (!inv->command)
		return cli_unknown_command(argv[0], e);
	return parse_command(inv, argv + 1, e);
}
