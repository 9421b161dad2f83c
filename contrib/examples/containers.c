/* SPDX-License-Identifier: Apache-2.0 */
/*
 * containers - a very small container manager, to show libcleat(3)
 *
 *	cc -o containers containers.c $(pkg-config --cflags --libs libcleat)
 *
 *	containers [-r ROOT] [-p PROGRAM] check BUNDLE     what is wrong with it
 *	                                  plan BUNDLE      what would be done with it
 *	                                  list             all states, as JSON
 *	                                  state ID         one
 *	                                  pids ID          its processes
 *	                                  run BUNDLE ID    create, start; its streams are ours
 *	                                  stop ID          kill, delete
 *	                                  call WORD...     anything that cleat(1) does
 */
#include <cleat.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Streams for what is started: those of this program. */
static const struct cleat_streams ours = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO };

static void print_finding(void *arg, const struct cleat_finding *f)
{
	static const char *const words[] = { "error", "warning", "remark" };

	(void)arg;
	printf("%u:%u: %s: %s\n", f->line, f->column, words[f->severity], f->text);
}

static int check(struct cleat *c, char **args)
{
	int n = cleat_check(c, args[0], print_finding, NULL);

	if (n > 0)
		printf("%d error%s\n", n, n == 1 ? "" : "s");
	return n < 0 ? n : 0;
}

static int print(int r, char *text)
{
	if (r == 0) {
		puts(text);
		free(text);
	}
	return r;
}

static int plan(struct cleat *c, char **args)
{
	char *text = NULL;
	int r = cleat_plan(c, args[0], "CONTAINER", &text);

	return print(r, text);
}

static int list(struct cleat *c, char **args)
{
	char *json = NULL;
	int r = cleat_list(c, &json);

	(void)args;
	return print(r, json);
}

static int state(struct cleat *c, char **args)
{
	char *json = NULL;
	int r = cleat_state(c, args[0], &json);

	return print(r, json);
}

static int pids(struct cleat *c, char **args)
{
	pid_t *found = NULL;
	size_t n = 0;
	int r = cleat_pids(c, args[0], &found, &n);

	for (size_t i = 0; i < n; i++)
		printf("%d\n", (int)found[i]);
	free(found);
	return r;
}

static int run(struct cleat *c, char **args)
{
	int r = cleat_create(c, args[1], args[0], &ours);

	if (r < 0)
		return r;
	r = cleat_start(c, args[1]);
	if (r < 0) {
		/* what failed is to be told, not how the cleaning up went */
		fprintf(stderr, "start: %s\n", cleat_error(c, CLEAT_ERROR_TEXT));
		cleat_delete(c, args[1], 1);
	}
	return r;
}

static int stop(struct cleat *c, char **args)
{
	int r = cleat_kill(c, args[0], SIGKILL);

	return r < 0 ? r : cleat_delete(c, args[0], 1);
}

static int call(struct cleat *c, char **args)
{
	int status = 0;
	int r = cleat_call(c, (const char *const *)args, &ours, &status);

	if (r == 0)
		printf("status %d\n", status);
	return r;
}

static const struct {
	const char *name;
	int n_args;
	int (*run)(struct cleat *c, char **args);
} commands[] = {
	{ "check", 1, check }, { "plan", 1, plan }, { "list", 0, list }, { "state", 1, state },
	{ "pids", 1, pids },   { "run", 2, run },   { "stop", 1, stop }, { "call", 1, call },
};

static int fail(struct cleat *c)
{
	fprintf(stderr, "containers: %s [%s]\n", cleat_error(c, CLEAT_ERROR_TEXT),
		cleat_error(c, CLEAT_ERROR_CODE));
	cleat_free(c);
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct cleat *c = cleat_new();
	int option, r = -1;

	if (!c)
		return EXIT_FAILURE;
	while ((option = getopt(argc, argv, "+r:p:")) != -1)
		if (option == '?' ||
		    cleat_set(c, option == 'r' ? CLEAT_ROOT : CLEAT_PROGRAM, optarg) < 0)
			return fail(c);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]) && optind < argc; i++) {
		if (strcmp(commands[i].name, argv[optind]) != 0)
			continue;
		if (argc - optind - 1 < commands[i].n_args)
			break;
		r = commands[i].run(c, argv + optind + 1);
		if (r < 0)
			return fail(c);
		cleat_free(c);
		return EXIT_SUCCESS;
	}
	fprintf(stderr, "usage: containers [-r ROOT] [-p PROGRAM] COMMAND [ARG...]\n");
	cleat_free(c);
	return 2;
}
