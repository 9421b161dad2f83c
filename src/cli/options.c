/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options - one parser over rows
 *
 * The syntax is what callers of this kind of program rely on (docs/contract.md, row 1): one
 * dash or two for any name, the value behind '=' or as the next word whatever it looks
 * like. Options may follow operands ("update ID --memory 1g"), but where the operands end
 * in another program's words: the dashes of "exec ID sh -c x" reach the container. Beyond
 * that, letters may be joined, and the last one's value to it, as getopt(3) has them: "-aq",
 * "-u0"; but what is nearly a name is a mistake: "-bundel".
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "cli/cli.h"

static const struct name_row bool_words[] = {
	{ "true", 1 },	{ "True", 1 }, { "TRUE", 1 }, { "t", 1 },     { "T", 1 },
	{ "1", 1 },	{ "yes", 1 },  { "no", 0 },   { "false", 0 }, { "False", 0 },
	{ "FALSE", 0 }, { "f", 0 },    { "F", 0 },    { "0", 0 },
};

static const struct option_row *find_name(const struct option_table *t, const char *name,
					  size_t len)
{
	for (size_t i = 0; i < t->n; i++)
		if (strlen(t->rows[i].name) == len && !strncmp(t->rows[i].name, name, len))
			return &t->rows[i];
	return NULL;
}

static const struct option_row *find_letter(const struct option_table *t, char letter)
{
	for (size_t i = 0; letter && i < t->n; i++)
		if (t->rows[i].letter == letter)
			return &t->rows[i];
	return NULL;
}

static const struct option_row *find(const struct option_table *t, const char *name, size_t len)
{
	const struct option_row *row = find_name(t, name, len);

	return row || len != 1 ? row : find_letter(t, name[0]);
}

static int unknown_value(const struct option_row *row, const char *word, const char *value,
			 struct err *e)
{
	char known[256] = "";
	size_t used = 0;

	for (size_t i = 0; i < row->n_names && used < sizeof(known); i++)
		used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s", i ? ", " : "",
					 row->names[i].name);
	return err_user(e, word, "option '--%s': unknown value '%s' (known: %s)", row->name, value,
			known);
}

static int store(const struct option_row *row, void *args, const char *word, const char *value,
		 struct err *e)
{
	void *field = (char *)args + row->offset;
	struct string_list *list;
	int64_t number;
	uint32_t u;

	switch (row->kind) {
	case OPTION_BOOL:
		if (name_lookup(bool_words, COUNT(bool_words), value ? value : "true", &number) < 0)
			return err_user(e, word, "option '--%s' is true or false, not '%s'",
					row->name, value);
		*(bool *)field = number;
		return 0;
	case OPTION_STRING:
		*(const char **)field = *value ? value : NULL;
		return 0;
	case OPTION_WORD:
		*(const char **)field = value;
		return 0;
	case OPTION_UINT:
		if (str_to_u32(value, &u) < 0)
			return err_user(e, word, "option '--%s' needs a number, not '%s'",
					row->name, value);
		*(unsigned *)field = u;
		return 0;
	case OPTION_NAME:
		if (name_lookup(row->names, row->n_names, value, &number) < 0)
			return unknown_value(row, word, value, e);
		*(int *)field = (int)number;
		return 0;
	case OPTION_LIST:
		list = (struct string_list *)field;
		list->v[list->n++] = value;
		return 0;
	}
	abort();
}

static const char *nearest(const struct option_table *t, const char *name, size_t len)
{
	struct name_row rows[64];
	char given[64];
	size_t n = 0;

	snprintf(given, sizeof(given), "%.*s", (int)len, name);
	for (; n < t->n && n < COUNT(rows); n++)
		rows[n] = (struct name_row){ t->rows[n].name, 0 };
	return name_nearest(rows, n, given);
}

static int unknown(const struct option_table *t, const char *word, const char *name, size_t len,
		   struct err *e)
{
	const char *near = nearest(t, name, len);

	if (near)
		return err_user(e, word, "unknown option '%s'; did you mean '--%s'?", word, near);
	return err_user(e, word, "unknown option '%s' (see --help)", word);
}

