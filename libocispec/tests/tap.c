/* SPDX-License-Identifier: Apache-2.0 */
/* tap - see tap.h */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

static unsigned n_cases, n_bad;

static void print_case(bool good, const char *fmt, va_list ap)
{
	n_cases++;
	n_bad += !good;
	printf("%sok %u - ", good ? "" : "not ", n_cases);
	vprintf(fmt, ap);
	printf("\n");
}

bool tap_ok(bool good, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_case(good, fmt, ap);
	va_end(ap);
	return good;
}

bool tap_same(const char *got, const char *want, const char *fmt, ...)
{
	bool good = got && want ? strcmp(got, want) == 0 : got == want;
	va_list ap;

	va_start(ap, fmt);
	print_case(good, fmt, ap);
	va_end(ap);
	if (!good)
		printf("#  got: %s\n# want: %s\n", got ? got : "(null)", want ? want : "(null)");
	return good;
}

void tap_say(const char *fmt, ...)
{
	va_list ap;

	printf("# ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

/* --- memory ----------------------------------------------------------------------------------- */

struct tap_block {
	struct tap_block *next;
	max_align_t data[];
};

/* Each piece is one of malloc's own, so that a sanitizer sees both of its ends. */
static void *take(void *user, size_t size)
{
	struct tap_memory *m = user;
	struct tap_block *b;

	if (++m->n == m->fail_at)
		return NULL;
	b = calloc(1, sizeof(*b) + size);
	if (!b)
		abort();
	b->next = m->blocks;
	m->blocks = b;
	return b->data;
}

struct ocispec_allocator tap_allocator(struct tap_memory *m)
{
	return (struct ocispec_allocator){ take, m };
}

void tap_free(struct tap_memory *m)
{
	while (m->blocks) {
		struct tap_block *b = m->blocks;

		m->blocks = b->next;
		free(b);
	}
	m->n = 0;
}

void *tap_decode(struct tap_memory *m, const struct ocispec_type *type, const char *text,
		 const struct ocispec_decode_options *opt, struct ocispec_error *e)
{
	struct ocispec_allocator alloc = tap_allocator(m);
	size_t length = strlen(text);
	void *exact = take(m, length); /* so that reading beyond the end shows */
	void *object = NULL;
	int r;

	if (!exact)
		return NULL;
	memcpy(exact, text, length);
	*e = (struct ocispec_error){ 0 };
	r = ocispec_decode(type, exact, length, &alloc, opt, &object, e);
	if ((r == 0) != (object != NULL) || r != -e->code)
		tap_ok(false, "result %d, code %d and object agree for: %s", r, e->code, text);
	return object;
}

const char *tap_encode(struct tap_memory *m, const struct ocispec_type *type, const void *object,
		       unsigned flags, struct ocispec_error *e)
{
	struct ocispec_allocator alloc = tap_allocator(m);
	char *text = NULL;
	size_t length = 0;
	int r;

	*e = (struct ocispec_error){ 0 };
	r = ocispec_encode(type, object, flags, &alloc, &text, &length, e);
	if (r < 0)
		return "";
	if (strlen(text) != length)
		tap_ok(false, "the length of what was encoded");
	return text;
}

int main(void)
{
	test_numbers();
	test_forms();
	test_json();
	test_values();
	test_places();
	test_findings();
	test_encode();
	test_memory();
	printf("1..%u\n", n_cases);
	return n_bad > 0;
}
