/* SPDX-License-Identifier: Apache-2.0 */
/* restore - make a container of the files that checkpoint wrote */
#include "base/str.h"
#include "cli/image_args.h"

static const struct option_row rows[] = {
	IMAGE_ROWS,
	{ "bundle", 'b', OPTION_STRING, IMAGE_AT(create.bundle), "DIR",
	  "directory of the bundle (default: .)" },
	{ "config", 'f', OPTION_STRING, IMAGE_AT(create.config), "FILE",
	  "another file than the bundle's config.json" },
	{ "detach", 'd', OPTION_BOOL, IMAGE_AT(create.detach), NULL,
	  "do not wait for the container; it stays until it is deleted" },
	{ "pid-file", 0, OPTION_STRING, IMAGE_AT(create.pid_file), "FILE",
	  "write the pid of the container's process there" },
	{ "console-socket", 0, OPTION_STRING, IMAGE_AT(create.console_socket), "PATH",
	  "socket that gets the terminal of the container" },
	{ "pidfd-socket", 0, OPTION_STRING, IMAGE_AT(create.pidfd_socket), "PATH",
	  "socket that gets a pidfd of the container's process" },
	{ "no-subreaper", 0, OPTION_BOOL, IMAGE_AT(create.no_subreaper), NULL,
	  "do not adopt processes that the container leaves behind" },
	{ "no-pivot", 0, OPTION_BOOL, IMAGE_AT(create.no_pivot), NULL,
	  "understood; CRIU decides how the root is entered" },
	{ "lsm-profile", 0, OPTION_STRING, CHOICE_AT(lsm_profile), "TYPE:NAME",
	  "security profile in the place of the one of the images" },
	{ "lsm-mount-context", 0, OPTION_STRING, CHOICE_AT(lsm_mount_context), "CONTEXT",
	  "SELinux context of mounts in the place of the one of the images" },
};

static int restore_run(struct invocation *inv, struct err *e)
{
	struct image_args *args = inv->args;

	if (image_args_settle(&inv->globals, args, e) < 0)
		return -e->code;
	args->create.id = inv->operands[0];
	return container_restore(&inv->globals.context, &args->create, &args->image, &inv->status,
				 e);
}

const struct command command_restore = {
	.name = "restore",
	.operands = "ID",
	.summary = "make a container of the files that 'checkpoint' wrote, and let it go on",
	.min_operands = 1,
	.max_operands = 1,
	.flags = COMMAND_PROTECT,
	.options = { rows, COUNT(rows) },
	.args_size = sizeof(struct image_args),
	.available = image_available,
	.run = restore_run,
};
