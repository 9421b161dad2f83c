/* SPDX-License-Identifier: Apache-2.0 */
/* store - where decoded values go: slots while an array or map is open, then memory */
#include <errno.h>
#include <string.h>

#include "decoder.h"
#include "scalar.h"

#define FEW_KEYS 8

void *decoder_alloc(struct decoder *d, size_t size)
{
	return d->alloc->alloc(d->alloc->user, size);
}

const char *decoder_string(struct decoder *d, const struct json_token *t)
{
	char *s;

	if (!d->strings) {
		d->strings = decoder_alloc(d, d->length);
		d->next_string = d->strings;
	}
	s = d->next_string;
	if (!s)
		return NULL;
	/* t->text may be NULL when it is empty */
	if (t->length > 0)
		memcpy(s, t->text, t->length);
	s[t->length] = '\0';
	d->next_string = s + t->length + 1;
	return s;
}

static int push(struct decoder *d, union slot slot)
{
	if (d->n_slots == d->max_slots) {
		union slot *more = decoder_alloc(d, 2 * d->max_slots * sizeof(*more));

		if (!more)
			return -ENOMEM;
		memcpy(more, d->slots, d->n_slots * sizeof(*more));
		d->slots = more;
		d->max_slots *= 2;
	}
	d->slots[d->n_slots++] = slot;
	return 0;
}

static void put_member(const struct frame *f, const struct ocispec_value *v, union slot slot,
		       size_t count)
{
	char *member = f->object + f->field->offset, *beside = f->object + f->field->beside;

	switch ((enum ocispec_kind)v->kind) {
	case KIND_BOOL:
		*(bool *)member = slot.number;
		*(bool *)beside = true;
		break;
	case KIND_NUMBER:
		scalar_store(member, v->width, slot.number);
		*(bool *)beside = true;
		break;
	case KIND_ARRAY:
		*(size_t *)beside = count;
		*(const void **)member = slot.pointer;
		break;
	case KIND_TEXT:
	case KIND_OBJECT:
	case KIND_MAP:
		*(const void **)member = slot.pointer;
		break;
	case KIND_SKIP:
		break;
	}
}

int decoder_put(struct decoder *d, const struct ocispec_value *v, union slot slot, size_t count)
{
	struct frame *f = top_frame(d);
	int r = 0;

	switch (f->kind) {
	case FRAME_WHOLE:
		d->result = slot.pointer;
		break;
	case FRAME_OBJECT:
		put_member(f, v, slot, count);
		break;
	case FRAME_MAP:
		r = push(d, (union slot){ .pointer = f->key });
		if (r == 0)
			r = push(d, (union slot){ .offset = f->key_offset });
		if (r == 0)
			r = push(d, slot);
		break;
	case FRAME_ARRAY:
		r = push(d, slot);
		break;
	}
	return r;
}

int decoder_gather_array(struct decoder *d, const struct frame *f, void **ret, size_t *ret_n)
{
	const union slot *slots = d->slots + f->first_slot;
	size_t n = d->n_slots - f->first_slot;
	bool numbers = f->item->kind == KIND_NUMBER;
	size_t width = numbers ? f->item->width : sizeof(void *);
	char *items = decoder_alloc(d, (n + 1) * width); /* the last one stays 0 */

	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (numbers)
			scalar_store(items + i * width, f->item->width, slots[i].number);
		else
			((const void **)items)[i] = slots[i].pointer;
	}
	d->n_slots = f->first_slot;
	*ret = items;
	*ret_n = n;
	return 0;
}

int decoder_gather_map(struct decoder *d, const struct frame *f, void **ret)
{
	const union slot *slots = d->slots + f->first_slot;
	size_t n = (d->n_slots - f->first_slot) / SLOTS_OF_ENTRY;
	struct ocispec_map *map = decoder_alloc(d, sizeof(*map));
	struct ocispec_entry *entries = decoder_alloc(d, (n + 1) * sizeof(*entries));

	if (!map || !entries)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++, slots += SLOTS_OF_ENTRY)
		entries[i] = (struct ocispec_entry){ slots[0].pointer, slots[2].pointer };
	d->n_slots = f->first_slot;
	*map = (struct ocispec_map){ n, entries };
	*ret = map;
	return 0;
}

/* --- a second equal key ------------------------------------------------------------------- */

struct key {
	const char *name;
	size_t offset;
};

static bool comes_before(const struct key *a, const struct key *b)
{
	int r = strcmp(a->name, b->name);

	return r < 0 || (r == 0 && a->offset < b->offset);
}

/* Let keys[i] sink to its place in the heap of the first @n. */
static void sink(struct key *keys, size_t i, size_t n)
{
	for (size_t child; (child = 2 * i + 1) < n; i = child) {
		struct key swap = keys[i];

		if (child + 1 < n && comes_before(&keys[child], &keys[child + 1]))
			child++;
		if (!comes_before(&keys[i], &keys[child]))
			return;
		keys[i] = keys[child];
		keys[child] = swap;
	}
}

/* Whoever wrote the text may have chosen the keys: no hash, and no bad case. */
static void sort(struct key *keys, size_t n)
{
	for (size_t i = n / 2; i-- > 0;)
		sink(keys, i, n);
	for (size_t left = n; left-- > 1;) {
		struct key swap = keys[0];

		keys[0] = keys[left];
		keys[left] = swap;
		sink(keys, 0, left);
	}
}

int decoder_second_key(struct decoder *d, const struct frame *f, const char **ret_name,
		       size_t *ret_offset)
{
	size_t n = (d->n_slots - f->first_slot) / SLOTS_OF_ENTRY;
	struct key few[FEW_KEYS], *keys = few;

	*ret_name = NULL;
	if (n > FEW_KEYS)
		keys = decoder_alloc(d, n * sizeof(*keys));
	if (!keys)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const union slot *slots = d->slots + f->first_slot + i * SLOTS_OF_ENTRY;

		keys[i] = (struct key){ slots[0].pointer, slots[1].offset };
	}
	sort(keys, n);
	for (size_t i = 1; i < n; i++) {
		if (strcmp(keys[i - 1].name, keys[i].name) != 0)
			continue;
		*ret_name = keys[i].name;
		*ret_offset = keys[i].offset;
		break;
	}
	return 0;
}
