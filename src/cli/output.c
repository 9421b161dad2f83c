/* SPDX-License-Identifier: Apache-2.0 */
/* output - text for stdout: collected, then printed by one write */
#include <stdarg.h>
#include <stdio.h>

#include "base/file.h"
#include "base/str.h"
#include "cli/cli.h"
#include "ocispec/encode.h"

static void add(struct output *o, const char *text, size_t len)
{
	if (o->len + len + 1 > o->cap) {
		size_t cap = o->cap ? o->cap * 2 : 4096;
		char *bigger;

		while (o->len + len + 1 > cap)
			cap *= 2;
		bigger = arena_alloc(o->arena, cap);
		if (o->len)
			memcpy(bigger, o->text, o->len);
		o->text = bigger;
		o->cap = cap;
	}
	memcpy(o->text + o->len, text, len);
	o->len += len;
	o->text[o->len] = '\0';
}

void output_add(struct output *o, const char *text)
{
	add(o, text, strlen(text));
}

void output_printf(struct output *o, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	output_add(o, arena_vprintf(o->arena, fmt, ap));
	va_end(ap);
}

void output_json_string(struct output *o, const char *text)
{
	static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

	add(o, "\"", 1);
	for (const char *c = text; *c;) {
		size_t n = str_utf8_length(c);

		if (n == 0)
			output_add(o, replacement);
		else if (*c == '"' || *c == '\\')
			output_printf(o, "\\%c", *c);
		else if ((unsigned char)*c < 0x20)
			output_printf(o, "\\u%04x", *c);
		else
			add(o, c, n);
		c += n ? n : 1;
	}
	add(o, "\"", 1);
}

int output_encode(struct output *o, const struct ocispec_type *type, const void *object,
		  unsigned flags, struct err *e)
{
	const struct ocispec_allocator alloc = { arena_ocispec_alloc, o->arena };
	struct ocispec_error oe = { 0 };
	size_t len;
	char *text;
	int r = ocispec_encode(type, object, flags, &alloc, &text, &len, &oe);

	if (r < 0)
		return err_code(e, -r, oe.path, "write the answer: %s: %s", oe.path, oe.text);
	add(o, text, len);
	return 0;
}

int output_print(const char *text, size_t len, struct err *e)
{
	int r = file_write_all(STDOUT_FILENO, text, len);

	/* "cleat list | head" has seen enough. */
	return r < 0 && r != -EPIPE ? err_sys(e, -r, "stdout", "write") : 0;
}

int output_flush(const struct output *o, struct err *e)
{
	return output_print(o->text ? o->text : "", o->len, e);
}

void output_table(struct output *o, const char *const *cells, size_t rows, size_t columns)
{
	size_t *width = arena_new_n(o->arena, columns, size_t);

	for (size_t i = 0; i < rows * columns; i++) {
		size_t len = strlen(cells[i]);

		if (len > width[i % columns])
			width[i % columns] = len;
	}
	for (size_t i = 0; i < rows * columns; i++) {
		bool last = i % columns == columns - 1;

		if (last)
			output_printf(o, "%s\n", cells[i]);
		else
			output_printf(o, "%-*s   ", (int)width[i % columns], cells[i]);
	}
}
