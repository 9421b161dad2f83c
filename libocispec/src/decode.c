/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode - one engine for all types
 *
 * Each token either opens or closes a frame, names what is next, or is a value for the
 * frame on top; what that may be, the tables say. Nothing is kept of what the tables do
 * not know. On the way to a container nobody asks for findings: then lists of words and
 * forms are not looked at, their meaning being settled later anyway.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "decoder.h"
#include "scalar.h"

/* --- fields ------------------------------------------------------------------------------- */

static int compare_name(const struct decoder *d, const struct ocispec_field *f,
			const struct json_token *t)
{
	if (f->length != t->length)
		return f->length < t->length ? -1 : 1;
	return memcmp(name_of(d, f), t->text, t->length);
}

static const struct ocispec_field *
find_field(const struct decoder *d, const struct ocispec_struct *type, const struct json_token *t)
{
	const struct ocispec_field *fields = d->schema->fields + type->first;
	const uint8_t *order = d->schema->by_name + type->first;
	unsigned low = 0, high = type->count;

	while (low < high) {
		unsigned middle = (low + high) / 2;
		int r = compare_name(d, &fields[order[middle]], t);

		if (r == 0)
			return &fields[order[middle]];
		if (r < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static uint64_t field_bit(const struct decoder *d, const struct frame *f)
{
	return (uint64_t)1 << (f->field - d->schema->fields - f->type->first);
}

/* --- frames ----------------------------------------------------------------------------------- */

/* What the frame on top wants next; NULL: whatever comes is not kept. */
static const struct ocispec_value *wanted(struct decoder *d)
{
	const struct frame *f = top_frame(d);

	if (f->kind != FRAME_OBJECT)
		return f->item;
	return f->field ? &d->schema->values[f->field->value] : NULL;
}

static struct frame *push_frame(struct decoder *d, enum frame_kind kind,
				const struct ocispec_value *v, const struct json_token *t)
{
	struct frame *f = &d->frames[d->n_frames++];

	*f = (struct frame){
		.kind = kind,
		.value = v,
		.first_slot = d->n_slots,
		.place = decoder_place(d, t->offset),
	};
	return f;
}

static int open_object(struct decoder *d, const struct ocispec_value *v, const struct json_token *t)
{
	struct frame *f = push_frame(d, FRAME_OBJECT, v, t);

	f->type = &d->schema->structs[v->index];
	f->object = decoder_alloc(d, f->type->size);
	if (!f->object)
		return -ENOMEM;
	*(struct ocispec_place *)f->object = f->place;
	return 0;
}

static void open_items(struct decoder *d, enum frame_kind kind, const struct ocispec_value *v,
		       const struct json_token *t)
{
	push_frame(d, kind, v, t)->item = &d->schema->values[v->index];
}

/* The item or member that the frame on top waited for has come. */
static int put(struct decoder *d, const struct ocispec_value *v, union slot slot, size_t count)
{
	int r = decoder_put(d, v, slot, count);

	top_frame(d)->index++;
	return r;
}

static int close_object(struct decoder *d)
{
	struct frame *f = top_frame(d);
	uint64_t missing = f->type->required & ~f->present;

	for (; missing; missing &= missing - 1) {
		f->field = &d->schema->fields[f->type->first + __builtin_ctzll(missing)];
		if (f->type->soft_required & field_bit(d, f))
			decoder_finding(d, OCISPEC_MISSING, f->place, NULL, "required but missing");
		else if (decoder_error(d, f->place, "required but missing") < 0)
			return -EINVAL;
	}
	d->n_frames--;
	return put(d, f->value, (union slot){ .pointer = f->object }, 0);
}

static int close_array(struct decoder *d)
{
	const struct frame *f = &d->frames[--d->n_frames];
	void *items = NULL;
	size_t n = 0;
	int r = decoder_gather_array(d, f, &items, &n);

	if (r == 0 && f->index < f->value->count)
		r = decoder_error(d, f->place, "expected at least %u, found %zu", f->value->count,
				  f->index);
	return r < 0 ? r : put(d, f->value, (union slot){ .pointer = items }, n);
}

static int close_map(struct decoder *d)
{
	struct frame *f = top_frame(d);
	const struct ocispec_value *v = f->value;
	struct ocispec_place place;
	void *map = NULL;
	int r = decoder_second_key(d, f, &f->key, &f->key_offset);

	if (r == 0 && f->key) {
		place = decoder_place(d, f->key_offset);
		r = decoder_error(d, place, "the same name twice");
	}
	d->n_frames--;
	if (r == 0)
		r = decoder_gather_map(d, f, &map);
	return r < 0 ? r : put(d, v, (union slot){ .pointer = map }, 0);
}

/* --- values ----------------------------------------------------------------------------------- */

/* A value that is not kept; what it opens is read to its end. */
static void pass_over(struct decoder *d, const struct json_token *t)
{
	d->skip = t->event == JSON_OBJECT || t->event == JSON_ARRAY;
	top_frame(d)->index++;
}

/*
 * A value that is wrong. In a list something empty of the wanted type takes its place, or
 * the others would not have the numbers that they have in the text.
 */
static int pass_over_wrong(struct decoder *d, const struct ocispec_value *v,
			   const struct json_token *t)
{
	union slot empty = { .number = 0 };

	if (top_frame(d)->kind == FRAME_ARRAY) {
		if (v->kind == KIND_TEXT)
			empty.pointer = "";
		else if (v->kind == KIND_OBJECT)
			empty.pointer = decoder_alloc(d, d->schema->structs[v->index].size);
		else if (v->kind == KIND_MAP)
			empty.pointer = decoder_alloc(d, sizeof(struct ocispec_map));
		if (v->kind != KIND_NUMBER && v->kind != KIND_BOOL && !empty.pointer)
			return -ENOMEM;
		if (decoder_put(d, v, empty, 0) < 0)
			return -ENOMEM;
	}
	pass_over(d, t);
	return 0;
}

static int take_number(struct decoder *d, const struct ocispec_value *v, const struct json_token *t)
{
	struct scalar_number n = { 0 };
	int r = scalar_parse(t->text, t->length, &n);

	if (r == 0 && !scalar_is_within(n, v->low, v->high)) {
		if (v->hard || !scalar_is_within(n, scalar_lowest(v->width, v->is_signed),
						 scalar_highest(v->width, v->is_signed)))
			r = -ERANGE;
		else
			decoder_expected(d, t, v, OCISPEC_RANGE);
	}
	if (r < 0) {
		r = decoder_expected(d, t, v, OCISPEC_ERROR);
		return r < 0 ? r : pass_over_wrong(d, v, t);
	}
	return put(d, v, (union slot){ .number = scalar_bits(n) }, 0);
}

static bool is_listed(const struct decoder *d, const struct ocispec_value *v, const char *text)
{
	for (unsigned i = 0; i < v->count; i++)
		if (strcmp(d->schema->strings + d->schema->words[v->index + i], text) == 0)
			return true;
	return v->count == 0;
}

static int take_text(struct decoder *d, const struct ocispec_value *v, const struct json_token *t)
{
	const char *text = decoder_string(d, t);
	int r = 0;

	if (!text)
		return -ENOMEM;
	if (v->hard || d->opt.findings) {
		if (!is_listed(d, v, text))
			r = decoder_expected(d, t, v, v->hard ? OCISPEC_ERROR : OCISPEC_ENUM);
		else if (!scalar_has_format(v->format, text))
			r = decoder_expected(d, t, v, v->hard ? OCISPEC_ERROR : OCISPEC_FORMAT);
	}
	return r < 0 ? r : put(d, v, (union slot){ .pointer = text }, 0);
}

static int mismatch(struct decoder *d, const struct ocispec_value *v, const struct json_token *t)
{
	int r = decoder_expected(d, t, v, OCISPEC_ERROR);

	return r < 0 ? r : pass_over_wrong(d, v, t);
}

static int take_null(struct decoder *d, const struct ocispec_value *v, const struct json_token *t)
{
	struct frame *f = top_frame(d);
	uint64_t bit;

	if (f->kind != FRAME_OBJECT)
		return mismatch(d, v, t);
	bit = field_bit(d, f);
	if (!(f->type->required & ~f->type->soft_required & bit))
		return 0;
	f->present |= bit; /* one error is enough */
	return decoder_expected(d, t, v, OCISPEC_ERROR);
}

static int take_value(struct decoder *d, const struct json_token *t)
{
	static const enum json_event events[] = {
		[KIND_BOOL] = JSON_BOOL,     [KIND_NUMBER] = JSON_NUMBER, [KIND_TEXT] = JSON_STRING,
		[KIND_OBJECT] = JSON_OBJECT, [KIND_ARRAY] = JSON_ARRAY,	  [KIND_MAP] = JSON_OBJECT,
		[KIND_SKIP] = JSON_OBJECT,
	};
	const struct ocispec_value *v = wanted(d);
	struct frame *f = top_frame(d);

	if (v && t->event == JSON_NULL)
		return take_null(d, v, t);
	if (v && f->kind == FRAME_OBJECT)
		f->present |= field_bit(d, f);
	if (!v || v->kind == KIND_SKIP) {
		int r = v && t->event != JSON_OBJECT ? decoder_expected(d, t, v, OCISPEC_ERROR) : 0;

		pass_over(d, t);
		return r;
	}
	if (events[v->kind] != t->event)
		return mismatch(d, v, t);
	switch ((enum ocispec_kind)v->kind) {
	case KIND_BOOL:
		return put(d, v, (union slot){ .number = t->truth }, 0);
	case KIND_NUMBER:
		return take_number(d, v, t);
	case KIND_TEXT:
		return take_text(d, v, t);
	case KIND_OBJECT:
		return open_object(d, v, t);
	case KIND_ARRAY:
		open_items(d, FRAME_ARRAY, v, t);
		break;
	case KIND_MAP:
		open_items(d, FRAME_MAP, v, t);
		break;
	case KIND_SKIP:
		break;
	}
	return 0;
}

/* --- tokens ----------------------------------------------------------------------------------- */

static int take_key(struct decoder *d, const struct json_token *t)
{
	struct frame *f = top_frame(d);

	if (f->kind == FRAME_MAP) {
		f->key = decoder_string(d, t);
		f->key_offset = t->offset;
		if (f->key && t->length < f->value->count)
			decoder_finding(d, OCISPEC_FORMAT, decoder_place(d, t->offset), NULL,
					"expected a name, found \"\"");
		return f->key ? 0 : -ENOMEM;
	}
	f->field = find_field(d, f->type, t);
	if (!f->field) {
		decoder_unknown(d, t);
	} else if (f->seen & field_bit(d, f)) {
		return decoder_error(d, decoder_place(d, t->offset), "the same name twice");
	} else {
		f->seen |= field_bit(d, f);
	}
	return 0;
}

static int close_frame(struct decoder *d)
{
	switch (top_frame(d)->kind) {
	case FRAME_OBJECT:
		return close_object(d);
	case FRAME_ARRAY:
		return close_array(d);
	case FRAME_MAP:
		return close_map(d);
	case FRAME_WHOLE:
		break;
	}
	return -EINVAL; /* json_parse() has seen to that */
}

static int take_token(void *user, const struct json_token *t)
{
	struct decoder *d = user;
	bool opens = t->event == JSON_OBJECT || t->event == JSON_ARRAY;
	bool closes = t->event == JSON_OBJECT_END || t->event == JSON_ARRAY_END;

	/* the first frame is around everything and not counted */
	if (opens && d->n_frames - 1 + d->skip >= d->opt.max_depth) {
		d->opt.collect_errors = false;
		return decoder_error(d, decoder_place(d, t->offset), "nested deeper than %u",
				     d->opt.max_depth);
	}
	if (d->skip) {
		d->skip = d->skip + opens - closes;
		return 0;
	}
	if (closes)
		return close_frame(d);
	return t->event == JSON_KEY ? take_key(d, t) : take_value(d, t);
}

/* --- the whole -------------------------------------------------------------------------------- */

static int begin(struct decoder *d, const struct ocispec_type *type)
{
	struct frame *f = &d->frames[0];

	d->n_frames = 1;
	d->slots = d->first_slots;
	d->max_slots = FIRST_SLOTS;
	f->type = &type->schema->structs[type->index];
	if (!f->type->is_list) {
		d->whole = (struct ocispec_value){ .kind = KIND_OBJECT, .index = type->index };
		f->kind = FRAME_WHOLE;
		f->item = &d->whole;
		return 0;
	}
	f->kind = FRAME_OBJECT;
	f->object = decoder_alloc(d, f->type->size);
	f->field = &type->schema->fields[f->type->first];
	d->result = f->object;
	if (!f->object)
		return -ENOMEM;
	*(struct ocispec_place *)f->object = (struct ocispec_place){ 1, 1 };
	return 0;
}

static struct ocispec_decode_options complete(const struct ocispec_decode_options *opt)
{
	struct ocispec_decode_options o = { 0 };

	if (opt)
		o = *opt;
	if (!o.max_size)
		o.max_size = OCISPEC_MAX_SIZE;
	if (!o.max_depth || o.max_depth > OCISPEC_MAX_DEPTH)
		o.max_depth = OCISPEC_MAX_DEPTH;
	if (!o.max_findings)
		o.max_findings = OCISPEC_MAX_FINDINGS;
	return o;
}

static int fail(struct ocispec_error *err, int code, const char *text)
{
	if (err) {
		*err = (struct ocispec_error){ .code = code };
		snprintf(err->text, sizeof(err->text), "%s", text);
	}
	return -code;
}

int ocispec_decode(const struct ocispec_type *type, const char *text, size_t length,
		   const struct ocispec_allocator *alloc, const struct ocispec_decode_options *opt,
		   void **ret_object, struct ocispec_error *err)
{
	struct decoder d;
	struct json_fault fault;
	int r;

	memset(&d, 0, offsetof(struct decoder, frames));
	memset(&d.frames[0], 0, sizeof(d.frames[0]));
	d.schema = type->schema;
	d.alloc = alloc;
	d.text = text ? text : "";
	d.length = length;
	d.opt = complete(opt);
	d.err = err;
	if (length > d.opt.max_size)
		return fail(err, E2BIG, "longer than the limit");
	r = begin(&d, type);
	if (r == 0)
		r = json_parse(d.text, length, alloc, take_token, &d, &fault);
	if (r == -ENOMEM)
		return fail(err, ENOMEM, "out of memory");
	if (r < 0 && fault.text[0])
		decoder_error(&d, decoder_place(&d, fault.offset), "%s", fault.text);
	if (r == 0 && d.failed && d.opt.partial && d.result)
		*ret_object = (void *)d.result;
	if (r < 0 || d.failed)
		return -EINVAL;
	*ret_object = (void *)d.result;
	return 0;
}
