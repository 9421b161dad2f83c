/* SPDX-License-Identifier: Apache-2.0 */
/* unit_variant - a parser for the text that g_variant_print(3) writes */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cgroup/unit.h"

#define DEPTH_MAX 8

struct token_list {
	const char **v;
	size_t n, cap;
};

struct parser {
	struct arena *arena;
	const char *at;
	struct token_list tokens;
	unsigned depth;
	struct err *err;
};

static const struct type {
	const char *word;
	char letter;
	int64_t min;
	uint64_t max;
} types[] = {
	{ "boolean", 'b', 0, 1 },
	{ "byte", 'y', 0, UINT8_MAX },
	{ "int16", 'n', INT16_MIN, INT16_MAX },
	{ "uint16", 'q', 0, UINT16_MAX },
	{ "int32", 'i', INT32_MIN, INT32_MAX },
	{ "uint32", 'u', 0, UINT32_MAX },
	{ "int64", 'x', INT64_MIN, INT64_MAX },
	{ "uint64", 't', 0, UINT64_MAX },
	{ "double", 'd', 0, 0 },
	{ "string", 's', 0, 0 },
	{ "objectpath", 'o', 0, 0 },
	{ "signature", 'g', 0, 0 },
};

static int value(struct parser *p, const char *expected, const char **ret_type);

static int wrong(struct parser *p, const char *what)
{
	return err_user(p->err, p->at, "%s at '%.40s'", what, p->at);
}

static void skip_space(struct parser *p)
{
	p->at += strspn(p->at, " \t\n");
}

static bool comma(struct parser *p)
{
	if (*p->at != ',')
		return false;
	p->at++;
	return true;
}

static void push(struct parser *p, const char *token)
{
	*vec_push(p->arena, &p->tokens) = token;
}

/* Length of the first complete type of a signature; 0: it is none that we know. */
static size_t type_length_below(const char *s, unsigned depth)
{
	size_t n = 1, part;

	if (depth > DEPTH_MAX)
		return 0;
	if (*s == 'a') {
		part = type_length_below(s + 1, depth + 1);
		return part ? part + 1 : 0;
	}
	if (*s != '(')
		return *s && strchr("bynqiuxtdsog", *s) ? 1 : 0;
	while (s[n] && s[n] != ')') {
		part = type_length_below(s + n, depth + 1);
		if (!part)
			return 0;
		n += part;
	}
	return s[n] == ')' && n > 1 ? n + 1 : 0;
}

static size_t type_length(const char *s)
{
	return type_length_below(s, 0);
}

/* --- single values ---------------------------------------------------------------------------- */

static int text_value(struct parser *p, const char *expected, const char **ret_type)
{
	char quote = *p->at++;
	char *text = arena_alloc(p->arena, strlen(p->at) + 1);
	size_t n = 0;

	if (expected && !strchr("sog", *expected))
		return wrong(p, "a string is not expected");
	while (*p->at && *p->at != quote) {
		char c = *p->at++;

		if (c == '\\') {
			c = *p->at;
			if (!c || strchr("uUabfv", c))
				return wrong(p, "this escape is not known");
			p->at++;
			c = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
		}
		text[n++] = c;
	}
	if (!*p->at)
		return wrong(p, "a string without an end");
	p->at++;
	push(p, text);
	*ret_type = expected ? expected : "s";
	return 0;
}

static const struct type *type_of(char letter)
{
	for (size_t i = 0; i < COUNT(types); i++)
		if (types[i].letter == letter)
			return &types[i];
	return NULL;
}

static bool in_range(const struct type *t, const char *word)
{
	bool negative = word[0] == '-';
	char *end;
	unsigned long long n;
	long long s;

	errno = 0;
	if (negative) {
		s = strtoll(word, &end, 0);
		return !errno && !*end && s >= t->min;
	}
	n = strtoull(word, &end, 0);
	return !errno && !*end && n <= t->max;
}

static int number_value(struct parser *p, const char *expected, const char **ret_type)
{
	size_t n = strspn(p->at, "+-.0123456789abcdefxABCDEFX");
	const char *word = arena_strndup(p->arena, p->at, n), *start = p->at;
	bool real = strchr(word, '.') || (strpbrk(word, "eE") && !strpbrk(word, "xX"));
	const char *type = expected ? expected : real ? "d" : "i";
	const struct type *t = type_of(*type);
	char *end;

	if (!n || !t || strchr("bsog", *type))
		return wrong(p, "this value is not known");
	if (*type == 'd') {
		strtod(word, &end);
		if (*end)
			return wrong(p, "no number");
	} else if (real || !in_range(t, word)) {
		return err_user(p->err, start, "'%s' is no %s", word, t->word);
	} else if (word[0] == '-') {
		word = arena_printf(p->arena, "%lld", strtoll(word, NULL, 0));
	} else {
		word = arena_printf(p->arena, "%llu", strtoull(word, NULL, 0));
	}
	p->at += n;
	push(p, word);
	*ret_type = type;
	return 0;
}

