/* SPDX-License-Identifier: Apache-2.0 */
/* checkpoint - put a running container into files */
#include <fcntl.h>

#include "base/str.h"
#include "cli/image_args.h"
#include "sys/sys.h"

int image_args_settle(const struct globals *g, struct image_args *args, struct err *e)
{
	struct criu_choices *c = &args->image.choices;
	int value;

	args->image.criu = g->criu && *g->criu ? g->criu : NULL;
	if (args->cgroups_mode) {
		value = criu_cgroups_from_name(args->cgroups_mode);
		if (value < 0)
			return cli_usage(e, args->cgroups_mode,
					 "option '--manage-cgroups-mode': unknown value '%s' "
					 "(known: soft, full, strict, ignore)",
					 args->cgroups_mode);
		c->cgroups = (enum criu_cgroups)value;
	}
	if (args->network_lock) {
		value = criu_network_lock_from_name(args->network_lock);
		if (value < 0)
			return cli_usage(e, args->network_lock,
					 "option '--network-lock': unknown value '%s' "
					 "(known: iptables, nftables, skip)",
					 args->network_lock);
		c->network_lock = (enum criu_network_lock)value;
	}
	if (args->empty_ns && !str_eq(args->empty_ns, "network"))
		return cli_usage(e, args->empty_ns,
				 "option '--empty-ns': only 'network' can be left out, not '%s'",
				 args->empty_ns);
	c->empty_network = args->empty_ns;
	return 0;
}

int image_available(struct invocation *inv, struct err *e)
{
	const char *given = inv->globals.criu, *path;

	if (criu_find(inv->arena, given && *given ? given : NULL, &path, e) < 0)
		return -e->code;
	return criu_check(inv->arena, path, e);
}

static const struct option_row rows[] = {
	IMAGE_ROWS,
	{ "leave-running", 'R', OPTION_BOOL, CHOICE_AT(leave_running), NULL,
	  "let the container go on afterwards" },
	{ "pre-dump", 'P', OPTION_BOOL, IMAGE_AT(image.pre_dump), NULL,
	  "only memory, while the container goes on: a later checkpoint has less to do" },
	{ "page-server", 0, OPTION_STRING, CHOICE_AT(page_server), "ADDRESS:PORT",
	  "send memory to a page server" },
	{ "status-fd", 0, OPTION_STRING, IMAGE_AT(status_fd), "FD",
	  "write a zero byte there when the page server of --lazy-pages listens" },
	{ "tcp-skip-in-flight", 0, OPTION_BOOL, CHOICE_AT(tcp_skip_in_flight), NULL,
	  "leave connections out that are being made" },
};

static int status_fd(const char *text, int *ret, struct err *e)
{
	uint32_t fd;

	*ret = -1;
	if (!text)
		return 0;
	if (str_to_u32(text, &fd) < 0 || fd > INT32_MAX || sys_fcntl((int)fd, F_GETFD, 0) < 0)
		return cli_usage(e, text, "option '--status-fd': '%s' is no open descriptor", text);
	*ret = (int)fd;
	return 0;
}

/* While only the caller's descriptors are open. */
static int checkpoint_early(struct invocation *inv, struct err *e)
{
	struct image_args *args = inv->args;

	return status_fd(args->status_fd, &args->image.status_fd, e);
}

static int checkpoint_run(struct invocation *inv, struct err *e)
{
	struct image_args *args = inv->args;

	if (image_args_settle(&inv->globals, args, e) < 0)
		return -e->code;
	return container_checkpoint(&inv->globals.context, inv->operands[0], &args->image, e);
}

const struct command command_checkpoint = {
	.name = "checkpoint",
	.operands = "ID",
	.summary = "put a running container into files, from which 'restore' makes it again",
	.min_operands = 1,
	.max_operands = 1,
	.options = { rows, COUNT(rows) },
	.args_size = sizeof(struct image_args),
	.early = checkpoint_early,
	.available = image_available,
	.run = checkpoint_run,
};
