/* SPDX-License-Identifier: Apache-2.0 */
/* create - bring a container to the point where `start` executes its program */
#include <fcntl.h>
#include <stdlib.h>

#include "base/str.h"
#include "cli/create_args.h"
#include "sys/sys.h"

/* sd_listen_fds(3): only when LISTEN_PID names this very process. */
static unsigned listen_fds(void)
{
	const char *pid_text = getenv("LISTEN_PID");
	const char *n_text = getenv("LISTEN_FDS");
	uint32_t pid, n;

	if (!pid_text || !n_text || str_to_u32(pid_text, &pid) < 0 || str_to_u32(n_text, &n) < 0)
		return 0;
	return pid == (uint32_t)getpid() ? n : 0;
}

int check_descriptors(unsigned preserve, unsigned *ret_listen, struct err *e)
{
	uint64_t end;

	*ret_listen = listen_fds();
	end = 3 + (uint64_t)*ret_listen + preserve;
	for (uint64_t fd = 3; fd < end; fd++)
		if (fd > INT32_MAX || sys_fcntl((int)fd, F_GETFD, 0) < 0)
			return err_user(e, "preserve-fds",
					"descriptor %llu is to be passed on but not open",
					(unsigned long long)fd);
	return 0;
}

int create_early(struct invocation *inv, struct err *e)
{
	struct create_options *o = inv->args;

	return check_descriptors(o->preserve_fds, &o->listen_fds, e);
}

static const struct option_row rows[] = {
	CREATE_ROWS,
	{ "detach", 'd', OPTION_BOOL, CREATE_AT(detach), NULL, NULL },
	{ "no-subreaper", 0, OPTION_BOOL, CREATE_AT(no_subreaper), NULL, NULL },
};

static int create_run(struct invocation *inv, struct err *e)
{
	struct create_options *o = inv->args;

	o->id = inv->operands[0];
	return container_create(&inv->globals.context, o, e);
}

const struct command command_create = {
	.name = "create",
	.operands = "ID",
	.summary = "create a container from a bundle; 'start' runs its program",
	.min_operands = 1,
	.max_operands = 1,
	.flags = COMMAND_PROTECT,
	.options = { rows, COUNT(rows) },
	.args_size = sizeof(struct create_options),
	.early = create_early,
	.run = create_run,
};