/* "true", "uint64 5": a word, alone or in front of a value. */
static int word_value(struct parser *p, const char *expected, const char **ret_type)
{
	size_t n = strspn(p->at, "abcdefghijklmnopqrstuvwxyz0123456789");

	for (int i = 0; i < 2; i++) {
		const char *word = i ? "true" : "false";

		if (n != strlen(word) || memcmp(p->at, word, n) != 0)
			continue;
		if (expected && *expected != 'b')
			return wrong(p, "a boolean is not expected");
		p->at += n;
		push(p, i ? "1" : "0");
		*ret_type = "b";
		return 0;
	}
	for (size_t i = 0; i < COUNT(types); i++) {
		const char type[2] = { types[i].letter, '\0' };

		if (n != strlen(types[i].word) || memcmp(p->at, types[i].word, n) != 0)
			continue;
		if (expected && *expected != types[i].letter)
			return wrong(p, "another type is expected");
		p->at += n;
		return value(p, arena_strdup(p->arena, type), ret_type);
	}
	return wrong(p, "this value is not known");
}

/* --- lists, tuples ---------------------------------------------------------------------------- */

static int list_value(struct parser *p, const char *expected, const char **ret_type)
{
	size_t length_at = p->tokens.n, count = 0;
	const char *item = NULL;

	if (expected) {
		if (*expected != 'a')
			return wrong(p, "a list is not expected");
		item = arena_strndup(p->arena, expected + 1, type_length(expected + 1));
	}
	push(p, "");
	p->at++;
	for (skip_space(p); *p->at != ']'; skip_space(p)) {
		if (count && !comma(p))
			return wrong(p, "a comma is missing");
		if (value(p, item, &item) < 0)
			return -p->err->code;
		count++;
	}
	p->at++;
	if (!item)
		return wrong(p, "an empty list needs its type in front, '@as []',");
	p->tokens.v[length_at] = arena_printf(p->arena, "%zu", count);
	*ret_type = expected ? expected : arena_printf(p->arena, "a%s", item);
	return 0;
}

static int tuple_value(struct parser *p, const char *expected, const char **ret_type)
{
	const char *rest = expected ? expected + 1 : NULL, *all = "(", *item = "";
	size_t count = 0;

	if (expected && *expected != '(')
		return wrong(p, "a tuple is not expected");
	p->at++;
	for (skip_space(p); *p->at != ')'; skip_space(p)) {
		size_t n = rest ? type_length(rest) : 0;

		if (count++ && !comma(p))
			return wrong(p, "a comma is missing");
		if (rest && !n)
			return wrong(p, "too many values");
		if (value(p, rest ? arena_strndup(p->arena, rest, n) : NULL, &item) < 0)
			return -p->err->code;
		rest = rest ? rest + n : NULL;
		all = arena_printf(p->arena, "%s%s", all, item);
	}
	p->at++;
	if (!count || (rest && *rest != ')'))
		return wrong(p, "too few values");
	*ret_type = arena_printf(p->arena, "%s)", all);
	return 0;
}

static int typed_value(struct parser *p, const char *expected, const char **ret_type)
{
	const char *type = ++p->at;
	size_t n = type_length(type);

	if (!n)
		return wrong(p, "a type that is not known");
	p->at += n;
	type = arena_strndup(p->arena, type, n);
	if (expected && !str_eq(type, expected))
		return wrong(p, "another type is expected");
	return value(p, type, ret_type);
}

static int value(struct parser *p, const char *expected, const char **ret_type)
{
	int r;

	if (++p->depth > DEPTH_MAX)
		return wrong(p, "nested too deep");
	skip_space(p);
	if (*p->at == '\'' || *p->at == '"')
		r = text_value(p, expected, ret_type);
	else if (*p->at == '[')
		r = list_value(p, expected, ret_type);
	else if (*p->at == '(')
		r = tuple_value(p, expected, ret_type);
	else if (*p->at == '@')
		r = typed_value(p, expected, ret_type);
	else if (*p->at >= 'a' && *p->at <= 'z')
		r = word_value(p, expected, ret_type);
	else
		r = number_value(p, expected, ret_type);
	p->depth--;
	return r;
}

int unit_variant(struct arena *a, const char *text, struct unit_property *ret, struct err *e)
{
	struct parser p = { .arena = a, .at = text, .err = e };

	if (value(&p, NULL, &ret->signature) < 0)
		return -e->code;
	skip_space(&p);
	if (*p.at)
		return wrong(&p, "more than one value");
	ret->tokens = p.tokens.v;
	ret->n = p.tokens.n;
	return 0;
}
