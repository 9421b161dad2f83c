/* SPDX-License-Identifier: Apache-2.0 */
/* exec - run a further process in a container */
#include "base/str.h"
#include "cli/cli.h"

struct exec_args {
	struct exec_options options;
	const char *start;
};

#define AT(field) offsetof(struct exec_args, options.field)

static const struct option_row rows[] = {
	{ "process", 'p', OPTION_STRING, AT(process), "FILE",
	  "take the process object of config.json from there; -: from stdin" },
	{ "tty", 't', OPTION_BOOL, AT(tty), NULL, "give it a terminal" },
	{ "detach", 'd', OPTION_BOOL, AT(detach), NULL, "do not wait for its end" },
	{ "create", 0, OPTION_WORD, AT(create), "NAME",
	  "prepare it only; it waits under that name" },
	{ "start", 0, OPTION_WORD, offsetof(struct exec_args, start), "NAME",
	  "run the program of one that waits; then only ID follows" },
	{ "env", 'e', OPTION_LIST, AT(env), "NAME=VALUE", "one more environment variable" },
	{ "cwd", 0, OPTION_STRING, AT(cwd), "DIR", "working directory" },
	{ "user", 'u', OPTION_STRING, AT(user), "UID[:GID]", "numeric user and group" },
	{ "user-name", 0, OPTION_WORD, AT(user_name), "NAME[:GROUP]",
	  "user of the container's /etc/passwd, with his groups" },
	{ "additional-gids", 'g', OPTION_LIST, AT(groups), "GID", "one more group" },
	{ "cap", 'c', OPTION_LIST, AT(caps), "CAP", "one more capability" },
	{ "no-new-privs", 0, OPTION_BOOL, AT(no_new_privs), NULL,
	  "execve(2) gives it no privileges" },
	{ "apparmor", 0, OPTION_STRING, AT(apparmor), "PROFILE", "AppArmor profile" },
	{ "process-label", 0, OPTION_STRING, AT(process_label), "LABEL", "SELinux label" },
	{ "cgroup", 0, OPTION_LIST, AT(cgroups), "[CTL:]PATH", "cgroup below the container's own" },
	{ "ignore-paused", 0, OPTION_BOOL, AT(ignore_paused), NULL,
	  "also in a paused container; the process starts when it is resumed" },
	{ "console-socket", 0, OPTION_STRING, AT(console_socket), "PATH",
	  "socket that gets its terminal" },
	{ "pidfd-socket", 0, OPTION_STRING, AT(pidfd_socket), "PATH",
	  "socket that gets a pidfd of it" },
	{ "pid-file", 0, OPTION_STRING, AT(pid_file), "FILE", "write its pid there" },
	{ "preserve-fds", 0, OPTION_UINT, AT(preserve_fds), "N",
	  "pass N more descriptors than 0, 1 and 2 on" },
	{ "no-subreaper", 0, OPTION_BOOL, AT(no_subreaper), NULL, NULL },
};

static int exec_early(struct invocation *inv, struct err *e)
{
	struct exec_args *args = inv->args;
	struct exec_options *o = &args->options;

	return check_descriptors(&o->preserve_fds, &o->listen_fds, &o->listen_names, e);
}

static int exec_start(struct invocation *inv, const struct exec_args *args, struct err *e)
{
	if (args->options.create || args->options.process || inv->n_operands > 1)
		return cli_usage(
			e, args->start,
			"exec --start takes the process as it was created: only ID follows");
	return container_exec_start(&inv->globals.context, args->options.id, args->start, e);
}

static int exec_run(struct invocation *inv, struct err *e)
{
	struct exec_args *args = inv->args;
	struct exec_options *o = &args->options;

	o->id = inv->operands[0];
	if (args->start)
		return exec_start(inv, args, e);
	o->detach |= o->create != NULL;
	o->args = inv->operands + 1;
	/* callers put it there, and mean the end of our options */
	if (o->args[0] && str_eq(o->args[0], "--"))
		o->args++;
	if (!o->process && !o->args[0])
		return cli_usage(e, "COMMAND", "exec requires: ID COMMAND [ARG...], or --process");
	return container_exec(&inv->globals.context, o, &inv->status, e);
}

const struct command command_exec = {
	.name = "exec",
	.operands = "ID COMMAND [ARG...]",
	.summary = "run a further process in a container",
	.min_operands = 1,
	.max_operands = SIZE_MAX,
	.flags = COMMAND_PROTECT | COMMAND_FOREIGN,
	.failure_status = 255, /* 1 could be the program's */
	.options = { rows, COUNT(rows) },
	.args_size = sizeof(struct exec_args),
	.early = exec_early,
	.run = exec_run,
};
