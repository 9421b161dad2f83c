/* SPDX-License-Identifier: Apache-2.0 */
/* The syntax of options as callers write them, and the tables of all commands. */
#include "base/str.h"
#include "cli/cli.h"
#include "unit/unit.h"

struct args {
	const char *bundle, *log, *root;
	bool all, quiet, no_subreaper;
	unsigned fds;
	int level;
};

#define AT(field) offsetof(struct args, field)

static const struct name_row levels[] = { { "error", 0 }, { "debug", 3 } };

static const struct option_row rows[] = {
	{ "bundle", 'b', OPTION_STRING, AT(bundle), "DIR", "" },
	{ "log", 0, OPTION_STRING, AT(log), "FILE", "" },
	{ "root", 0, OPTION_WORD, AT(root), "DIR", "" },
	{ "all", 'a', OPTION_BOOL, AT(all), NULL, "" },
	{ "quiet", 'q', OPTION_BOOL, AT(quiet), NULL, "" },
	{ "no-subreaper", 0, OPTION_BOOL, AT(no_subreaper), NULL, "" },
	{ "preserve-fds", 0, OPTION_UINT, AT(fds), "N", "" },
	{ "log-level", 0, OPTION_NAME, AT(level), "LEVEL", "", levels, COUNT(levels) },
};
static const struct option_table table = { rows, COUNT(rows) };

#define WORDS 8

static const struct {
	const char *argv[WORDS];
	int used;
	struct args want;
	bool help;
} good[] = {
	{ { NULL }, 0, { 0 } },
	{ { "id" }, 0, { 0 } },
	{ { "--bundle", "/b", "id" }, 2, { .bundle = "/b" } },
	{ { "--bundle=/b", "id" }, 1, { .bundle = "/b" } },
	{ { "-bundle", "/b" }, 2, { .bundle = "/b" } },
	{ { "-bundle=/b" }, 1, { .bundle = "/b" } },
	{ { "-b", "/b", "id" }, 2, { .bundle = "/b" } },
	{ { "-b=/b", "id" }, 1, { .bundle = "/b" } },
	{ { "--b", "/b" }, 2, { .bundle = "/b" } },
	{ { "--bundle=" }, 1, { 0 } },
	{ { "--bundle", "", "--log=" }, 3, { 0 } },
	{ { "--bundle", "/b", "--bundle=" }, 3, { 0 } },
	{ { "--root", "" }, 2, { .root = "" } },
	{ { "--bundle=a=b" }, 1, { .bundle = "a=b" } },
	{ { "--bundle", "--all" }, 2, { .bundle = "--all" } },
	{ { "--log", "-", "--all" }, 3, { .log = "-", .all = true } },
	{ { "--bundle", "1", "--bundle=2" }, 3, { .bundle = "2" } },
	{ { "--all" }, 1, { .all = true } },
	{ { "-a" }, 1, { .all = true } },
	{ { "--all=true" }, 1, { .all = true } },
	{ { "--all=1" }, 1, { .all = true } },
	{ { "--all", "--all=false" }, 2, { 0 } },
	{ { "-no-subreaper", "-aq" }, 2, { .no_subreaper = true, .all = true, .quiet = true } },
	{ { "-b/b", "id" }, 1, { .bundle = "/b" } },
	{ { "-b/bundle", "id" }, 1, { .bundle = "/bundle" } },
	{ { "-b1=2" }, 1, { .bundle = "1=2" } },
	{ { "-aqb/b" }, 1, { .bundle = "/b", .all = true, .quiet = true } },
	{ { "-aqb=/b" }, 1, { .bundle = "/b", .all = true, .quiet = true } },
	{ { "-qb", "/b", "id" }, 2, { .bundle = "/b", .quiet = true } },
	{ { "--all", "false" }, 1, { .all = true } },
	{ { "id", "--all" }, 0, { 0 } },
	{ { "-" }, 0, { 0 } },
	{ { "-a", "--", "--quiet" }, 2, { .all = true } },
	{ { "--preserve-fds", "3" }, 2, { .fds = 3 } },
	{ { "--log-level=debug" }, 1, { .level = 3 } },
	{ { "--log-level", "debug", "--log-level", "error" }, 4, { 0 } },
	{ { "--help" }, 1, { 0 }, true },
	{ { "-h", "--all" }, 2, { .all = true }, true },
};

