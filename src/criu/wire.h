/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire - inside the room: the encoding of CRIU's messages
 *
 * Protocol buffers: a message is a row of fields, each a key (number and kind) and a
 * value, which is a varint or bytes with their length. That is all that CRIU's protocol
 * uses, and less than a generator and a library for it would be.
 */
#ifndef CLEAT_CRIU_WIRE_H
#define CLEAT_CRIU_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

/* --- writing: a message grows in an arena ---------------------------------------------------- */

struct wire {
	struct arena *arena;
	struct {
		unsigned char *v;
		size_t n, cap;
	} bytes;
};

void wire_put_number(struct wire *w, unsigned field, uint64_t value);
void wire_put_bytes(struct wire *w, unsigned field, const void *data, size_t len);
/* Nothing at all when @text is NULL. */
void wire_put_text(struct wire *w, unsigned field, const char *text);
/* Nothing at all when @value is false. */
void wire_put_flag(struct wire *w, unsigned field, bool value);
void wire_put_message(struct wire *w, unsigned field, const struct wire *message);

/* --- reading: one field after the other ------------------------------------------------------ */

struct wire_field {
	unsigned number;
	uint64_t value;		   /* varint and fixed fields */
	const unsigned char *data; /* bytes; NULL for the others */
	size_t len;
};

struct wire_reader {
	const unsigned char *at;
	size_t left;
	bool broken;
};

/* false at the end, and with ->broken set when the bytes make no message. */
bool wire_next(struct wire_reader *r, struct wire_field *ret);

#endif
