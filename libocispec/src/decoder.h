/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decoder - what decode.c, store.c and report.c share
 *
 * One pass over the tokens. What is open is a stack of frames, from which also the path
 * of an error is read. Items of an open array or map gather on a second stack, `slots`,
 * shared by all frames, so that each array is allocated once and with its final length.
 * All strings go into one piece of memory as long as the text: their quotes pay for the
 * NULs.
 */
#ifndef OCISPEC_DECODER_H
#define OCISPEC_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "json.h"
#include "ocispec/decode.h"
#include "type_desc.h"

#define FIRST_SLOTS 512

union slot {
	uint64_t number; /* as many low bytes of it as the type has */
	const void *pointer;
	size_t offset;
};
#define SLOTS_OF_ENTRY 3 /* of a map: key, its offset in the text, value */

enum frame_kind {
	FRAME_WHOLE, /* around everything: its one item is the result */
	FRAME_OBJECT,
	FRAME_ARRAY,
	FRAME_MAP,
};

struct frame {
	enum frame_kind kind;
	struct ocispec_place place;
	/* object */
	const struct ocispec_struct *type;
	char *object;
	const struct ocispec_field *field; /* whose value is next; NULL: an unknown one's */
	uint64_t seen, present;		   /* bit n: the n-th field; null is seen, not present */
	/* array, map, whole */
	const struct ocispec_value *value; /* what it is itself */
	const struct ocispec_value *item;  /* what is in it */
	size_t first_slot;
	size_t index;	 /* of the item that is next, bad ones counted */
	const char *key; /* map: of the item that is next; NULL: none yet */
	size_t key_offset;
};

struct decoder {
	const struct ocispec_schema *schema;
	const struct ocispec_allocator *alloc;
	const char *text;
	size_t length;
	struct ocispec_decode_options opt; /* no zero means a default any more */
	struct ocispec_error *err;	   /* of the first error */
	bool failed;

	unsigned n_frames;
	unsigned skip;		    /* objects and arrays open in a value that is not kept */
	struct ocispec_value whole; /* item of the first frame */

	union slot *slots;
	size_t n_slots, max_slots;

	char *strings, *next_string;
	const void *result;
	const struct json_token *unknown; /* name of a property that is no field, for the path */

	/* places are asked for in rising order: where the last one was */
	size_t line_start;
	unsigned line;

	/* from here on not zeroed at the start */
	struct frame frames[OCISPEC_MAX_DEPTH + 1];
	union slot first_slots[FIRST_SLOTS];
};

static inline const char *name_of(const struct decoder *d, const struct ocispec_field *f)
{
	return d->schema->strings + f->name;
}

static inline struct frame *top_frame(struct decoder *d)
{
	return &d->frames[d->n_frames - 1];
}

/* --- store.c: each returns 0 or -ENOMEM ---------------------------------------------------- */

void *decoder_alloc(struct decoder *d, size_t size);
/* A copy that ends with NUL. */
const char *decoder_string(struct decoder *d, const struct json_token *t);
/* Give the frame on top the value of the item or field that it waits for. */
int decoder_put(struct decoder *d, const struct ocispec_value *v, union slot slot, size_t count);
/* The items on the slots of @f, which has just been taken off the stack, to memory. */
int decoder_gather_array(struct decoder *d, const struct frame *f, void **ret, size_t *ret_n);
int decoder_gather_map(struct decoder *d, const struct frame *f, void **ret);
/* A key that comes twice in the map and where it does the second time; NULL: there is none. */
int decoder_second_key(struct decoder *d, const struct frame *f, const char **ret_name,
		       size_t *ret_offset);

/* --- report.c --------------------------------------------------------------------------------- */

/* Where the byte at @offset is; cheap when asked in rising order. */
struct ocispec_place decoder_place(struct decoder *d, size_t offset);
/*
 * An error about what the frame on top waits for. Returns 0 when all errors are collected,
 * else -EINVAL.
 */
int decoder_error(struct decoder *d, struct ocispec_place place, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same about what can be read on all the same; nothing when nobody wants to know. */
void decoder_finding(struct decoder *d, enum ocispec_finding_kind kind, struct ocispec_place place,
		     const char *nearest, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
/* @t is not what @v asks for; @kind: OCISPEC_ERROR or how it is to be noted. As decoder_error(). */
int decoder_expected(struct decoder *d, const struct json_token *t, const struct ocispec_value *v,
		     enum ocispec_finding_kind kind);
/* A property that the object on top does not have. */
void decoder_unknown(struct decoder *d, const struct json_token *key);

#endif
