/* SPDX-License-Identifier: Apache-2.0 */
/* tap - one line a case, and what every test of this library needs */
#ifndef OCISPEC_TESTS_TAP_H
#define OCISPEC_TESTS_TAP_H

#include <stdbool.h>
#include <stddef.h>

#include "ocispec/decode.h"
#include "ocispec/encode.h"
#include "ocispec/runtime.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Print one case; returns @good. */
bool tap_ok(bool good, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same for two texts; shows both when they differ. */
bool tap_same(const char *got, const char *want, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* A line about the case before. */
void tap_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Memory that goes when tap_free() is called; fails at the @fail_at-th allocation, 0: never. */
struct tap_memory {
	struct tap_block *blocks;
	size_t n, fail_at;
};
struct ocispec_allocator tap_allocator(struct tap_memory *m);
void tap_free(struct tap_memory *m);

/* Decode a text that ends with NUL. What it decodes to, or NULL with @e filled. */
void *tap_decode(struct tap_memory *m, const struct ocispec_type *type, const char *text,
		 const struct ocispec_decode_options *opt, struct ocispec_error *e);
/* Encode; "" with @e filled when that fails. */
const char *tap_encode(struct tap_memory *m, const struct ocispec_type *type, const void *object,
		       unsigned flags, struct ocispec_error *e);

void test_numbers(void);
void test_forms(void);
void test_json(void);
void test_values(void);
void test_places(void);
void test_findings(void);
void test_encode(void);
void test_memory(void);

#endif
