/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json - JSON as a row of tokens with their places
 *
 * The seam to the JSON library: json_yajl.c alone knows it. What that lets pass and RFC
 * 8259 or our own rules do not is refused here: overlong and surrogate UTF-8, half of a
 * surrogate pair, NUL in a string.
 */
#ifndef OCISPEC_JSON_H
#define OCISPEC_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "ocispec/ocispec.h"

enum json_event {
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER, /* text is as it was written */
	JSON_STRING, /* text is without quotes and escapes */
	JSON_KEY,    /* the same */
	JSON_OBJECT,
	JSON_OBJECT_END,
	JSON_ARRAY,
	JSON_ARRAY_END,
};

struct json_token {
	enum json_event event;
	bool truth;	  /* JSON_BOOL */
	const char *text; /* not ended with NUL; valid during the call */
	size_t length;
	size_t offset; /* of the first byte in the whole text */
};

struct json_fault {
	size_t offset;
	char text[128]; /* "": none */
};

/*
 * json_parse() - hand every token of @text to @handle, until it returns a negative number
 *
 * Returns 0; what @handle returned; -EINVAL with @ret_fault filled when the text is not
 * JSON; -ENOMEM.
 */
int json_parse(const char *text, size_t length, const struct ocispec_allocator *alloc,
	       int (*handle)(void *user, const struct json_token *t), void *user,
	       struct json_fault *ret_fault);

/* Well-formed UTF-8 as in RFC 3629: shortest form, no surrogates, at most U+10FFFF. */
bool utf8_is_valid(const char *text, size_t length);

#endif
