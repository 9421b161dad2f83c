/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report - errors and findings in words
 *
 * Whatever comes from the text is shown with its control characters replaced, for it may
 * end up on a terminal.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "decoder.h"
#include "scalar.h"

#define SHOWN_MAX 48 /* bytes of a value */

/* --- text of bounded size ------------------------------------------------------------------- */

struct words {
	char *text;
	size_t size, length;
};

__attribute__((format(printf, 2, 3))) static void add(struct words *w, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(w->text + w->length, w->size - w->length, fmt, ap);
	va_end(ap);
	if (n > 0)
		w->length += (size_t)n;
	if (w->length >= w->size)
		w->length = w->size - 1;
}

/* At most @max bytes of something foreign; no sequence of bytes is cut in the middle. */
static void add_foreign(struct words *w, const char *s, size_t length, size_t max)
{
	size_t n = length < max ? length : max;

	while (n < length && n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80)
		n--;
	for (size_t i = 0; i < n; i++)
		add(w, "%c", (unsigned char)s[i] < 0x20 || s[i] == 0x7f ? '?' : s[i]);
	if (n < length)
		add(w, "...");
}

/* --- places and paths ------------------------------------------------------------------------- */

struct ocispec_place decoder_place(struct decoder *d, size_t offset)
{
	const char *newline;

	if (offset < d->line_start) {
		d->line = 0;
		d->line_start = 0;
	}
	while ((newline = memchr(d->text + d->line_start, '\n', offset - d->line_start))) {
		d->line++;
		d->line_start = (size_t)(newline + 1 - d->text);
	}
	return (struct ocispec_place){ d->line + 1, (unsigned)(offset - d->line_start) + 1 };
}

static void add_name(struct words *w, const char *name, size_t length)
{
	size_t plain = 0;

	while (plain < length && (name[plain] == '_' || name[plain] == '-' ||
				  (name[plain] >= '0' && name[plain] <= '9') ||
				  ((name[plain] | 0x20) >= 'a' && (name[plain] | 0x20) <= 'z')))
		plain++;
	if (length > 0 && plain == length) {
		add(w, "%s%.*s", w->length ? "." : "", (int)length, name);
		return;
	}
	add(w, "[\"");
	add_foreign(w, name, length, SHOWN_MAX);
	add(w, "\"]");
}

static void add_path(const struct decoder *d, struct words *w)
{
	for (const struct frame *f = d->frames; f < d->frames + d->n_frames; f++) {
		/* the one field of a list has no name */
		if (f->kind == FRAME_OBJECT && f->field && f->field->length > 0)
			add_name(w, name_of(d, f->field), f->field->length);
		else if (f->kind == FRAME_ARRAY)
			add(w, "[%zu]", f->index);
		else if (f->kind == FRAME_MAP && f->key)
			add_name(w, f->key, strlen(f->key));
	}
	if (d->unknown)
		add_name(w, d->unknown->text, d->unknown->length);
}

/* --- keeping them ----------------------------------------------------------------------------- */

static const char *keep(struct decoder *d, const char *text)
{
	size_t n = strlen(text) + 1;
	char *copy = decoder_alloc(d, n);

	return copy ? memcpy(copy, text, n) : NULL;
}

static void note(struct decoder *d, enum ocispec_finding_kind kind, struct ocispec_place place,
		 const char *path, const char *text, const char *nearest)
{
	struct ocispec_findings *list = d->opt.findings;
	struct ocispec_finding *one = NULL;

	if (!list)
		return;
	list->n_error += kind == OCISPEC_ERROR;
	if (list->n < d->opt.max_findings)
		one = decoder_alloc(d, sizeof(*one));
	if (one) {
		*one = (struct ocispec_finding){
			.kind = kind,
			.place = place,
			.path = keep(d, path),
			.text = keep(d, text),
			.nearest = nearest,
		};
	}
	if (!one || !one->path || !one->text) {
		list->n_lost++;
		return;
	}
	if (list->last)
		list->last->next = one;
	else
		list->first = one;
	list->last = one;
	list->n++;
}

static int report(struct decoder *d, enum ocispec_finding_kind kind, struct ocispec_place place,
		  const char *nearest, const char *text)
{
	char path[sizeof(d->err->path)] = "";
	struct words w = { path, sizeof(path), 0 };

	add_path(d, &w);
	note(d, kind, place, path, text, nearest);
	if (kind != OCISPEC_ERROR)
		return 0;
	if (!d->failed && d->err) {
		d->err->code = EINVAL;
		d->err->line = place.line;
		d->err->column = place.column;
		snprintf(d->err->path, sizeof(d->err->path), "%s", path);
		snprintf(d->err->text, sizeof(d->err->text), "%s", text);
	}
	d->failed = true;
	return d->opt.collect_errors ? 0 : -EINVAL;
}

