/* SPDX-License-Identifier: Apache-2.0 */
/*
 * locate - where in a text the value of a path is, and what a path is part of
 *
 * The text has been decoded before: this only walks to a place in it. Whatever it is
 * given, it stays inside.
 */
#include <stdlib.h>
#include <string.h>

#include "spec/check.h"

struct cursor {
	const char *at, *end;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static void skip_space(struct cursor *c)
{
	while (c->at < c->end && is_space(*c->at))
		c->at++;
}

static bool take(struct cursor *c, char what)
{
	skip_space(c);
	if (c->at == c->end || *c->at != what)
		return false;
	c->at++;
	return true;
}

static void skip_string(struct cursor *c)
{
	for (c->at++; c->at < c->end && *c->at != '"'; c->at++)
		if (*c->at == '\\' && c->at + 1 < c->end)
			c->at++;
	if (c->at < c->end)
		c->at++;
}

static void skip_value(struct cursor *c)
{
	unsigned depth = 0;

	do {
		skip_space(c);
		if (c->at == c->end)
			return;
		if (*c->at == '"') {
			skip_string(c);
			continue;
		}
		if (*c->at == '{' || *c->at == '[')
			depth++;
		else if (*c->at == '}' || *c->at == ']')
			depth--;
		else if (!depth)
			while (c->at + 1 < c->end && !strchr(",]} \n\t\r", c->at[1]))
				c->at++;
		c->at++;
	} while (depth);
}

/* At the member @name of the object that begins at the cursor. Keys are compared as written. */
static bool enter_member(struct cursor *c, const char *name, size_t len)
{
	if (!take(c, '{'))
		return false;
	for (;;) {
		const char *key;
		bool same;

		skip_space(c);
		if (c->at == c->end || *c->at != '"')
			return false;
		key = c->at + 1;
		skip_string(c);
		same = (size_t)(c->at - 1 - key) == len && !memcmp(key, name, len);
		if (!take(c, ':'))
			return false;
		skip_space(c);
		if (same)
			return c->at < c->end;
		skip_value(c);
		if (!take(c, ','))
			return false;
	}
}

static bool enter_item(struct cursor *c, unsigned long index)
{
	if (!take(c, '['))
		return false;
	for (; index; index--) {
		skip_value(c);
		if (!take(c, ','))
			return false;
	}
	skip_space(c);
	return c->at < c->end && *c->at != ']';
}

/* One part of "a.b[3][\"x.y\"]"; *path moves behind it. */
static bool enter(struct cursor *c, const char **path)
{
	const char *p = *path, *close;
	size_t len;

	if (*p == '[' && p[1] == '"') {
		close = strstr(p, "\"]");
		if (!close || close < p + 2)
			return false;
		*path = close + 2;
		return enter_member(c, p + 2, (size_t)(close - p - 2));
	}
	if (*p == '[') {
		char *end;
		unsigned long index = strtoul(p + 1, &end, 10);

		*path = *end == ']' ? end + 1 : end;
		return *end == ']' && enter_item(c, index);
	}
	p += *p == '.';
	len = strcspn(p, ".[");
	*path = p + len;
	return enter_member(c, p, len);
}

bool spec_locate(const char *text, size_t length, const char *path, struct ocispec_place *ret)
{
	struct cursor c = { text, text + length };
	struct ocispec_place place = { 1, 1 };
	const char *found;
	bool all = true;

	skip_space(&c);
	found = c.at;
	while (*path && all) {
		struct cursor deeper = c;

		all = enter(&deeper, &path);
		if (all) {
			c = deeper;
			found = c.at;
		}
	}
	for (const char *s = text; s < found; s++) {
		place.line += *s == '\n';
		place.column = *s == '\n' ? 1 : place.column + 1;
	}
	*ret = place;
	return all;
}

bool spec_path_is_below(const char *path, const char *above)
{
	size_t n = strlen(above);

	return strncmp(path, above, n) == 0 && (!path[n] || path[n] == '.' || path[n] == '[');
}