static const struct {
	const char *argv[WORDS];
	const char *words;
} bad[] = {
	{ { "--bundel", "x" }, "unknown option '--bundel'; did you mean '--bundle'?" },
	{ { "--zzzzzzzz" }, "unknown option '--zzzzzzzz' (see --help)" },
	{ { "-ax" }, "unknown option '-ax'" },
	{ { "-ab" }, "option '--bundle' requires an argument" },
	{ { "-bundel", "x" }, "unknown option '-bundel'; did you mean '--bundle'?" },
	{ { "-aq=true" }, "unknown option '-aq=true'" },
	{ { "--b/b" }, "unknown option '--b/b'" },
	{ { "--=x" }, "unknown option '--=x'" },
	{ { "--all", "--bundle" }, "option '--bundle' requires an argument" },
	{ { "-b" }, "option '--bundle' requires an argument" },
	{ { "--all=maybe" }, "option '--all' is true or false, not 'maybe'" },
	{ { "--all=" }, "option '--all' is true or false, not ''" },
	{ { "--preserve-fds", "-1" }, "option '--preserve-fds' needs a number, not '-1'" },
	{ { "--preserve-fds=4294967296" }, "needs a number" },
	{ { "--preserve-fds=" }, "needs a number" },
	{ { "--log-level=loud" },
	  "option '--log-level': unknown value 'loud' (known: error, debug)" },
};

static bool same(const char *a, const char *b)
{
	return a && b ? str_eq(a, b) : a == b;
}

TEST(good_options)
{
	for (size_t i = 0; i < COUNT(good); i++) {
		const struct args *want = &good[i].want;
		struct args got = { 0 };
		struct err e = { 0 };
		bool help = false;
		int used = -1;

		unit_row("%zu", i);
		CHECK_OK(options_parse(&table, &got, (char *const *)good[i].argv, &used, &help, &e),
			 &e);
		CHECK_INT(used, good[i].used);
		CHECK_INT(help, good[i].help);
		CHECK(same(got.bundle, want->bundle));
		CHECK(same(got.log, want->log));
		CHECK(same(got.root, want->root));
		CHECK_INT(got.all, want->all);
		CHECK_INT(got.quiet, want->quiet);
		CHECK_INT(got.no_subreaper, want->no_subreaper);
		CHECK_INT(got.fds, want->fds);
		CHECK_INT(got.level, want->level);
	}
}

TEST(bad_options)
{
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct args got = { 0 };
		struct err e = { 0 };
		bool help = false;
		int used;

		unit_row("%zu", i);
		CHECK_INT(options_parse(&table, &got, (char *const *)bad[i].argv, &used, &help, &e),
			  -EINVAL);
		CHECK_HAS(e.text, bad[i].words);
	}
}

/* What is true of every table: names and letters are unique, values have names. */
static void check_table(const char *what, const struct option_table *t)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct option_row *row = &t->rows[i];

		unit_row("%s --%s", what, row->name);
		CHECK((row->kind == OPTION_BOOL) == !row->value);
		CHECK((row->kind == OPTION_NAME) == (row->n_names > 0));
		CHECK(row->letter != 'h' && !str_eq(row->name, "help"));
		for (size_t j = 0; j < i; j++) {
			CHECK(!str_eq(row->name, t->rows[j].name));
			CHECK(!row->letter || row->letter != t->rows[j].letter);
		}
	}
}

TEST(command_tables)
{
	check_table("cleat", &cli_global_options);
	for (size_t i = 0; i < cli_n_commands; i++) {
		const struct command *c = cli_commands[i];

		unit_row("%s", c->name);
		CHECK(i == 0 || strcmp(cli_commands[i - 1]->name, c->name) < 0);
		CHECK(cli_find_command(c->name) == c);
		CHECK(c->run && c->summary && c->operands);
		CHECK(c->min_operands <= c->max_operands);
		check_table(c->name, &c->options);
	}
}