int decoder_error(struct decoder *d, struct ocispec_place place, const char *fmt, ...)
{
	char text[sizeof(d->err->text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return report(d, OCISPEC_ERROR, place, NULL, text);
}

void decoder_finding(struct decoder *d, enum ocispec_finding_kind kind, struct ocispec_place place,
		     const char *nearest, const char *fmt, ...)
{
	char text[sizeof(d->err->text)];
	va_list ap;

	if (!d->opt.findings)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	report(d, kind, place, nearest, text);
}

/* --- expected and found --------------------------------------------------------------------- */

static void add_expected(const struct decoder *d, struct words *w, const struct ocispec_value *v,
			 const struct json_token *t)
{
	switch ((enum ocispec_kind)v->kind) {
	case KIND_BOOL:
		add(w, "true or false");
		break;
	case KIND_NUMBER:
		add(w, "an integer");
		if (t->event == JSON_NUMBER)
			add(w, " from %" PRId64 " to %" PRIu64, v->low, v->high);
		break;
	case KIND_TEXT:
		if (t->event != JSON_STRING || (!v->count && !v->format))
			add(w, "a string");
		else if (!v->count)
			add(w, "%s", scalar_format_name(v->format));
		else if (v->count > 1)
			add(w, "one of ");
		for (unsigned i = 0; i < v->count && t->event == JSON_STRING; i++)
			add(w, "%s%s", i ? ", " : "",
			    d->schema->strings + d->schema->words[v->index + i]);
		break;
	case KIND_ARRAY:
		add(w, "an array");
		break;
	case KIND_OBJECT:
	case KIND_MAP:
	case KIND_SKIP:
		add(w, "an object");
		break;
	}
}

static void add_found(struct words *w, const struct json_token *t)
{
	switch (t->event) {
	case JSON_NULL:
		add(w, "null");
		break;
	case JSON_BOOL:
		add(w, "%s", t->truth ? "true" : "false");
		break;
	case JSON_NUMBER:
		add_foreign(w, t->text, t->length, SHOWN_MAX);
		if (scalar_parse(t->text, t->length, &(struct scalar_number){ 0 }) == -EINVAL)
			add(w, " with a fraction");
		break;
	case JSON_STRING:
	case JSON_KEY:
		add(w, "\"");
		add_foreign(w, t->text, t->length, SHOWN_MAX);
		add(w, "\"");
		break;
	case JSON_OBJECT:
	case JSON_OBJECT_END:
		add(w, "an object");
		break;
	case JSON_ARRAY:
	case JSON_ARRAY_END:
		add(w, "an array");
		break;
	}
}

/* How many wrong letters still look like a slip. */
static unsigned slips(size_t length)
{
	return length < 5 ? 1 : 2;
}

static const char *nearest_word(const struct decoder *d, const struct ocispec_value *v,
				const struct json_token *t)
{
	unsigned best = slips(t->length) + 1;
	const char *found = NULL;

	for (unsigned i = 0; i < v->count; i++) {
		const char *word = d->schema->strings + d->schema->words[v->index + i];
		unsigned far = scalar_distance(word, strlen(word), t->text, t->length, best - 1);

		if (far < best) {
			best = far;
			found = word;
		}
	}
	return found;
}

int decoder_expected(struct decoder *d, const struct json_token *t, const struct ocispec_value *v,
		     enum ocispec_finding_kind kind)
{
	char text[sizeof(d->err->text)];
	char found[4 * SHOWN_MAX] = "";
	struct words f = { found, sizeof(found), 0 };
	struct words w = { text, sizeof(text), 0 };
	const char *nearest = NULL;

	if (kind != OCISPEC_ERROR && !d->opt.findings)
		return 0;
	add_found(&f, t);
	add(&w, "expected ");
	add_expected(d, &w, v, t);
	/* what was found must not be lost to a long list of what was expected */
	if (w.length + f.length + strlen("..., found ") >= w.size) {
		w.length = w.size - f.length - strlen("..., found ") - 1;
		add(&w, "...");
	}
	add(&w, ", found %s", found);
	if (v->kind == KIND_TEXT && t->event == JSON_STRING)
		nearest = nearest_word(d, v, t);
	return report(d, kind, decoder_place(d, t->offset), nearest, text);
}

void decoder_unknown(struct decoder *d, const struct json_token *key)
{
	const struct ocispec_struct *type = top_frame(d)->type;
	unsigned best = slips(key->length) + 1;
	const char *found = NULL;

	if (!d->opt.findings)
		return;
	for (unsigned i = 0; i < type->count; i++) {
		const struct ocispec_field *f = &d->schema->fields[type->first + i];
		unsigned far =
			scalar_distance(name_of(d, f), f->length, key->text, key->length, best - 1);

		if (far < best) {
			best = far;
			found = name_of(d, f);
		}
	}
	d->unknown = key;
	decoder_finding(d, OCISPEC_UNKNOWN, decoder_place(d, key->offset), found,
			"no property that is known here%s%s%s", found ? ", perhaps '" : "",
			found ? found : "", found ? "' is meant" : "");
	d->unknown = NULL;
}
