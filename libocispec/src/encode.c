/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode - the way back
 *
 * Everything is written twice: first only counted, then into memory of that size. So
 * there is one allocation, and no error can come in the second round.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "ocispec/encode.h"
#include "scalar.h"
#include "type_desc.h"

#define INDENT 4

/* The way to what is being written, for errors; on the stack of the functions below. */
struct step {
	const struct step *up;
	const char *name; /* NULL: an item of an array */
	size_t index;
};

struct writer {
	const struct ocispec_schema *schema;
	bool pretty;
	unsigned depth;
	char *out; /* NULL: count only */
	size_t length;
	struct ocispec_error *err;
};

static int write_value(struct writer *w, const struct step *up, const struct ocispec_value *v,
		       const void *member, size_t count);

/* --- errors ----------------------------------------------------------------------------------- */

static void write_path(char *buf, size_t size, const struct step *s)
{
	size_t n;

	if (!s)
		return;
	write_path(buf, size, s->up);
	n = strlen(buf);
	if (s->name)
		snprintf(buf + n, size - n, "%s%s", n && *s->name ? "." : "", s->name);
	else
		snprintf(buf + n, size - n, "[%zu]", s->index);
}

static int refuse(struct writer *w, const struct step *s, int code, const char *why)
{
	if (w->err) {
		*w->err = (struct ocispec_error){ .code = code };
		write_path(w->err->path, sizeof(w->err->path), s);
		snprintf(w->err->text, sizeof(w->err->text), "%s", why);
	}
	return -code;
}

/* --- pieces ----------------------------------------------------------------------------------- */

static void put(struct writer *w, const char *text, size_t length)
{
	if (w->out)
		memcpy(w->out + w->length, text, length);
	w->length += length;
}

static void put_text(struct writer *w, const char *text)
{
	put(w, text, strlen(text));
}

static void put_line(struct writer *w)
{
	if (!w->pretty)
		return;
	put(w, "\n", 1);
	for (unsigned i = 0; i < w->depth * INDENT; i++)
		put(w, " ", 1);
}

/* After '{' or '[', and between what is inside. */
static void put_next(struct writer *w, bool *first)
{
	if (!*first)
		put(w, ",", 1);
	*first = false;
	put_line(w);
}

static void put_open(struct writer *w, const char *bracket)
{
	put_text(w, bracket);
	w->depth++;
}

static void put_close(struct writer *w, const char *bracket, bool empty)
{
	w->depth--;
	if (!empty)
		put_line(w);
	put_text(w, bracket);
}