/* A value has digits or other signs as a rule. */
static bool is_mistake(const struct option_table *t, const char *letters)
{
	size_t len = strlen(letters);

	return strspn(letters, "abcdefghijklmnopqrstuvwxyz-") == len && nearest(t, letters, len);
}

/*
 * Letters without a value, and perhaps one with a value at the end: "-aq", "-u0", "-qf json".
 * Returns how many words that took, 0 when it is something else, or -EINVAL.
 */
static int parse_letters(const struct option_table *t, void *args, char *const *argv, struct err *e)
{
	const char *letters = argv[0] + 1, *last = letters, *value;
	const struct option_row *row;
	int words = 1;
	int r = 0;

	while ((row = find_letter(t, *last)) && row->kind == OPTION_BOOL)
		last++;
	if (*last && (!row || (last[1] && is_mistake(t, letters))))
		return 0;
	for (const char *c = letters; c < last; c++)
		*(bool *)((char *)args + find_letter(t, *c)->offset) = true;
	if (!row)
		return words;
	value = last + 1 + (last[1] == '=');
	if (!last[1]) {
		value = argv[1];
		words = 2;
	}
	r = value ? store(row, args, argv[0], value, e)
		  : err_user(e, argv[0], "option '--%s' requires an argument", row->name);
	return r < 0 ? r : words;
}

static bool is_help(const char *name, size_t len)
{
	return (len == 4 && !strncmp(name, "help", 4)) ||
	       (len == 5 && !strncmp(name, "usage", 5)) ||
	       (len == 1 && (name[0] == 'h' || name[0] == '?'));
}

/* One option at argv[0]. Returns how many words it took, or -EINVAL. */
static int parse_one(const struct option_table *t, void *args, char *const *argv, bool *ret_help,
		     struct err *e)
{
	const char *word = argv[0];
	const char *name = word + (word[1] == '-' ? 2 : 1);
	const char *equals = strchr(name, '=');
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	const struct option_row *row = find(t, name, len);
	const char *value = equals ? equals + 1 : NULL;
	int words = 1;
	int r;

	if (!row && !equals && is_help(name, len)) {
		*ret_help = true;
		return words;
	}
	if (!row && word[1] != '-') {
		r = parse_letters(t, args, argv, e);
		if (r)
			return r;
	}
	if (!row)
		return unknown(t, word, name, len, e);
	if (row->kind != OPTION_BOOL && !value) {
		value = argv[1];
		words = 2;
		if (!value)
			return err_user(e, word, "option '--%s' requires an argument", row->name);
	}
	r = store(row, args, word, value, e);
	return r < 0 ? r : words;
}

void options_prepare(struct arena *a, const struct option_table *t, void *args, size_t n)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->rows[i].kind == OPTION_LIST)
			((struct string_list *)((char *)args + t->rows[i].offset))->v =
				arena_new_n(a, n, const char *);
}

static bool is_option(const char *word)
{
	return word[0] == '-' && word[1];
}

int options_parse(const struct option_table *t, void *args, char *const *argv, int *ret_used,
		  bool *ret_help, struct err *e)
{
	int used = 0;
	int r = 0;

	while (argv[used] && is_option(argv[used])) {
		if (str_eq(argv[used], "--")) {
			used++;
			break;
		}
		r = parse_one(t, args, argv + used, ret_help, e);
		if (r < 0)
			break;
		used += r;
	}
	*ret_used = used;
	return r < 0 ? r : 0;
}

int options_parse_mixed(const struct option_table *t, void *args, char *const *argv,
			char **ret_operands, bool *ret_help, struct err *e)
{
	bool ended = false;
	size_t n = 0;

	while (*argv) {
		int r;

		if (ended || !is_option(*argv)) {
			ret_operands[n++] = *argv++;
		} else if (str_eq(*argv, "--")) {
			ended = true;
			argv++;
		} else {
			r = parse_one(t, args, argv, ret_help, e);
			if (r < 0)
				return r;
			argv += r;
		}
	}
	ret_operands[n] = NULL;
	return 0;
}
