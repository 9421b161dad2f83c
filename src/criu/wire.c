/* SPDX-License-Identifier: Apache-2.0 */
#include "criu/wire.h"

#include "base/str.h"

enum kind { KIND_VARINT = 0, KIND_FIXED64 = 1, KIND_BYTES = 2, KIND_FIXED32 = 5 };

#define KIND_BITS  3
#define VARINT_MAX 10 /* bytes of 64 bits, seven in each */

static void put_varint(struct wire *w, uint64_t value)
{
	do {
		unsigned char more = value > 0x7f ? 0x80 : 0;

		*vec_push(w->arena, &w->bytes) = (unsigned char)((value & 0x7f) | more);
		value >>= 7;
	} while (value);
}

static void put_key(struct wire *w, unsigned field, enum kind kind)
{
	put_varint(w, (uint64_t)field << KIND_BITS | kind);
}

void wire_put_number(struct wire *w, unsigned field, uint64_t value)
{
	put_key(w, field, KIND_VARINT);
	put_varint(w, value);
}

void wire_put_bytes(struct wire *w, unsigned field, const void *data, size_t len)
{
	put_key(w, field, KIND_BYTES);
	put_varint(w, len);
	for (size_t i = 0; i < len; i++)
		*vec_push(w->arena, &w->bytes) = ((const unsigned char *)data)[i];
}

void wire_put_text(struct wire *w, unsigned field, const char *text)
{
	if (text)
		wire_put_bytes(w, field, text, strlen(text));
}

void wire_put_flag(struct wire *w, unsigned field, bool value)
{
	if (value)
		wire_put_number(w, field, 1);
}

void wire_put_message(struct wire *w, unsigned field, const struct wire *message)
{
	wire_put_bytes(w, field, message->bytes.v, message->bytes.n);
}

static bool get_varint(struct wire_reader *r, uint64_t *ret)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < VARINT_MAX && r->left; i++) {
		unsigned char byte = *r->at++;

		r->left--;
		value |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (!(byte & 0x80)) {
			*ret = value;
			return true;
		}
	}
	r->broken = true;
	return false;
}

static bool get_bytes(struct wire_reader *r, size_t len, const unsigned char **ret)
{
	if (len > r->left) {
		r->broken = true;
		return false;
	}
	*ret = r->at;
	r->at += len;
	r->left -= len;
	return true;
}

bool wire_next(struct wire_reader *r, struct wire_field *ret)
{
	const unsigned char *skipped;
	uint64_t key;

	*ret = (struct wire_field){ 0 };
	if (r->broken || !r->left || !get_varint(r, &key))
		return false;
	ret->number = (unsigned)(key >> KIND_BITS);
	switch (key & ((1 << KIND_BITS) - 1)) {
	case KIND_VARINT:
		return get_varint(r, &ret->value);
	case KIND_BYTES:
		if (!get_varint(r, &ret->value))
			return false;
		ret->len = (size_t)ret->value;
		return get_bytes(r, ret->len, &ret->data);
	case KIND_FIXED64:
		return get_bytes(r, 8, &skipped);
	case KIND_FIXED32:
		return get_bytes(r, 4, &skipped);
	default:
		r->broken = true;
		return false;
	}
}
