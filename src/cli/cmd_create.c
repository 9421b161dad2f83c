/* SPDX-License-Identifier: Apache-2.0 */
/* create - bring a container to the point where `start` executes its program */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/str.h"
#include "cli/create_args.h"
#include "sys/sys.h"

/* As many as a process can have, unless fs.nr_open says otherwise. */
#define DESCRIPTORS_MAX (1 << 20)

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

/*
 * Of `podman run --preserve-fd=5` comes --preserve-fds 3 with nothing open at 3 and 4. No
 * descriptor of ours may get such a number, or it would be passed on: what takes it is
 * close-on-exec, which nothing inherited is.
 */
static int fill_gaps(int end, struct err *e)
{
	int fd;

	do
		fd = sys_open("/dev/null", O_PATH, 0); /* the lowest number that is free */
	while (fd >= 0 && fd < end);
	if (fd < 0)
		return err_sys(e, -fd, "/dev/null", "open");
	fd_close(&fd);
	return 0;
}

/* The descriptor after the last that is open, of those from @from to before @end; else @from. */
static int after_open(int from, int end)
{
	while (end > from && sys_fcntl(end - 1, F_GETFD, 0) < 0)
		end--;
	return end;
}

int check_descriptors(unsigned *preserve, unsigned *ret_listen, const char **ret_names,
		      struct err *e)
{
	unsigned listen = listen_fds();
	uint64_t last = 2 + (uint64_t)listen + *preserve;
	int from, end;

	*ret_listen = listen;
	*ret_names = getenv("LISTEN_FDNAMES");
	if (last == 2)
		return 0;
	if (last >= DESCRIPTORS_MAX)
		return cli_usage(e, "preserve-fds", "there is no descriptor %llu to be passed on",
				 (unsigned long long)last);
	from = 3 + (int)listen;
	end = after_open(3, (int)last + 1);
	if (end == 3 || end < from)
		return cli_usage(e, "preserve-fds", "descriptor %d is to be passed on but not open",
				 end < from ? from - 1 : 3);
	*preserve = (unsigned)(end - from);
	return fill_gaps(end, e);
}

int create_early(struct invocation *inv, struct err *e)
{
	struct create_options *o = inv->args;

	return check_descriptors(&o->preserve_fds, &o->listen_fds, &o->listen_names, e);
}

static bool is_directory(const char *path)
{
	struct stat st;

	return sys_fstatat(AT_FDCWD, path, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

/* "run web" where "run web/" is meant, which a shell completes. */
static bool is_bundle_instead(const char *word, const struct create_options *o)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/config.json", word);
	return !o->config && sys_fstatat(AT_FDCWD, path, &st, 0) == 0 &&
	       sys_fstatat(AT_FDCWD, "config.json", &st, 0) == -ENOENT;
}

int create_explain(const struct create_options *o, int r, struct err *e)
{
	if (r != -ENOENT || o->bundle || !is_bundle_instead(o->id, o))
		return r;
	err_clear(e);
	return cli_usage(e, o->id, "no bundle in the working directory; is '%s/' meant?", o->id);
}

/* A word that is to be the container's id, in the bundle of the working directory. */
static int id_or_slip(const char *word, struct err *e)
{
	if (str_eq(word, ".") || str_eq(word, ".."))
		return cli_usage(e, word,
				 "container id '%s' begins with a dot; a bundle is named '%s/'",
				 word, word);
	if (strchr(word, '/'))
		return cli_usage(e, word,
				 "invalid character '/' in the container ID '%s', and no directory "
				 "is there that could be a bundle",
				 word);
	return 0;
}

int create_subject(struct invocation *inv, struct create_options *o, struct err *e)
{
	const char *word = inv->operands[0];
	char path[PATH_MAX];

	o->id = word;
	if (o->bundle)
		return 0;
	/* what ends like a directory is meant for one, and not for an id */
	if (!strchr(word, '/') || !(is_directory(word) || str_ends(word, "/")))
		return id_or_slip(word, e);
	if (!realpath(word, path)) /* banned-ok: a path of the host, from the command line */
		return err_sys(e, errno, word, "find the bundle");
	o->bundle = arena_strdup(inv->arena, path);
	o->id = strrchr(o->bundle, '/') + 1;
	return 0;
}

static const struct option_row rows[] = {
	CREATE_ROWS,
	{ "detach", 'd', OPTION_BOOL, CREATE_AT(detach), NULL, NULL },
	{ "no-subreaper", 0, OPTION_BOOL, CREATE_AT(no_subreaper), NULL, NULL },
};

static int create_run(struct invocation *inv, struct err *e)
{
	struct create_options *o = inv->args;

	if (create_subject(inv, o, e) < 0)
		return -e->code;
	return create_explain(o, container_create(&inv->globals.context, o, e), e);
}

const struct command command_create = {
	.name = "create",
	.operands = "ID|BUNDLE/",
	.summary = "create a container from a bundle; 'start' runs its program",
	.min_operands = 1,
	.max_operands = 1,
	.flags = COMMAND_PROTECT,
	.options = { rows, COUNT(rows) },
	.args_size = sizeof(struct create_options),
	.early = create_early,
	.run = create_run,
};
