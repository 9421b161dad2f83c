/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main - from the command line to the exit status; the only printer of errors
 *
 * The order matters. The command line is split without a system call, so that a command
 * that enters containers can execute its protected binary before anything else happens.
 * Then what we inherit is put right, descriptors that a container is to get are checked
 * before one of ours could be mistaken for them, and the log is opened before anything
 * can fail: engines read the reason of a failure there.
 */
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/trace.h"
#include "cli/cli.h"
#include "run/run.h"

/*
 * SIGCHLD ignored would lose exit statuses, a blocked one would hang who waits for it;
 * SIGPIPE would kill us where an error should be reported; file modes are meant as they
 * are written. A container gets none of this: run/ gives it the defaults.
 */
static int settle_inherited(struct err *e)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	const struct sigaction standard = { .sa_handler = SIG_DFL };
	sigset_t chld;
	int r;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_UNBLOCK, &chld, NULL);
	sigaction(SIGCHLD, &standard, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	umask(0);
	r = fd_open_stdio();
	return r < 0 ? err_sys(e, -r, "/dev/null", "open") : 0;
}

/* No descriptor of ours may exist yet when the binary is executed again. */
static int parse(struct invocation *inv, int argc, char **argv, struct err *e)
{
	if (getauxval(AT_SECURE))
		return err_code(e, EPERM, NULL, "cleat may not run with set-id bits");
	if (argc < 1)
		return err_user(e, NULL, "the argument list is empty");
	if (cli_parse(inv, argv, e) < 0)
		return err_set_id(e, "usage");
	if (inv->help || !inv->command || !(inv->command->flags & COMMAND_PROTECT))
		return 0;
	return run_protect_exe(argv, e);
}

static int print_about(struct invocation *inv, struct err *e)
{
	const struct command *c = inv->help ? inv->command : NULL;
	const char *text = inv->globals.version	       ? cli_version(inv->arena)
			   : inv->globals.dump_options ? cli_dump_options(inv->arena)
						       : cli_help(inv->arena, inv->command);

	if (c && c->available && c->available(inv, e) < 0)
		return -e->code;
	return output_print(text, strlen(text), e);
}

/* The first error is the one that counts; the log is opened in any case. */
static int prepare(struct invocation *inv, int argc, char **argv, struct err *e)
{
	const struct globals *g = &inv->globals;
	int r = parse(inv, argc, argv, e);

	if (settle_inherited(r == 0 ? e : NULL) < 0 && r == 0)
		r = -e->code;
	if (r == 0 && !inv->help && inv->command && inv->command->early)
		r = inv->command->early(inv, e);
	if (log_open(g->log, (enum log_format)g->log_format, (enum log_level)g->log_level,
		     r == 0 ? e : NULL) < 0 &&
	    r == 0)
		r = err_set_id(e, "log");
	return r;
}

int main(int argc, char **argv)
{
	static _Alignas(max_align_t) char block[64 << 10]; /* most commands need no more */
	struct arena a = arena_make();
	struct invocation inv = { .arena = &a };
	struct err e = { 0 };
	int r;

	arena_lend(&a, block, sizeof(block));
	r = prepare(&inv, argc, argv, &e);
	if (r == 0) {
		trace_init();
		run_read_faults();
		r = inv.command && !inv.help ? inv.command->run(&inv, &e) : print_about(&inv, &e);
	}
	if (r < 0) {
		run_explain_quota(NULL, &e);
		log_error(&e);
		return inv.command && inv.command->failure_status ? inv.command->failure_status
								  : EXIT_FAILURE;
	}
	/* the process is its own end of life: nothing needs to be freed */
	return inv.status;
}
