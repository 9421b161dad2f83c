/* SPDX-License-Identifier: Apache-2.0 */
/* spec - write a config.json to begin with */
#include <fcntl.h>

#include "base/file.h"
#include "base/str.h"
#include "cli/cli.h"
#include "spec/spec.h"
#include "sys/sys.h"

struct spec_args {
	const char *bundle, *file;
	bool rootless;
};

#define AT(field) offsetof(struct spec_args, field)

static const struct option_row rows[] = {
	{ "bundle", 'b', OPTION_STRING, AT(bundle), "DIR", "where to write it (default: .)" },
	{ "config", 'f', OPTION_STRING, AT(file), "FILE",
	  "name of the file (default: config.json)" },
	{ "file", 0, OPTION_STRING, AT(file), "FILE", NULL },
	{ "rootless", 0, OPTION_BOOL, AT(rootless), NULL,
	  "for a user without privileges: with a user namespace" },
};

static int spec_run(struct invocation *inv, struct err *e)
{
	const struct spec_args *args = inv->args;
	const char *name = args->file ? args->file : "config.json", *path = name;
	const char *text = spec_template(inv->arena, args->rootless, geteuid(), getegid());
	char text_of_path[DIR_TEXT_SIZE];
	auto_dir dir = DIR_NONE;
	auto_fd fd = -1;
	int r;

	if (dir_open(args->bundle ? args->bundle : ".", &dir, e) < 0)
		return -e->code;
	if (args->bundle && name[0] != '/')
		path = dir_entry_text(&dir, name, text_of_path);
	/* O_EXCL: somebody's work is never overwritten */
	fd = sys_openat(dir.fd, name, O_WRONLY | O_CREAT | O_EXCL, 0644);
	if (fd < 0)
		return err_sys(e, -fd, path, "create");
	r = file_write_all(fd, text, strlen(text));
	return r < 0 ? err_sys(e, -r, path, "write") : 0;
}

const struct command command_spec = {
	.name = "spec",
	.operands = "",
	.summary = "write a config.json to begin with",
	.options = { rows, COUNT(rows) },
	.args_size = sizeof(struct spec_args),
	.run = spec_run,
};