static void put_escaped(struct writer *w, unsigned char c)
{
	static const char letters[] = { ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
					['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\' };
	char text[8];

	if (c < sizeof(letters) && letters[c])
		snprintf(text, sizeof(text), "\\%c", letters[c]);
	else
		snprintf(text, sizeof(text), "\\u%04x", c);
	put_text(w, text);
}

static int put_string(struct writer *w, const struct step *s, const char *text)
{
	const char *plain = text;

	if (!utf8_is_valid(text, strlen(text)))
		return refuse(w, s, EILSEQ, "not UTF-8");
	put(w, "\"", 1);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
			continue;
		put(w, plain, (size_t)(text - plain));
		put_escaped(w, c);
		plain = text + 1;
	}
	put(w, plain, (size_t)(text - plain));
	put(w, "\"", 1);
	return 0;
}

static int put_name(struct writer *w, const struct step *s, const char *name)
{
	int r = put_string(w, s, name);

	put_text(w, w->pretty ? ": " : ":");
	return r;
}

static void put_number(struct writer *w, struct scalar_number n)
{
	char text[24], *s = text + sizeof(text);

	do {
		*--s = (char)('0' + n.magnitude % 10);
		n.magnitude /= 10;
	} while (n.magnitude > 0);
	if (n.negative)
		*--s = '-';
	put(w, s, (size_t)(text + sizeof(text) - s));
}

/* --- objects, arrays, maps ------------------------------------------------------------------ */

static bool is_present(const struct ocispec_value *v, const struct ocispec_field *f,
		       const char *object)
{
	if (v->kind == KIND_SKIP)
		return false;
	if (v->kind == KIND_BOOL || v->kind == KIND_NUMBER)
		return *(const bool *)(object + f->beside);
	return *(const void *const *)(object + f->offset);
}

static size_t count_of(const struct ocispec_value *v, const struct ocispec_field *f,
		       const char *object)
{
	return v->kind == KIND_ARRAY ? *(const size_t *)(object + f->beside) : 0;
}

static int write_object(struct writer *w, const struct step *up, const struct ocispec_struct *type,
			const char *object)
{
	bool first = true;
	int r = 0;

	put_open(w, "{");
	for (unsigned i = 0; r == 0 && i < type->count; i++) {
		const struct ocispec_field *f = &w->schema->fields[type->first + i];
		const struct ocispec_value *v = &w->schema->values[f->value];
		const struct step here = { up, w->schema->strings + f->name, 0 };

		if (is_present(v, f, object)) {
			put_next(w, &first);
			r = put_name(w, &here, here.name);
			if (r == 0)
				r = write_value(w, &here, v, object + f->offset,
						count_of(v, f, object));
		} else if (count_of(v, f, object) > 0) {
			r = refuse(w, &here, EINVAL, "has a length but no items");
		} else if (type->required & ~type->soft_required & (uint64_t)1 << i) {
			r = refuse(w, &here, EINVAL, "required but missing");
		}
	}
	put_close(w, "}", first);
	return r;
}

static int write_array(struct writer *w, const struct step *up, const struct ocispec_value *item,
		       const char *items, size_t n)
{
	size_t width = item->kind == KIND_NUMBER ? item->width : sizeof(void *);
	bool first = true;
	int r = 0;

	put_open(w, "[");
	for (size_t i = 0; r == 0 && i < n; i++) {
		const struct step here = { up, NULL, i };

		put_next(w, &first);
		r = write_value(w, &here, item, items + i * width, 0);
	}
	put_close(w, "]", first);
	return r;
}

static int write_map(struct writer *w, const struct step *up, const struct ocispec_value *item,
		     const struct ocispec_map *map)
{
	bool first = true;
	int r = 0;

	put_open(w, "{");
	for (size_t i = 0; r == 0 && i < map->n; i++) {
		const struct ocispec_entry *e = &map->entries[i];
		const struct step here = { up, e->key ? e->key : "", 0 };

		put_next(w, &first);
		r = e->key ? put_name(w, &here, e->key) : refuse(w, &here, EINVAL, "no name");
		if (r == 0)
			r = write_value(w, &here, item, &e->value, 0);
	}
	put_close(w, "}", first);
	return r;
}

/* @member: the member of a struct, or the item of an array or map. */
static int write_value(struct writer *w, const struct step *up, const struct ocispec_value *v,
		       const void *member, size_t count)
{
	const void *pointer = NULL;

	if (v->kind == KIND_BOOL) {
		put_text(w, *(const bool *)member ? "true" : "false");
		return 0;
	}
	if (v->kind == KIND_NUMBER) {
		put_number(w, scalar_load(member, v->width, v->is_signed));
		return 0;
	}
	pointer = *(const void *const *)member;
	if (!pointer)
		return refuse(w, up, EINVAL, "NULL in a list");
	switch ((enum ocispec_kind)v->kind) {
	case KIND_TEXT:
		return put_string(w, up, pointer);
	case KIND_OBJECT:
		return write_object(w, up, &w->schema->structs[v->index], pointer);
	case KIND_ARRAY:
		return write_array(w, up, &w->schema->values[v->index], pointer, count);
	case KIND_MAP:
		return write_map(w, up, &w->schema->values[v->index], pointer);
	case KIND_BOOL:
	case KIND_NUMBER:
	case KIND_SKIP:
		break;
	}
	return 0;
}

/* --- the whole -------------------------------------------------------------------------------- */

static int write_whole(struct writer *w, const struct ocispec_type *type, const void *object)
{
	const struct ocispec_struct *s = &w->schema->structs[type->index];
	const struct ocispec_field *f = &w->schema->fields[s->first];
	const struct ocispec_value *v = &w->schema->values[f->value];
	int r;

	if (!s->is_list)
		r = write_object(w, NULL, s, object);
	else /* a list of nothing is as good without items */
		r = write_array(w, NULL, &w->schema->values[v->index],
				*(const char *const *)((const char *)object + f->offset),
				count_of(v, f, object));
	if (w->pretty)
		put(w, "\n", 1);
	return r;
}

int ocispec_encode(const struct ocispec_type *type, const void *object, unsigned flags,
		   const struct ocispec_allocator *alloc, char **ret_text, size_t *ret_length,
		   struct ocispec_error *err)
{
	struct writer w = { .schema = type->schema, .pretty = flags & OCISPEC_PRETTY, .err = err };
	char *text;
	int r = write_whole(&w, type, object);

	if (r < 0)
		return r;
	text = alloc->alloc(alloc->user, w.length + 1);
	if (!text)
		return refuse(&w, NULL, ENOMEM, "out of memory");
	w.out = text;
	w.length = 0;
	write_whole(&w, type, object);
	text[w.length] = '\0';
	*ret_text = text;
	if (ret_length)
		*ret_length = w.length;
	return 0;
}
